import { machine, versions } from '../../platform/versions.js';
import type { Colours } from '../pipeline/colours.js';

/** Processor, threads and versions: measured times hold for these alone. @param threads of one inference; undefined: all */
export function machineFingerprint(threads: number | undefined): string {
  const { cpu, cores } = machine();
  const { deepcod, node, onnxruntime } = versions();
  return [cpu, cores, threads ?? 'all', deepcod, node, onnxruntime].join(' | ');
}

/** The same for one bundle, and the colours in which the camera gives its pictures: other models read planes. */
export function profileFingerprint(bundleId: string, threads: number | undefined, colours: Colours): string {
  return `${bundleId} | ${colours} | ${machineFingerprint(threads)}`;
}
