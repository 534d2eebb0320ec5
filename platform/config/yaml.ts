import { readFileSync } from 'node:fs';
import { isMap, isPair, LineCounter, parseDocument } from 'yaml';
import { DeepcodError, ExitCode } from '../errors.js';
import type { ConfigPath } from './schema.js';

/** A YAML file's value, and the line on which each key stands. */
export interface YamlFile {
  value: unknown;
  lineOf(path: ConfigPath): number | undefined;
}

/** @throws DeepcodError `config_missing`, `config_unreadable`, `config_syntax` */
export function readYaml(file: string): YamlFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DeepcodError(
      missing ? 'config_missing' : 'config_unreadable',
      `${file}: ${missing ? 'no such configuration file' : `cannot be read: ${(error as Error).message}`}`,
      'Give the path of a YAML file with --config; config/ has commented examples.',
      ExitCode.usage,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    const report = document.errors.map((error) => `${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
    throw new DeepcodError('config_syntax', report.join('\n'), 'The file is no valid YAML.', ExitCode.usage);
  }
  return {
    value: document.toJS() ?? {},
    lineOf(path) {
      for (let depth = path.length; depth > 0; depth--) {
        const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
        if (!isMap(parent)) continue;
        const pair = parent.items.find((item) => isPair(item) && String(item.key) === String(path[depth - 1]));
        const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range;
        if (range) return lines.linePos(range[0]).line;
      }
      return undefined;
    },
  };
}
