/** The default bundle's models that read planes: held against those that read RGB, and taken by an agent's trips. */
import { basename } from 'node:path';
import t from 'tap';
import { openCamera, type Picture } from '../../agent/camera/index.js';
import { rgbOf } from '../../agent/camera/yuv.js';
import type { Choice } from '../../agent/partition/choices.js';
import { pictureBuffers } from '../../agent/pipeline/buffers.js';
import { type Colours, pictureBytes } from '../../agent/pipeline/colours.js';
import { FrameEncoder } from '../../agent/pipeline/encode.js';
import { Heads } from '../../agent/pipeline/head.js';
import { LocalService } from '../../agent/pipeline/local.js';
import { Matcher } from '../../agent/pipeline/match.js';
import { Models } from '../../agent/pipeline/models.js';
import { DeviceTrips } from '../../agent/pipeline/on-device.js';
import { Preprocessor } from '../../agent/pipeline/preprocess.js';
import { References } from '../../agent/pipeline/references.js';
import { RemoteTrips } from '../../agent/pipeline/remote.js';
import { newTrip } from '../../agent/pipeline/trip.js';
import { planesOf } from '../../bench/detect/planes.js';
import { openBundle } from '../../platform/bundle.js';
import { defaultBundle } from '../../platform/root.js';

/** Symbols that differ between the two, at most: rounding to RGB moves a value over the edge between two symbols. */
const SHARE = 0.02;

const taken: string[] = [];
const models = new (class extends Models {
  override get(file: string) {
    taken.push(basename(file));
    return super.get(file);
  }
})(1);
t.teardown(() => models.close());

const bundle = await openBundle(defaultBundle());
const { input, partitions } = bundle.manifest;
const preprocessor = new Preprocessor(input);
const heads = new Heads(bundle, 1, models);
const service = new LocalService(bundle, 1, models);
const camera = await openCamera({ source: 'simulated', frames: 1, seed: 3 }, preprocessor.fit);
const picture = planesOf((await camera.next(new AbortController().signal)) as Picture);
await camera.close();
const rgb: Picture = { ...picture, data: rgbOf(picture), yuv: undefined };

const placed = (colours: Colours): Uint8Array => {
  const out = new Uint8Array(pictureBytes(input, colours));
  preprocessor.place(picture, out, colours);
  return out;
};

t.test('symbols are those of the picture as RGB, but for rounding', async (t) => {
  for (const [index, { id, code }] of partitions.entries()) {
    t.equal(heads.coloursFor(index, 'yuv'), 'yuv');
    t.equal(heads.coloursFor(index, 'rgb'), 'rgb');
    const [wanted, found] = [await heads.run(index, 0, placed('rgb')), await heads.run(index, 0, placed('yuv'), 'yuv')];
    const busy = wanted.symbols.filter((symbol) => symbol !== code.levels >> 1).length;
    const far = wanted.symbols.map((symbol, i) => Math.abs(symbol - found.symbols[i]));
    const differ = far.filter((distance) => distance > 0).length;
    t.ok(differ < SHARE * busy, `${id}: ${differ} differ; ${busy} of ${far.length} are not the middle one`);
    t.ok(
      far.every((distance) => distance <= 1),
      'to the neighbour',
    );
  }
});

t.test('the service finds the same', async (t) => {
  const source = { width: picture.sourceWidth, height: picture.sourceHeight };
  const wanted = (await service.run(placed('rgb'), source)).detections;
  const found = (await service.run(placed('yuv'), source, 'yuv')).detections;
  t.ok(wanted.length > 0);
  t.equal(found.length, wanted.length);
  for (const [i, { box, class: kind, score }] of wanted.entries()) {
    t.equal(found[i].class, kind);
    t.ok(Math.abs(found[i].score - score) < 0.03);
    t.ok(box.every((side, at) => Math.abs(side - found[i].box[at]) < 3));
  }
});

const choice = (id: string, partition: number): Choice => ({
  ...{ id, partition, rate: 0, bytes: 0, accuracy: 1, deviceFlops: 0, edgeFlops: 0 },
});

t.test('trips take the model that reads what the camera gave', async (t) => {
  const buffers = pictureBuffers(input);
  const remote = new RemoteTrips({
    ...{ preprocessor, buffers, heads, encoder: new FrameEncoder(bundle, 1), references: new References(1000) },
    ...{ matcher: new Matcher(1, bundle.id), home: { next: () => ({}) }, publish: () => false, timeoutMs: 1000 },
  });
  const device = new DeviceTrips(preprocessor, buffers, service);
  const flights: [string, string, () => Promise<unknown>][] = [
    ['input.head.yuv.onnx', 'input.head.onnx', () => remote.fly(trip(), choice('input', 0))],
    ['service.yuv.onnx', 'service.onnx', () => device.fly(trip())],
  ];
  let given = picture;
  const trip = () => newTrip(1, given, performance.now());
  for (const [ofPlanes, ofRgb, fly] of flights) {
    for (const [from, model] of [
      [picture, ofPlanes],
      [rgb, ofRgb],
    ] as const) {
      given = from;
      taken.length = 0;
      await fly();
      t.same(taken, [model]);
    }
  }
  given = picture;
  taken.length = 0;
  await remote.fly(trip(), choice('raw', -1));
  t.same(taken, [], 'pixels that are sent as they are');
});
