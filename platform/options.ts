import { type ParseArgsConfig, parseArgs } from 'node:util';
import { usageError } from './main.js';
import { didYouMean } from './suggest.js';

/** Kinds of options: `--name VALUE`, the same but may be repeated, and `--name` alone. */
export const text = { type: 'string' } as const;
export const texts = { type: 'string', multiple: true } as const;
export const flag = { type: 'boolean' } as const;

/**
 * Reads a command's options. `--help` is none of them: `runMain` answers it.
 * @param args without the program's name
 * @param options by name: {@link text}, {@link texts} or {@link flag}
 * @returns what was given, by name
 * @throws DeepcodError `usage` with a suggestion for an option that is none of these; TypeError of parseArgs for a value
 *   that is missing or too many, which `runMain` answers in the same way
 */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  return parseOptionsAndNames(args, options, 0).values;
}

/**
 * The same for a command that also takes words without `--`.
 * @param most how many of these at most
 * @throws DeepcodError `usage`, TypeError as above
 */
export function parseOptionsAndNames<T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
  most: number,
) {
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name && !Object.hasOwn(options, name)) {
      throw usageError(`--${name}: unknown option; ${didYouMean(name, [...Object.keys(options), 'help'])}`);
    }
  }
  const { values, positionals: names } = parseArgs({ args: [...args], options, allowPositionals: most > 0 });
  if (names.length > most) throw usageError(`${names[most]}: what is this? At most ${most} can be named`);
  return { values, names };
}

/**
 * The number that an option holds.
 * @param whole without a fraction
 * @returns undefined where the option was not given
 * @throws DeepcodError `usage`
 */
export function numberOption(
  name: string,
  written: string | undefined,
  least: number,
  most: number,
  whole = true,
): number | undefined {
  if (written === undefined) return undefined;
  const value = Number(written);
  const fits = written.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits)
    throw usageError(`--${name} ${written}: ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`);
  return value;
}
