import { writeAtomically } from '../rate/cache.js';

/** JSON with one line for each element of a list of objects: thousands of rows that a person can still search. */
export function linesOf(value: unknown, indent = ''): string {
  const inner = `${indent} `;
  if (Array.isArray(value) && value.some((element) => typeof element === 'object')) {
    return `[\n${value.map((element) => inner + JSON.stringify(element)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, part]) => `${inner}${JSON.stringify(key)}: ${linesOf(part, inner)}`);
  return parts.length > 0 ? `{\n${parts.join(',\n')}\n${indent}}` : '{}';
}

export const writeReport = (file: string, report: object): Promise<void> =>
  writeAtomically(file, `${linesOf(report)}\n`);
