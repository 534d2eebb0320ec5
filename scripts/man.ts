import { commands } from './commands/index.js';

/**
 * The manual page: every command with its usage, for devices without a network. Dates are left out: the page is compared
 * with what the code says.
 * @returns roff for man(1)
 */
export async function manPage(): Promise<string> {
  const names = Object.keys(commands).sort();
  const lines = [
    '.\\" Written by npm run schemas from the usage texts.',
    '.TH DEEPCOD 1 "" "deepcod" "User Commands"',
    '.SH NAME',
    'deepcod \\- what to do beside a running agent: measure, explain, diagnose, provision',
    '.SH SYNOPSIS',
    '.B deepcod',
    '.I COMMAND',
    '[options]',
    '.SH DESCRIPTION',
    'Deep compressive offloading for cameras: a device runs the first part of a network and sends a few kilobytes, an edge runs',
    'the rest. These commands look after devices. Each answers \\-\\-help.',
    '.SH COMMANDS',
  ];
  for (const name of names) lines.push('.TP', `.B ${roff(name)}`, roff(commands[name].summary));
  for (const name of names) {
    const { usage } = await commands[name].load();
    lines.push(
      `.SH DEEPCOD ${roff(name.toUpperCase())}`,
      '.nf',
      ...usage.split('\n').map((line) => roff(line.replace('./scripts/deepcod', 'deepcod'))),
      '.fi',
    );
  }
  lines.push(
    '.SH FILES',
    '.TP',
    '.I /etc/deepcod/agent.yaml',
    'configuration of the agent; docs/schemas/agent.schema.json describes every key',
    '.SH SEE ALSO',
    '.BR systemctl (1),',
    '.BR journalctl (1),',
    '.BR rpicam\\-hello (1)',
  );
  return `${lines.join('\n')}\n`;
}

/** Text as roff takes it: no line is a request, hyphens can be copied. */
function roff(line: string): string {
  const text = line.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('—', '\\(em').replaceAll('’', "'");
  return /^[.']/.test(text) ? `\\&${text}` : text;
}
