import type { Log } from '../../platform/log.js';
import type { Stats } from '../health/stats.js';
import type { EdgeWatch } from '../partition/edges.js';
import type { Home } from '../partition/home.js';
import type { Engines } from './engines.js';
import type { AgentLink, LinkListeners } from './link.js';
import type { Trips } from './trips.js';

export interface HeardParts {
  session: number;
  engines: Engines;
  edges: EdgeWatch;
  home: Home;
  stats: Stats;
  /** Asked for when there is something to hear: both are made after this. */
  link: () => AgentLink;
  trips: () => Trips;
  /** Told when an edge has something new to offer. */
  edgeNews: () => void;
  log: Log;
}

/** What becomes of everything that the agent hears at the broker. */
export function heard({ session, engines, edges, home, stats, link, trips, edgeNews, log }: HeardParts): LinkListeners {
  return {
    result: (payload) => {
      const arrivals = engines.all.map(({ matcher }) => matcher.arrive(payload));
      const arrival = arrivals.find((what) => what !== 'foreign');
      if (arrival === 'late' || arrival === 'damaged') stats.drop(`result_${arrival}`);
    },
    edge: (worker, status) => {
      if (edges.announce(worker, status)) edgeNews();
      if (!status.online && !status.leaving) for (const { matcher } of engines.all) matcher.lose(worker);
      engines.current.planner.useEdges(home.statuses, engines.current.bundle.id);
    },
    explain: (count) => link().publishDecisions(session, engines.current.planner.trace.last(count)),
    partition: (command) => {
      engines.command(command);
      log.info('the partition point was chosen by a command', { ...command });
    },
    pong: (number) => engines.current.planner.pinged(number),
    up: () => {
      const { planner } = engines.current;
      planner.link.doubt();
      planner.pings.restart();
      trips().ping();
    },
    down: () => {
      edges.forget();
      for (const { matcher } of engines.all) matcher.giveUp('broker_lost');
    },
  };
}
