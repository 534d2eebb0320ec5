import { usageError } from '../../../platform/main.js';

/**
 * The kernel's command line with these words, each in the place of one with the same name, or at the end.
 * @param text cmdline.txt, which must be one line
 * @returns one line and a line break; the same again for what it returned
 * @throws DeepcodError `usage`
 */
export function withWords(text: string, words: string[]): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length !== 1 || !/(^| )root=/.test(lines[0])) {
    throw usageError(
      "cmdline.txt: not the one line with root= that a Raspberry Pi starts with: is this a card's boot partition?",
    );
  }
  const result = lines[0].trim().split(/ +/);
  const nameOf = (word: string) => word.split('=')[0];
  for (const word of words) {
    const at = result.findIndex((one) => nameOf(one) === nameOf(word));
    if (at < 0) result.push(word);
    else result[at] = word;
  }
  return `${result.join(' ')}\n`;
}
