import type { Topics } from '../../../protocol/topics.js';
import type { CameraFacts } from './facts.js';

export type Component = Readonly<Record<string, unknown>> & { p: string };

/** A device discovery message of Home Assistant, in its short keys. */
export interface DiscoveryDocument {
  dev: Readonly<Record<string, unknown>>;
  o: Readonly<Record<string, unknown>>;
  cmps: Record<string, Component>;
  [key: string]: unknown;
}

export interface DocumentOptions {
  topics: Topics;
  /** This edge's name: what it announces is there while it is. */
  worker: string;
  version: string;
}

/** Values that nobody renewed for so long are unavailable, s. */
export const EXPIRE_S = 120;
/** With more classes than this, each class's own count is off until somebody switches it on. */
const FEW_CLASSES = 12;

/** The device's name in Home Assistant: of all sites at one broker. 1 to 200 of A-Z a-z 0-9 _ -. */
export function deviceId({ base }: Topics, device: string): string {
  return `${base.replaceAll('/', '-')}_${device}`;
}

/** All that Home Assistant is told of one camera. */
export function discoveryDocument(facts: CameraFacts, { topics, worker, version }: DocumentOptions): DiscoveryDocument {
  const { device } = facts;
  const id = deviceId(topics, device);
  const online = "{{ 'online' if value_json.online else 'offline' }}";
  const edge = { t: topics.edgeStatus(worker), val_tpl: online };
  const cmps: Record<string, Component> = {};
  for (const [key, component] of Object.entries(components(facts, topics, edge))) {
    cmps[key] = { ...component, uniq_id: `${id}_${key}` };
  }
  return {
    dev: {
      ids: [id],
      name: device,
      mf: 'DeepCOD',
      mdl: facts.model ?? 'camera',
      ...(facts.service && { mdl_id: facts.service }),
      ...(facts.version && { sw: facts.version }),
    },
    o: { name: 'DeepCOD', sw: version },
    stat_t: topics.homeAssistant(device),
    avty: [edge, { t: topics.status(device), val_tpl: online }],
    avty_mode: 'all',
    cmps,
  };
}

/** What takes components away that the document no longer has. */
export function withdrawn(document: DiscoveryDocument, gone: Readonly<Record<string, Component>>): DiscoveryDocument {
  const empty = Object.entries(gone).map(([key, { p }]): [string, Component] => [key, { p }]);
  return { ...document, cmps: { ...document.cmps, ...Object.fromEntries(empty) } };
}

const value = (key: string): string => `{{ value_json.get('${key}') }}`;
const diagnostic = { ent_cat: 'diagnostic' };

function sensor(name: string, key: string, more: object = {}): Component {
  return { p: 'sensor', name, val_tpl: value(key), exp_aft: EXPIRE_S, ...more };
}

function components(
  { device, classes, choices, temperature, wifi, picture }: CameraFacts,
  topics: Topics,
  edge: object,
): Record<string, Component> {
  const all: Record<string, Component> = {
    occupancy: { p: 'binary_sensor', name: 'Occupancy', dev_cla: 'occupancy', val_tpl: value('occupied') },
    detections: sensor('Detections', 'detections', {
      ...{ stat_cla: 'measurement', ic: 'mdi:shape-square-plus' },
      ...{ json_attr_t: topics.homeAssistant(device), json_attr_tpl: '{{ value_json.n | tojson }}' },
    }),
    connectivity: {
      ...{ p: 'binary_sensor', name: 'Connection', dev_cla: 'connectivity', val_tpl: value('on') },
      // it must tell of an absent device, so it does not go with it
      ...{ avty: [edge], avty_mode: 'all', ...diagnostic },
    },
    problem: {
      ...{ p: 'binary_sensor', name: 'Problem', dev_cla: 'problem', val_tpl: value('problem'), ...diagnostic },
      json_attr_t: topics.homeAssistant(device),
      json_attr_tpl: "{{ {'message': value_json.get('message')} | tojson }}",
    },
    latency: sensor('Latency', 'latency_ms', { ...duration, ...diagnostic }),
    frame_size: sensor('Frame size', 'kb', { dev_cla: 'data_size', ...measured('kB'), ...diagnostic }),
    fps: sensor('Frame rate', 'fps', { ...measured('fps'), ic: 'mdi:speedometer', ...diagnostic }),
    partition: sensor('Partition point in use', 'partition', { ic: 'mdi:content-cut', ...diagnostic }),
    drops: sensor('Dropped frames', 'drops', { stat_cla: 'total_increasing', ic: 'mdi:image-broken', ...diagnostic }),
    version: {
      ...{ p: 'update', name: 'Software', tit: 'DeepCOD', val_tpl: value('version') },
      ...{ l_ver_t: topics.homeAssistant(device), l_ver_tpl: value('latest'), ...diagnostic },
    },
  };
  if (classes.some(({ label }) => label === 'head')) {
    all.no_helmet = { p: 'binary_sensor', name: 'No helmet', dev_cla: 'safety', val_tpl: value('bare_head') };
  }
  for (const { label, key } of classes) {
    all[`count_${key}`] = {
      ...sensor(`Count of ${label}`, '', { stat_cla: 'measurement', ic: 'mdi:counter' }),
      ...{ val_tpl: `{{ value_json.n['${key}'] | default(0) }}`, en: classes.length <= FEW_CLASSES },
    };
  }
  if (temperature) {
    all.temperature = sensor('Temperature', 'temperature_c', {
      ...{ dev_cla: 'temperature', ...measured('°C'), ...diagnostic },
    });
  }
  if (wifi) {
    all.wifi = sensor('Wi-Fi signal', 'wifi_dbm', { dev_cla: 'signal_strength', ...measured('dBm'), ...diagnostic });
  }
  if (picture) {
    all.picture = { p: 'image', name: 'Picture', img_t: topics.homeAssistantPicture(device), cont_type: 'image/jpeg' };
  }
  if (choices.length > 0) {
    all.choice = {
      ...{ p: 'select', name: 'Partition point', ops: choices, val_tpl: value('choice'), ent_cat: 'config' },
      ...{ cmd_t: topics.command(device, 'partition'), cmd_tpl: '{"partition": "{{ value }}"}', ic: 'mdi:content-cut' },
    };
  }
  for (const key of ['occupancy', 'no_helmet', 'problem']) if (all[key]) all[key] = { ...all[key], exp_aft: EXPIRE_S };
  return all;
}

const measured = (unit: string): object => ({ unit_of_meas: unit, stat_cla: 'measurement' });
const duration = { dev_cla: 'duration', ...measured('ms') };
