import { setTimeout as pause } from 'node:timers/promises';
import { isFailure, parseResult, type ResultMessage } from '../../../../protocol/result.js';
import { Topics } from '../../../../protocol/topics.js';
import { defineCheck } from '../check.js';

const PATIENCE_MS = 4000;
const ATTEMPTS = 2;

export const tripCheck = defineCheck({
  name: 'trip',
  title: 'a test frame to the edge',
  group: 'edge',
  timeoutMs: 10_000,
  needs: ['config', 'client', 'permitted', 'edge', 'testFrame'],
  uses: ['status'],
  after: ['link'],
  findings: {
    trip_ok: { status: 'pass', means: 'A grey test picture went to the edge, and its result came back.' },
    trip_slow: {
      status: 'warning',
      symptom: 'slow',
      means:
        'The result of a test frame took longer than the agent waits for one (timeout_ms): such frames count as lost.',
      todo: 'See link and edge here; `deepcod explain` shows what the agent reckons with.',
    },
    trip_refused: {
      status: 'failure',
      symptom: 'silent',
      means: 'The edge answered the test frame with an error.',
      todo: 'The edge’s words say what; versions of device and edge should be the same: `deepcod --help`, `journalctl -u deepcod-edge -n 50`.',
    },
    trip_lost: {
      status: 'failure',
      symptom: 'silent',
      means: 'No result of a test frame came back, though edge and broker are there.',
      todo: 'May this device write {frame}, and the edge write {result}? Look at the edge: `journalctl -u deepcod-edge -n 50`.',
    },
  },
  async run({ known, tell, skip, signal }) {
    const { config, client, testFrame } = known as Required<typeof known>;
    // Its own frames prove as much, and ours would be told apart by nobody.
    if (known.status?.online) return skip('the agent is running: its own results are looked at instead');
    const topics = new Topics(config.base);
    const values = { frame: topics.frame(config.device), result: topics.result(config.device) };
    let answer: ResultMessage | undefined;
    await client.subscribe(values.result, (_, payload) => {
      try {
        const message = parseResult(payload);
        if (message.session === testFrame.session) answer = message;
      } catch {
        // Somebody else's.
      }
    });
    let ms = Number.POSITIVE_INFINITY;
    const isGood = () => answer !== undefined && !isFailure(answer) && ms <= config.timeout_ms;
    // An edge that loads the tail for its first frame answers that one late, or lets it go.
    for (let attempt = 0; attempt < ATTEMPTS && !isGood(); attempt++) {
      answer = undefined;
      const start = performance.now();
      client.send(values.frame, testFrame.message, values.result);
      while (!answer && performance.now() - start < PATIENCE_MS) await pause(5, undefined, { signal });
      ms = performance.now() - start;
    }
    if (!answer) return tell('trip_lost', `no result of ${ATTEMPTS} within ${PATIENCE_MS / 1000} s each`, values);
    if (isFailure(answer))
      return tell('trip_refused', `${answer.worker}: ${answer.error.code}: ${answer.error.message}`, {
        code: answer.error.code,
      });
    const edge = answer.edge_ms.total;
    const what = `${testFrame.message.length} bytes, ${ms.toFixed(0)} ms, ${edge.toFixed(0)} of them at ${answer.worker}`;
    const times = { ms: Math.round(ms), edge_ms: Math.round(edge), bytes: testFrame.message.length };
    tell(ms > config.timeout_ms ? 'trip_slow' : 'trip_ok', what, times);
  },
});
