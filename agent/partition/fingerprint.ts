import { machine, versions } from '../../platform/versions.js';

/** Processor, threads and versions: measured times hold for these alone. @param threads of one inference; undefined: all */
export function machineFingerprint(threads: number | undefined): string {
  const { cpu, cores } = machine();
  const { deepcod, node, onnxruntime } = versions();
  return [cpu, cores, threads ?? 'all', deepcod, node, onnxruntime].join(' | ');
}

/** The same for one bundle. */
export function profileFingerprint(bundleId: string, threads: number | undefined): string {
  return `${bundleId} | ${machineFingerprint(threads)}`;
}
