import { setTimeout as pause } from 'node:timers/promises';
import { type HealthMessage, parseHealth } from '../../../../protocol/health.js';
import { type DeviceStatus, parseStatus } from '../../../../protocol/status.js';
import { Topics } from '../../../../protocol/topics.js';
import { defineCheck } from '../check.js';
import { explainDrops, plain } from '../drops.js';

const RETAINED_MS = 1500;
/** Two health messages are waited for, at most so long; ms. */
const MOST_MS = 12_000;
const SLACK_MS = 1500;
/** Reasons of a decision to stay on the device that are no choice. */
const AWAY: readonly string[] = ['no_edge', 'try_edge'];

export const agentCheck = defineCheck({
  name: 'agent',
  title: 'what the running agent says',
  group: 'agent',
  timeoutMs: 15_000,
  needs: ['config', 'client', 'permitted'],
  gives: ['status', 'health'],
  findings: {
    agent_ok: { status: 'pass', means: 'The agent is running, and results come.' },
    agent_unknown: {
      status: 'warning',
      symptom: 'silent',
      means:
        'No agent of this name has ever announced itself at this broker: it has not been started yet, or under another name, base or broker.',
      todo: '`systemctl status deepcod-agent`; does it use the same configuration ({device} below {base})?',
    },
    agent_offline: {
      status: 'failure',
      symptom: 'silent',
      means: 'The agent was connected and is gone: stopped, crashed, or without network.',
      todo: '`systemctl status deepcod-agent`, `journalctl -u deepcod-agent -n 50`.',
    },
    agent_stuck: {
      status: 'failure',
      symptom: 'silent',
      means: 'The agent is connected and takes pictures, but no result came while it was watched.',
      todo: 'The causes of its drops are named here; `deepcod explain {device}` and `journalctl -u deepcod-agent -n 50`.',
    },
    agent_no_pictures: {
      status: 'failure',
      symptom: 'blind',
      means: 'The agent is connected, but takes no pictures: the camera gives none.',
      todo: 'See the camera findings here; `journalctl -u deepcod-agent -n 50`, `deepcod camera list`.',
    },
    agent_losing: {
      status: 'warning',
      symptom: 'slow',
      means: 'Results come, but more than one picture in ten comes to nothing.',
      todo: 'The causes are named here; `deepcod explain {device}` shows what the agent reckons with.',
    },
    agent_local: {
      status: 'warning',
      symptom: 'slow',
      means:
        'The agent answers its pictures itself, because no edge does so in time: slower, and the edge sees results only.',
      todo: 'See edge and link here; `deepcod explain {device}`.',
    },
  },
  async run({ known, tell, signal }) {
    const { config, client } = known as Required<typeof known>;
    const topics = new Topics(config.base);
    const { device, base } = config;
    let status: DeviceStatus | undefined;
    const healths: HealthMessage[] = [];
    await client.subscribe(topics.status(device), (_, payload) => {
      status = quietly(() => parseStatus(payload)) ?? status;
    });
    await client.subscribe(topics.health(device), (_, payload) => {
      const health = quietly(() => parseHealth(payload));
      if (health) healths.push(health);
    });
    const asked = performance.now();
    while ((!status || healths.length === 0) && performance.now() - asked < RETAINED_MS) {
      await pause(20, undefined, { signal });
    }
    known.status = status ?? { online: false };
    if (healths.length > 0) known.health = healths.at(-1);
    if (!status) return tell('agent_unknown', `${base}/${device}: nothing`, { device, base });
    if (!status.online) return tell('agent_offline', `${device} is offline`, { device });

    const interval = config.health.interval_s * 1000;
    const patience = Math.min(MOST_MS, 2 * interval + SLACK_MS);
    // The retained one may be old: what changes between two that come now is true.
    const from = healths.length;
    const start = performance.now();
    while (healths.length < from + 2 && performance.now() - start < patience) await pause(20, undefined, { signal });
    const [first, last] = [healths[from] ?? healths[from - 1], healths.at(-1)];
    if (!first || !last) return tell('agent_stuck', 'connected, but no health message came', { device });
    known.health = last;
    const taken = (last.frames ?? 0) - (first.frames ?? 0);
    const results = (last.results ?? 0) - (first.results ?? 0);
    const seconds = last.uptime_s - first.uptime_s;
    const drops = differences(first.drops, last.drops);
    const lost = drops.reduce((sum, [, count]) => sum + count, 0);
    const why = explainDrops(drops.length > 0 ? drops : Object.entries(last.drops ?? {}));
    const window =
      seconds > 0
        ? `${results} results of ${taken} frames in ${seconds.toFixed(1)} s`
        : `last known ${last.fps ?? 0} results a second`;
    const values = {
      device,
      frames: taken,
      results,
      fps: last.fps,
      lost,
      total_ms: last.steps_ms?.total,
      uptime_s: last.uptime_s,
    };
    const what = `${window}${last.steps_ms?.total ? `, ${last.steps_ms.total.toFixed(0)} ms each` : ''}${lost > 0 ? `; lost: ${why}` : ''}`;
    if (seconds > 0 && taken === 0 && results === 0) {
      if (lost > 0) return tell('agent_stuck', what, values);
      const camera =
        last.camera && last.camera.state !== 'running' ? `: ${plain(last.camera.message ?? last.camera.state)}` : '';
      return tell('agent_no_pictures', `no picture in ${seconds.toFixed(1)} s${camera}`, values);
    }
    if (results === 0 && seconds > 0) return tell('agent_stuck', `${window}${why ? `; lost: ${why}` : ''}`, values);
    if (AWAY.includes(last.decision?.reason ?? '')) return tell('agent_local', what, values);
    tell(lost > taken / 10 ? 'agent_losing' : 'agent_ok', what, values);
  },
});

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** What grew between two counts, the most first. */
function differences(before: Record<string, number> = {}, after: Record<string, number> = {}): [string, number][] {
  return Object.entries(after)
    .map(([cause, count]): [string, number] => [cause, count - (before[cause] ?? 0)])
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
}
