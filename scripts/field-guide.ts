import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../platform/root.js';
import type { Meaning } from './commands/doctor/check.js';
import { allChecks } from './commands/doctor/checks/index.js';
import { common } from './commands/doctor/run.js';

export const FIELD_GUIDE = join(packageRoot(), 'docs', 'field-guide.md');

const BEGIN = '<!-- findings: written by npm run schemas -->';
const END = '<!-- end of findings -->';

/** The field guide with the table of findings as the checks word them. */
export function fieldGuide(): string {
  const text = readFileSync(FIELD_GUIDE, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${FIELD_GUIDE}: the marks of the findings are gone`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${tables()}\n${text.slice(end)}`;
}

function tables(): string {
  const sections = allChecks(undefined).map(({ name, title, findings }) => table(`\`${name}\`: ${title}`, findings));
  return [...sections, table('any check', common)].join('\n');
}

function table(heading: string, findings: Readonly<Record<string, Meaning>>): string {
  const rows = Object.entries(findings).map(([id, { status, symptom, means, todo }]) => {
    const cells = [`\`${id}\``, symptom ? `${status}: ${symptom}` : status, means, todo ?? ''];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [`**${heading}**`, '', '| finding | | what it means | what to do |', '|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}
