#!/usr/bin/env node
/** `COMMAND | node dist/scripts/terminal-picture.js FILE.svg`: a picture of what a terminal showed, for docs/. */
import { writeFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { ExitCode } from '../platform/errors.js';
import { runMain, usageError } from '../platform/main.js';
import { parseOptionsAndNames, text } from '../platform/options.js';

const usage = `usage: script -qec "COMMAND" /dev/null | node dist/scripts/terminal-picture.js [options] FILE.svg

Draws what a terminal showed (colours, bold, dim) as SVG. Bytes are taken from standard input as they were printed.

  --title TEXT   above the picture, usually the command
  --help         this text

Exit codes: 0 done, 1 unexpected, 2 usage.`;

/** Pixels. */
const CHARACTER = 8.4;
const LINE = 18;
const MARGIN = 14;
const TITLE = 30;
const SIZE = 14;

const COLOURS: Record<number, string> = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341' };
const PLAIN = '#e6edf3';
const DIM = '#9aa4af';

interface Span {
  text: string;
  fill: string;
  bold: boolean;
}

runMain(usage, async (args) => {
  const { values, names } = parseOptionsAndNames(args, { title: text }, 1);
  const [file] = names;
  if (file === undefined) throw usageError('FILE.svg is missing');
  writeFileSync(file, picture(await readAll(process.stdin), values.title ?? ''));
  return ExitCode.ok;
});

/** @param output bytes of a terminal, with SGR sequences */
function picture(output: string, title: string): string {
  const lines = output
    .replaceAll('\r\n', '\n')
    .trimEnd()
    .split('\n')
    // A line that was wiped and written anew shows its last state.
    .map((line) => spans(line.slice(line.lastIndexOf('\r') + 1).replaceAll('\u001b[K', '')));
  const columns = Math.max(
    title.length + 4,
    ...lines.map((line) => line.reduce((sum, span) => sum + span.text.length, 0)),
  );
  const width = Math.ceil(columns * CHARACTER + 2 * MARGIN);
  const height = TITLE + lines.length * LINE + 2 * MARGIN;
  const rows = lines.map((line, i) => {
    const y = TITLE + MARGIN + (i + 0.75) * LINE;
    let at = 0;
    const parts = line.map(({ text, fill, bold }) => {
      const weight = bold ? ' font-weight="bold"' : '';
      // Wider gaps are left by placing what follows them: SVG takes several spaces as one.
      const words = [...text.matchAll(/\S+(?: \S+)*/g)].map(({ index, 0: word }) => {
        const x = MARGIN + (at + index) * CHARACTER;
        // Stated, so that columns stand below one another in any typeface.
        const length = `textLength="${(word.length * CHARACTER).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
        return `<text x="${x.toFixed(1)}" y="${y}" fill="${fill}"${weight} ${length}>${escaped(word)}</text>`;
      });
      at += text.length;
      return words.join('');
    });
    return parts.join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    `<rect width="${width}" height="${TITLE}" rx="8" fill="#21262d"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${SIZE}">`,
    `<text x="${MARGIN}" y="20" fill="${DIM}">${escaped(title && `$ ${title}`)}</text>`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function spans(line: string): Span[] {
  const found: Span[] = [];
  let [fill, bold] = [PLAIN, false];
  for (const part of line.split('\u001b[')) {
    const code = found.length === 0 && !line.startsWith('\u001b[') ? undefined : /^(\d+)m/.exec(part)?.[1];
    if (code !== undefined) {
      const number = Number(code);
      if (number === 0) [fill, bold] = [PLAIN, false];
      else if (number === 1) bold = true;
      else if (number === 2) fill = DIM;
      else fill = COLOURS[number] ?? fill;
    }
    const text = code === undefined ? part : part.slice(code.length + 1);
    found.push({ text, fill, bold });
  }
  return found;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
