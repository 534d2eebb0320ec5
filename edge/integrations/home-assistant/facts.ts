import type { LiveDevice } from '../../store/live.js';
import type { EdgeBundle } from '../../worker/bundles.js';
import { systemOf } from '../system.js';

/** What decides which entities a camera has. Changes seldom. */
export interface CameraFacts {
  device: string;
  /** Of its bundle; empty while nobody knows it. */
  service: string;
  /** Classes with the key that stands for each in topics and templates. */
  classes: readonly { label: string; key: string }[];
  /** Where its network may be cut; empty where it takes no commands. */
  choices: readonly string[];
  version?: string;
  model?: string;
  temperature: boolean;
  wifi: boolean;
  picture: boolean;
}

/** Classes that get an entity, at most. */
const CLASSES = 100;

/** What is known of a camera; what was seen once stays, so that an entity does not come and go. */
export function factsOf(
  device: LiveDevice,
  bundles: ReadonlyMap<string, EdgeBundle>,
  before: CameraFacts | undefined,
  picture: boolean,
): CameraFacts {
  const { name, health, status } = device;
  const bundle = bundles.get((health?.bundle ?? status?.bundle)?.id ?? '');
  const { service, partitions, pictures } = bundle?.bundle.manifest ?? {};
  const system = systemOf(device);
  const points = partitions?.map(({ id }) => id) ?? [];
  const choices = ['auto', ...points, ...(pictures ? ['jpeg'] : []), 'raw', 'device'];
  return {
    device: name,
    service: service?.name ?? before?.service ?? '',
    classes: service ? keyed(service.classes.slice(0, CLASSES)) : (before?.classes ?? []),
    choices: status?.commands && points.length > 0 ? choices : [],
    version: (health?.versions ?? status?.versions)?.deepcod ?? before?.version,
    model: system?.model ?? before?.model,
    temperature: (before?.temperature ?? false) || system?.temperature_c !== undefined,
    wifi: (before?.wifi ?? false) || system?.wifi !== undefined,
    picture,
  };
}

/** Keys of a-z 0-9 _, each once: labels go into templates, where a quote would end a string. */
export function keyed(labels: readonly string[]): { label: string; key: string }[] {
  const taken = new Set<string>();
  return labels.map((label, i) => {
    const plain = label
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '');
    const key = plain === '' || taken.has(plain) ? `${plain}_${i}`.replace(/^_/, 'class_') : plain;
    taken.add(key);
    return { label, key };
  });
}
