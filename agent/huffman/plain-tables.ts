import { checkLengths } from './canonical.js';
import { asArray, asInteger, asLengths, asObject, fail, formatLengths, MAX_RATES } from './json.js';
import type { CodeShape } from './shape.js';

/** The plain form's tables in memory: code lengths `[rate][channel][symbol]`. */
export type PlainLengths = Uint8Array[][];

/**
 * Reads the JSON of the plain form: `{"form":"plain","version":1,"channels":C,"levels":L,"lengths":[[string]]}`, where
 * `lengths[rate][channel]` holds L hexadecimal digits, the code length of each symbol.
 * @throws HuffmanError `tables`
 */
export function readPlainTables(tables: object, shape: CodeShape): PlainLengths {
  const json = asObject(tables, 'entropy tables');
  if (json.form !== 'plain') fail('form', 'must be "plain"');
  asInteger(json.version, 1, 1, 'version');
  asInteger(json.channels, shape.channels, shape.channels, 'channels');
  asInteger(json.levels, shape.levels, shape.levels, 'levels');
  return asArray(json.lengths, 1, MAX_RATES, 'lengths').map((perChannel, rate) =>
    asArray(perChannel, shape.channels, shape.channels, `lengths[${rate}]`).map((text, channel) => {
      const where = `lengths[${rate}][${channel}]`;
      const lengths = asLengths(text, shape.levels, where);
      checkLengths(lengths, where);
      return lengths;
    }),
  );
}

/** The JSON of {@link readPlainTables}. */
export function writePlainTables(lengths: PlainLengths): object {
  return {
    form: 'plain',
    version: 1,
    channels: lengths[0].length,
    levels: lengths[0][0].length,
    lengths: lengths.map((perChannel) => perChannel.map(formatLengths)),
  };
}

/**
 * The tables without repetition: the shortest prefix of the channels that, repeated, gives them all. Symbols cycle
 * through it, so that equal tables cost the cache once.
 */
export function shortestPeriod(perChannel: Uint8Array[]): Uint8Array[] {
  const count = perChannel.length;
  const same = (a: Uint8Array, b: Uint8Array) => a.every((length, i) => length === b[i]);
  for (let period = 1; period < count; period++) {
    if (count % period !== 0) continue;
    if (perChannel.every((table, i) => same(table, perChannel[i % period]))) return perChannel.slice(0, period);
  }
  return perChannel;
}
