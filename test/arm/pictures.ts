/** Draws frames of the simulated camera, for both processors to work on: `node dist/test/arm/pictures.js COUNT FILE`. */
import { writeFileSync } from 'node:fs';
import { Scene } from '../../agent/camera/simulated/scene.js';
import { DEFAULT_SEED, drawFrame } from '../../agent/camera/simulated.js';
import { openBundle } from '../../platform/bundle.js';
import { defaultBundle } from '../../platform/root.js';

/** Frames between two of them: people have moved. */
const APART = 40;

const [count, file] = process.argv.slice(2);
const { width, height } = (await openBundle(defaultBundle())).manifest.input;
const scene = new Scene(DEFAULT_SEED);
const pictures: Uint8Array[] = [];
for (let i = 0; i < Number(count); i++) {
  pictures.push((await drawFrame(scene, DEFAULT_SEED, i * APART, { width, height })).data);
}
writeFileSync(file, Buffer.concat(pictures));
