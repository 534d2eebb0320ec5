import type { Broker } from '../../../platform/mqtt.js';
import type { Topics } from '../../../protocol/topics.js';
import type { DetectionEvent } from '../../store/history/types.js';
import type { Site } from '../site.js';

/** Messages a second, at most; beginnings and ends come in any case. */
const RATE = 20;

/** Publishes events at `<base>/events`, in Frigate's words (docs/api.md). */
export function publishEvents(
  site: Pick<Site, 'onNews'>,
  broker: Pick<Broker, 'publish'>,
  topics: Topics,
  now: () => number = () => performance.now(),
): void {
  let since = Number.NEGATIVE_INFINITY;
  let sent = 0;
  site.onNews((news) => {
    if (news.kind !== 'event') return;
    if (now() - since >= 1000) {
      since = now();
      sent = 0;
    }
    if (sent >= RATE && news.type === 'update') return;
    sent++;
    const after = view(news.after);
    const before = news.before ? view(news.before) : after;
    broker.publish(topics.events(), JSON.stringify({ type: news.type, before, after }));
  });
}

/** An event in Frigate's keys: times in seconds, the box by its corners. */
function view({ id, camera, label, zones, started, ended, score, best_at, box, max_count, snapshot }: DetectionEvent) {
  const [x, y, width, height] = box;
  return {
    ...{ id, camera, label, sub_label: null, score, top_score: score, false_positive: false, stationary: false },
    frame_time: best_at / 1000,
    start_time: started / 1000,
    end_time: ended === undefined ? null : ended / 1000,
    box: [x, y, x + width, y + height],
    current_zones: zones,
    entered_zones: zones,
    has_snapshot: snapshot,
    has_clip: false,
    max_count,
  };
}
