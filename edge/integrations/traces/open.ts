import type { Log } from '../../../platform/log.js';
import type { EdgeConfig } from '../../config.schema.js';
import type { Edge } from '../../edge.js';

/** Traces answers, where that is wanted; loaded only then. @returns ends it */
export async function openTraces(
  { traces: { url, ratio }, worker }: Pick<EdgeConfig, 'traces' | 'worker'>,
  edge: Pick<Edge, 'onAnswer'>,
  log: Log,
): Promise<() => Promise<void>> {
  if (url === undefined) return async () => {};
  const { AnswerTraces } = await import('./traces.js');
  const traces = new AnswerTraces(url, ratio, worker, log.child('traces'));
  edge.onAnswer((event) => traces.answered(event));
  return () => traces.close();
}
