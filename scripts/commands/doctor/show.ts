import { type Finding, groups, type Status } from './check.js';
import { plain } from './drops.js';
import type { DoctorReport, Verdict } from './report.js';

/** Colours of a terminal, or none. */
export type Paint = (text: string, style: Style) => string;
type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

const CODES: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export const noPaint: Paint = (text) => text;
export const paint: Paint = (text, style) => `\u001b[${CODES[style]}m${text}\u001b[0m`;

/** Coloured on a terminal alone, and never where NO_COLOR is set (no-color.org). */
export function paintFor(stream: { isTTY?: boolean }, variables: NodeJS.ProcessEnv): Paint {
  return stream.isTTY && !variables.NO_COLOR && variables.TERM !== 'dumb' ? paint : noPaint;
}

const MARKS: Record<Status, { mark: string; style: Style }> = {
  pass: { mark: 'ok', style: 'green' },
  warning: { mark: 'warn', style: 'yellow' },
  failure: { mark: 'FAIL', style: 'red' },
  skipped: { mark: 'skip', style: 'dim' },
};

/** Columns before a finding's words: mark, name. */
const MARK = 6;
const NAME = 15;
const INDENT = 2 + MARK + NAME;

/** The report for people. @param width columns of the terminal */
export function showReport(report: DoctorReport, color: Paint, width = 80): string {
  const wide = Math.max(60, Math.min(width, 120));
  const sections = groups.flatMap((group) => {
    const findings = report.findings.filter((finding) => finding.group === group);
    if (findings.length === 0) return [];
    return [color(group, 'bold'), ...findings.flatMap((finding) => show(finding, color, wide)), ''];
  });
  return [...sections, ...showVerdict(report.verdict, color, wide), ...summary(report)].join('\n');
}

function show(finding: Finding, color: Paint, width: number): string[] {
  const { mark, style } = MARKS[finding.status];
  const [first, ...rest] = wrap(plainLines(finding.what), width - INDENT);
  const lines = [`  ${color(mark.padEnd(MARK), style)}${finding.check.padEnd(NAME)}${first ?? ''}`];
  const add = (text: string, style?: Style) => lines.push(`${' '.repeat(INDENT)}${style ? color(text, style) : text}`);
  for (const line of rest) add(line);
  if (finding.status === 'pass') return lines;
  if (finding.means) for (const line of wrap(finding.means, width - INDENT)) add(line, 'dim');
  if (finding.todo) {
    const [first, ...more] = wrap(plainLines(finding.todo), width - INDENT - 3);
    add(`-> ${first}`);
    for (const line of more) add(`   ${line}`);
  }
  return lines;
}

/** Line breaks of an error's list stay; other control characters must not steer the terminal. */
const plainLines = (text: string): string => text.split('\n').map(plain).join('\n');

function showVerdict(verdicts: readonly Verdict[], color: Paint, width: number): string[] {
  return verdicts.flatMap(({ symptom, status, because, todo }) => {
    const word = status === 'failure' ? `${symptom.toUpperCase()} because` : `may be ${symptom}:`;
    const lines = wrap(`${word} ${plain(because)}`, width).map((line) =>
      color(line, status === 'failure' ? 'red' : 'yellow'),
    );
    return todo && status === 'failure' ? [...lines, ...wrap(`-> ${plainLines(todo)}`, width)] : lines;
  });
}

function summary({ counts, verdict, seconds }: DoctorReport): string[] {
  const { pass, warning, failure, skipped } = counts;
  const all = `${failure} failed, ${warning} warnings, ${pass} passed, ${skipped} skipped, in ${seconds.toFixed(1)} s`;
  const isFine = verdict.length === 0 && failure === 0;
  return isFine ? ['Nothing found that makes it slow, blind or silent.', all] : [all];
}

/** Breaks text at spaces; its own line breaks stay. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > width) {
        lines.push(current);
        current = word;
      } else {
        current = current === '' ? word : `${current} ${word}`;
      }
    }
    return [...lines, current];
  });
}

/** A line on a terminal that says what is at work; it goes away by itself. */
export class ProgressLine {
  #shown = false;

  constructor(readonly stream: NodeJS.WriteStream) {}

  show(running: readonly string[], done: number, all: number): void {
    if (!this.stream.isTTY) return;
    const columns = this.stream.columns ?? 80;
    this.stream.write(`\r\u001b[K${`${done}/${all}  ${running.join(', ')} ...`.slice(0, columns - 1)}`);
    this.#shown = true;
  }

  end(): void {
    if (this.#shown) this.stream.write('\r\u001b[K');
  }
}
