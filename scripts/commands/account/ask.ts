import { createInterface } from 'node:readline';
import { usageError } from '../../../platform/main.js';

/**
 * Asks for a new password: twice and unseen at a terminal, else the first line of standard input.
 * @throws DeepcodError `usage` when the two differ, or there is none
 */
export async function askPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const password = await unseen(`Password for ${name}: `);
  if ((await unseen('Again: ')) !== password) throw usageError('The two passwords differ.');
  return password;
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  throw usageError('No password on standard input.');
}

function unseen(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  stdin.setRawMode(true).resume().setEncoding('utf8');
  let typed = '';
  return new Promise((resolve, reject) => {
    const done = (): void => {
      stdin.setRawMode(false).pause().off('data', onData);
      stderr.write('\n');
    };
    const onData = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n') {
          done();
          resolve(typed);
          return;
        }
        if (character === '\u0003' || character === '\u0004') {
          done();
          reject(usageError('Stopped; nothing was changed.'));
          return;
        }
        typed = character === '\u007f' || character === '\b' ? [...typed].slice(0, -1).join('') : typed + character;
      }
    };
    stdin.on('data', onData);
  });
}
