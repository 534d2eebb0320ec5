import type { ConfigSources } from './config.js';
import { createLog, type Log, type LogLevel } from './log.js';

/**
 * How a program with a configuration begins: reads it, opens the log that it asks for, and tells the log what was odd.
 * @param name the log's @param load reads the configuration, with these beside its own sources
 */
export function configured<C extends { log: { level: LogLevel } }>(
  name: string,
  load: (sources: Pick<ConfigSources, 'env' | 'warn'>) => C,
): { config: C; log: Log } {
  const warnings: string[] = [];
  const config = load({ env: process.env, warn: (warning) => warnings.push(warning) });
  const log = createLog(name, config.log.level);
  for (const warning of warnings) log.warn(warning);
  return { config, log };
}
