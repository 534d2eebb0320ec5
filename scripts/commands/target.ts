import { type AgentConfig, loadAgentConfig } from '../../agent/config/config.js';
import { configured } from '../../platform/configured.js';
import { usageError } from '../../platform/main.js';
import { defaultBundle } from '../../platform/root.js';
import { isDeviceName } from '../../protocol/topics.js';

/** Options of a command that asks a device through the broker. */
export interface TargetOptions {
  config?: string;
  broker?: string;
  base?: string;
}

/**
 * Where a command looks, and for which device.
 * @param command its name @param name as typed
 * @returns device: undefined where neither a name nor a configuration says which
 * @throws DeepcodError `usage`, `config_*` (exit code 2)
 */
export function targetOf(
  command: string,
  { config: file, broker, base }: TargetOptions,
  name: string | undefined,
): { config: AgentConfig; device: string | undefined } {
  const { config } = configured(command, (sources) =>
    loadAgentConfig({
      ...sources,
      file,
      overrides: {
        // Which bundle does not matter here, but a configuration without one is none.
        ...(file === undefined && { bundle: defaultBundle() }),
        ...(broker !== undefined && { broker: { url: broker } }),
        ...(base !== undefined && { base }),
      },
    }),
  );
  const device = name ?? (file === undefined ? undefined : config.device);
  if (device !== undefined && !isDeviceName(device)) {
    throw usageError(`${device}: 1 to 64 of A-Z a-z 0-9 _ -, and not "edge"`);
  }
  return { config, device };
}
