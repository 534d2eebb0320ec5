import { writeAtomically } from '../rate/cache.js';

/** JSON with one line for each element of the lists named: thousands of rows that a person can still search. */
export function linesOf(report: Record<string, unknown>, lists: readonly string[]): string {
  const parts = Object.entries(report).map(([key, value]) => {
    const long = lists.includes(key) && Array.isArray(value) && value.length > 0;
    const text = long
      ? `[\n${(value as unknown[]).map((element) => ` ${JSON.stringify(element)}`).join(',\n')}\n]`
      : JSON.stringify(value, null, 1);
    return `${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${parts.join(',\n')}\n}\n`;
}

export const writeReport = (file: string, report: Record<string, unknown>): Promise<void> =>
  writeAtomically(file, linesOf(report, ['links', 'rows']));
