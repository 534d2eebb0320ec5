/** Holds what two processors made against each other: `node dist/test/arm/compare.js A B`; exit code 1 where anything differs. */
import { readFileSync } from 'node:fs';
import type { Made } from './symbols.js';

interface File {
  processor: string;
  made: Made[];
}

/** Largest number of bytes of one element. */
const VALUE_BYTES = 4;

const [a, b] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')) as File);
const key = ({ point, what, rate, picture }: Made) => `${point} ${what} ${rate} ${picture}`;
const others = new Map(b.made.map((made) => [key(made), made]));
const counts = new Map<string, { all: number; differ: number; runs: number }>();
let missing = Math.abs(a.made.length - b.made.length);
for (const made of a.made) {
  const name = `${made.point}: ${made.what}`;
  const count = counts.get(name) ?? { all: 0, differ: 0, runs: 0 };
  counts.set(name, count);
  const [x, y] = [made, others.get(key(made))].map((one) => Buffer.from(one?.base64 ?? '', 'base64'));
  if (x.length === 0 || x.length !== y.length) missing++;
  const size = made.what === 'values' ? VALUE_BYTES : 1;
  for (let i = 0; i < x.length; i += size) {
    if (x.compare(y, i, i + size, i, i + size) !== 0) count.differ++;
  }
  count.all += x.length / size;
  count.runs++;
}
for (const [name, { all, differ, runs }] of counts) {
  console.log(`${a.processor} and ${b.processor}, ${name}: ${differ} of ${all} differ (${runs} runs)`);
}
if (missing > 0) console.log(`${missing} results of one have no like of the other`);
const same = missing === 0 && counts.size > 0 && [...counts.values()].every(({ differ }) => differ === 0);
process.exitCode = same && a.processor !== b.processor ? 0 : 1;
