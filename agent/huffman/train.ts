/**
 * Makes entropy tables from training symbols. This is the one implementation; the Python toolkit calls it.
 *
 *     node dist/agent/huffman/train.js --symbols FILE.u8 --shape N,h,w,C --levels L [--rates FILE.u8] [--sequences FILE.u16] \
 *       --form plain|context --out entropy.json [--json]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { HuffmanError } from './errors.js';
import { trainContext } from './train/context/index.js';
import { countChannels } from './train/counts.js';
import { openTrainingData, TrainingDataError } from './train/input.js';
import { measure, measureInter } from './train/measure.js';
import { readSequences } from './train/pairs.js';
import { trainPlain } from './train/plain.js';

const USAGE = `usage: node dist/agent/huffman/train.js --symbols FILE --shape N,h,w,C --levels L --out FILE [options]
  --symbols FILE   N frames of h*w*C uint8 symbols, channels of a position together
  --shape N,h,w,C  frames, height, width, channels
  --levels L       symbols are 0..L-1
  --rates FILE     one byte per frame, its rate (default: all 0)
  --sequences FILE one little-endian uint16 per frame, the sequence it belongs to: adds tables that code a frame
                   against the one before it in its sequence (context form)
  --form FORM      plain (a table per channel) or context (default)
  --out FILE       the tables, JSON
  --json           print the report as JSON`;

class UsageError extends Error {}

function main(): void {
  const { values } = parseArgs({
    options: {
      symbols: { type: 'string' },
      shape: { type: 'string' },
      levels: { type: 'string' },
      rates: { type: 'string' },
      sequences: { type: 'string' },
      form: { type: 'string', default: 'context' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const need = (name: 'symbols' | 'shape' | 'levels' | 'out'): string => {
    const value = values[name];
    if (value === undefined) throw new UsageError(`--${name} is missing`);
    return value;
  };
  const numbers = need('shape').split(',').map(Number);
  if (numbers.length !== 4 || !numbers.every((n) => Number.isInteger(n) && n > 0)) {
    throw new UsageError(`--shape is ${values.shape}, expected N,h,w,C`);
  }
  const [frames, height, width, channels] = numbers;
  const shape = { height, width, channels, levels: Number(need('levels')) };
  if (values.form !== 'plain' && values.form !== 'context') {
    throw new UsageError(`--form is ${values.form}, allowed are plain and context`);
  }
  const data = openTrainingData(need('symbols'), shape, frames, values.rates);
  const counts = countChannels(data);
  const sequences = values.sequences === undefined ? undefined : readSequences(values.sequences, frames);
  if (sequences !== undefined && values.form === 'plain') throw new UsageError('--sequences needs --form context');
  const { tables, idealBits, interIdealBits } =
    values.form === 'plain'
      ? { tables: trainPlain(counts), idealBits: undefined, interIdealBits: undefined }
      : trainContext(data, counts, sequences, (line) => console.error(line));
  const text = `${JSON.stringify(tables)}\n`;
  writeFileSync(need('out'), text);
  const rates = measure(data, tables, counts, idealBits);
  if (sequences !== undefined && interIdealBits !== undefined) {
    measureInter(data, tables, sequences, interIdealBits, rates);
  }
  if (values.json) {
    console.log(JSON.stringify({ form: values.form, shape, frames, table_bytes: text.length, rates }, null, 2));
    return;
  }
  console.log(`${values.out}: ${values.form} form, ${text.length} bytes, from ${frames} frames`);
  console.table(rates.map(({ inter: _, ...row }) => readable(row)));
  const inter = rates.flatMap((row) => (row.inter === undefined ? [] : [readable({ rate: row.rate, ...row.inter })]));
  if (inter.length > 0) console.table(inter);
}

function readable(row: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, Number.isInteger(value) ? value : Number(value.toPrecision(5))]),
  );
}

try {
  main();
} catch (error) {
  const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  const isInput =
    error instanceof TrainingDataError ||
    error instanceof HuffmanError ||
    (error as { code?: string }).code === 'ENOENT';
  if (!isUsage && !isInput) throw error;
  console.error(`train: ${(error as Error).message}`);
  if (isUsage) console.error(USAGE);
  process.exitCode = 2;
}
