import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { type AgentConfig, loadAgentConfig } from '../config/config.js';
import { Refused } from './errors.js';

/**
 * What a signed release may change. Never how the device is reached (broker, device, base), what may be installed (update), or
 * where things lie on the disk: a wrong value there could not be undone from afar.
 */
export const CHANGEABLE = [
  'camera.fps',
  'partition',
  'rate',
  'accuracy_floor',
  'privacy.max_reveals',
  'in_flight',
  'timeout_ms',
  'key_interval_s',
  'fallback',
  'prices.ms_per_mj',
  'prices.ms_per_kb',
  'health.interval_s',
] as const;

type Tree = Record<string, unknown>;

/**
 * Checks a change before it is signed, as far as it can be without a device: keys and values.
 * @param change what a YAML file holds @throws DeepcodError `settings`, exit code 2
 */
export function checkSettings(change: unknown): Tree {
  const fail = (message: string) =>
    new DeepcodError('settings', message, 'docs/schemas/agent.schema.json describes every key.', ExitCode.usage);
  if (typeof change !== 'object' || change === null || Array.isArray(change)) throw fail('settings: keys and values');
  try {
    // Any bundle will do: it cannot be changed here.
    withSettings(loadAgentConfig({ overrides: { bundle: '.' } }), change as Tree);
  } catch (error) {
    throw error instanceof Refused ? fail(error.message) : error;
  }
  return change as Tree;
}

/**
 * A configuration with a release's settings in it.
 * @param base as agent.yaml says @param change nested keys of agent.yaml
 * @throws Refused `key_not_allowed`, `config_invalid`
 */
export function withSettings(base: AgentConfig, change: Tree): AgentConfig {
  const config = structuredClone(base) as unknown as Tree;
  for (const [path, value] of leavesOf(change)) {
    const key = path.join('.');
    if (!(CHANGEABLE as readonly string[]).includes(key)) {
      throw new Refused(
        'key_not_allowed',
        `${key} cannot be changed by a release; these can: ${CHANGEABLE.join(', ')}`,
      );
    }
    let at = config;
    for (const name of path.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Tree;
    }
    at[path[path.length - 1]] = value;
  }
  try {
    return loadAgentConfig({ overrides: config });
  } catch (error) {
    if (!(error instanceof DeepcodError)) throw error;
    throw new Refused('config_invalid', error.message.replaceAll('command line: ', ''));
  }
}

function* leavesOf(tree: Tree, path: string[] = []): Generator<[string[], unknown]> {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      yield* leavesOf(value as Tree, [...path, key]);
    else yield [[...path, key], value];
  }
}
