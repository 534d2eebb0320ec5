import type { Metrics } from '../../../platform/metrics/registry.js';
import { type EdgeMetricsConfig, metricsToken } from './config.js';
import type { MetricsParts } from './edge-metrics.js';

export type { EdgeMetricsConfig } from './config.js';

/**
 * The edge's metrics, and the token that guards them. Loaded only where they are wanted.
 * @throws DeepcodError `secret_unreadable`, `config_invalid` (exit code 2)
 */
export async function openMetrics(
  config: EdgeMetricsConfig,
  parts: MetricsParts,
): Promise<{ metrics: Metrics; token?: string }> {
  const token = metricsToken(config);
  const { edgeMetrics } = await import('./edge-metrics.js');
  return { metrics: edgeMetrics(parts), token };
}
