import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from './root.js';

export interface Versions {
  deepcod: string;
  node: string;
  onnxruntime: string;
}

let known: Versions | undefined;

/** Versions of what matters when two machines disagree; read once. */
export function versions(): Versions & Record<string, string> {
  const version = (file: string): string => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  known ??= {
    deepcod: version(join(packageRoot(), 'package.json')),
    node: process.versions.node,
    onnxruntime: version(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
  };
  return { ...known };
}

/** The machine that a measurement was made on. */
export function machine(): { cpu: string; cores: number; memory_gib: number; os: string; arch: string } {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memory_gib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    os: `${process.platform} ${release()}`,
    arch: process.arch,
  };
}
