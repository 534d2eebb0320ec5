/**
 * Whatever is lost, repeated, restarted or forged between an agent and an edge: symbols that the edge decodes are those
 * that the message holds, and each is one that the head of that very frame allowed.
 */
import { join } from 'node:path';
import t from 'tap';
import { pictureBuffers } from '../../agent/pipeline/buffers.js';
import { FrameEncoder } from '../../agent/pipeline/encode.js';
import type { Heads } from '../../agent/pipeline/head.js';
import { Matcher } from '../../agent/pipeline/match.js';
import { Preprocessor } from '../../agent/pipeline/preprocess.js';
import { References } from '../../agent/pipeline/references.js';
import { RemoteTrips } from '../../agent/pipeline/remote.js';
import { newTrip, type Trip } from '../../agent/pipeline/trip.js';
import { type EdgeBundle, openEdgeBundle } from '../../edge/worker/bundles.js';
import type { Route } from '../../edge/worker/route.js';
import { EdgeWorker } from '../../edge/worker/worker.js';
import { silentLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import { isFailure, Topics } from '../../protocol/index.js';
import { Random } from '../huffman/random.js';

const dir = join(packageRoot(), 'test/fixtures/tiny-context-bundle');
const FRAMES = 1200;
const LEVELS = 8;

/** An edge that remembers what it decoded last; one frame is in work at a time. */
function recordingEdge(
  bundle: EdgeBundle,
  publish: (text: string) => void,
  check: (key: string, out: Uint8Array) => void,
) {
  let last = new Uint8Array(0);
  const record = (route: Route): Route => ({
    ...route,
    decode(payload, rate, out) {
      route.decode(payload, rate, out);
      last = out.slice();
    },
    decodeInter(coded, reference, rate, out) {
      route.decodeInter?.(coded, reference, rate, out);
      last = out.slice();
    },
  });
  const worker = new EdgeWorker(
    {
      name: 'edge-1',
      topics: new Topics(),
      bundles: new Map([[bundle.id, { ...bundle, routes: bundle.routes.map(record) }]]),
      inference: { provider: 'cpu', threads: 1, maxLoaded: 4, maxBytes: 2 ** 30, batch: 1, parallel: 1 },
      queue: { depth: 64, devices: 100, bytes: 1e7, maxAgeMs: 60_000 },
      referenceBytes: 8000,
      publish: (to, text) => {
        if (to.device === 'yard') publish(text);
        return true;
      },
    },
    silentLog,
  );
  worker.onAnswer(({ answer, job }) => {
    if (job && !isFailure(answer)) check(`${job.frame.session}/${job.frame.frame}`, last);
  });
  return worker;
}

t.test('decoded symbols equal the sent ones over random losses, restarts and forgeries', async (t) => {
  const random = new Random(77);
  const bundle = await openEdgeBundle(dir);
  const { manifest } = bundle.bundle;
  const cells = 8 * 8 * 3;
  const truth = new Map<string, { symbols: Uint8Array; given: Uint8Array; alternates: Uint8Array }>();
  const messages: Uint8Array[] = [];
  const codings: Record<string, number> = {};
  let checked = 0;
  let held = 0;
  let session = 0;
  let matcher = new Matcher(session, bundle.id);
  let scene = random.bytes(cells).map((v) => v % LEVELS);

  const check = (key: string, out: Uint8Array): void => {
    checked++;
    const sent = truth.get(key);
    if (!sent || Buffer.compare(out, sent.symbols) !== 0) {
      t.fail(`${key}: other symbols than those sent`);
      return;
    }
    for (const [i, symbol] of out.entries()) {
      if (symbol === sent.given[i]) continue;
      held++;
      if (symbol !== sent.alternates[i]) t.fail(`${key}: symbol ${i} is none that the head gave`);
    }
  };
  const answer = (text: string): void => {
    if (random.next() > 0.03) matcher.arrive(Buffer.from(text));
  };
  let edge = recordingEdge(bundle, answer, check);
  const drops: Record<string, number> = {};
  const stop = async (): Promise<void> => {
    for (const [cause, n] of Object.entries(edge.stats().drops)) drops[cause] = (drops[cause] ?? 0) + n;
    await edge.close();
  };

  const preprocessor = new Preprocessor(manifest.input);
  const { width, height } = preprocessor.fit(32, 32);
  const picture = {
    ...{ data: new Uint8Array(width * height * 3), width, height, sourceWidth: 32, sourceHeight: 32 },
    ...{ capturedAt: 0, captureMs: 0 },
  };
  const start = (): RemoteTrips => {
    matcher = new Matcher(++session, bundle.id);
    const mine = session;
    // The head gives the scene with some symbols changed, and a neighbour as good for some.
    const run = async (_partition: number, _rate: number, input: Uint8Array) => {
      const symbols = scene.map((v) => (random.next() < 0.02 ? random.integer(0, LEVELS - 1) : v));
      const alternates = symbols.map((v) => (random.next() < 0.3 ? Math.min(LEVELS - 1, v + 1) : v));
      truth.set(`${mine}/${flying}`, { symbols, given: symbols.slice(), alternates });
      return { symbols, alternates, picture: input, runMs: 0 };
    };
    const encoder = new FrameEncoder(bundle.bundle, session);
    return new RemoteTrips({
      preprocessor,
      buffers: pictureBuffers(manifest.input),
      heads: { run, coloursFor: () => 'rgb' } as unknown as Heads,
      encoder,
      references: new References(1e9),
      matcher,
      home: { next: () => ({ certain: 'edge-1' }) },
      publish: (message) => {
        messages.push(message);
        if (random.next() < 0.03) return true; // lost on its way
        if (random.next() < 0.02) return false; // the socket does not take it
        edge.handle('deepcod/yard/frame', message);
        return true;
      },
      timeoutMs: 300,
    });
  };

  let trips = start();
  let flying = 0;
  let waiting: Promise<unknown>[] = [];
  let choice = { partition: 0, rate: 0 };
  for (let i = 0; i < FRAMES; i++) {
    const event = random.next();
    if (event < 0.005) {
      await Promise.all(waiting);
      await stop();
      edge = recordingEdge(bundle, answer, check);
    } else if (event < 0.02) {
      await Promise.all(waiting);
      trips = start();
      flying = 0; // frame numbers begin again
    } else if (event < 0.035) {
      choice = { partition: random.integer(0, 1), rate: random.integer(0, 1) };
    } else if (event < 0.055) {
      scene = random.bytes(cells).map((v) => v % LEVELS);
    } else if (event < 0.2 && messages.length > 0) {
      // An old message again, as it was, from this device or under another name.
      const old = messages[random.integer(Math.max(0, messages.length - 40), messages.length - 1)];
      edge.handle(`deepcod/${random.next() < 0.5 ? 'yard' : `other-${random.integer(0, 9)}`}/frame`, old);
    }
    const trip: Trip = newTrip(++flying, picture, performance.now());
    const id = manifest.partitions[choice.partition].id;
    const flight = trips.fly(trip, { ...choice, id, bytes: 0, accuracy: 1, deviceFlops: 0, edgeFlops: 0 }).then(() => {
      const how = `${trip.coding} ${trip.outcome}`;
      codings[how] = (codings[how] ?? 0) + 1;
    });
    waiting.push(flight);
    if (waiting.length >= 3) {
      await waiting[0];
      waiting = waiting.slice(1);
    }
  }
  await Promise.all(waiting);
  await stop();
  t.comment(JSON.stringify({ checked, held, codings, drops }));
  t.ok(checked > FRAMES * 0.8, `${checked} frames compared`);
  t.ok(held > 300, `${held} symbols were kept from the reference`);
  t.ok(codings['inter result'] > 0.25 * FRAMES, 'many were predicted');
  t.ok(codings['key result'] > 50);
  t.ok(drops.need_key_frame > 10, 'references were missing now and then');
  t.same(Object.keys(drops), ['need_key_frame'], 'and nothing else went wrong at the edge');
  t.notOk(
    Object.keys(codings).some((how) => how.endsWith('failed')),
    'nor here',
  );
  t.notOk(codings['inter refused'], 'a predicted frame that is refused is sent again');
});
