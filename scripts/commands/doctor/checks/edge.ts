import { setTimeout as pause } from 'node:timers/promises';
import { type EdgeStatus, parseStatus } from '../../../../protocol/status.js';
import { Topics } from '../../../../protocol/topics.js';
import { defineCheck } from '../check.js';

/** Retained messages come right after the subscription: so long is waited for the first, and for more; ms. */
const PATIENCE_MS = 2500;
const MORE_MS = 300;
/** An edge that is busier than this all the time falls behind. */
const BUSY = 0.9;

export const edgeCheck = defineCheck({
  name: 'edge',
  title: 'edge and its bundle',
  group: 'edge',
  timeoutMs: 5000,
  needs: ['config', 'client', 'permitted'],
  gives: ['edges', 'edge'],
  uses: ['bundle'],
  findings: {
    edge_ok: { status: 'pass', means: 'An edge is there and has this bundle.' },
    edge_missing: {
      status: 'failure',
      symptom: 'silent',
      means: 'No edge has ever announced itself below this base at the broker.',
      todo: 'Start it: `sudo systemctl start deepcod-edge` at the edge; `base` must be the same here and there (here {base}); the access list must let this device read {topic}.',
    },
    edge_offline: {
      status: 'failure',
      symptom: 'silent',
      means: 'The edge was there and is gone: stopped, or cut off from the broker.',
      todo: 'At the edge: `systemctl status deepcod-edge`, `journalctl -u deepcod-edge -n 50`.',
    },
    edge_without_bundle: {
      status: 'failure',
      symptom: 'silent',
      means: 'The edge is there, but has not this bundle: it answers every frame with "unknown bundle".',
      todo: 'Put the same folder at the edge (`bundles` in edge.yaml), or give this device the edge’s: `deepcod update`.',
    },
    edge_busy: {
      status: 'warning',
      symptom: 'slow',
      means: 'The edge computes nearly without a pause: frames wait there, or are dropped.',
      todo: 'Fewer pictures a second, another edge beside it, or a GPU; `deepcod explain` shows the waiting.',
    },
  },
  async run({ known, tell }) {
    const { config, client } = known as Required<typeof known>;
    const topics = new Topics(config.base);
    const topic = topics.filters.allEdgeStatus();
    const edges = new Map<string, EdgeStatus>();
    await client.subscribe(topic, (at, payload) => {
      const about = topics.parse(at);
      if (about?.kind !== 'edge-status') return;
      try {
        edges.set(about.worker, parseStatus(payload));
      } catch {
        // Of another version: it is there, and what it has is not known.
        edges.set(about.worker, { online: true });
      }
    });
    const start = performance.now();
    while (edges.size === 0 && performance.now() - start < PATIENCE_MS) await pause(20);
    await pause(MORE_MS);
    known.edges = edges;
    if (edges.size === 0) return tell('edge_missing', `none below ${config.base}/edge`, { base: config.base, topic });
    const online = [...edges].filter(([, status]) => status.online);
    if (online.length === 0) return tell('edge_offline', `${[...edges.keys()].join(', ')}: offline`);
    const { bundle } = known;
    const with_ = bundle ? online.filter(([, { bundles }]) => bundles?.some(({ id }) => id === bundle.id)) : online;
    if (with_.length === 0) {
      const has = online.flatMap(([, { bundles }]) => bundles?.map(({ name, id }) => `${name}/${id}`) ?? []);
      const what = `${online.map(([name]) => name).join(', ')} has ${has.join(', ') || 'none'}, not ${bundle?.manifest.service.name}/${bundle?.id}`;
      return tell('edge_without_bundle', what, { bundle: bundle?.id });
    }
    const [[worker, { load = 0, provider }]] = with_;
    known.edge = worker;
    const values = { worker, provider, load, edges: online.length };
    const busy = with_.every(([, status]) => (status.load ?? 0) > BUSY);
    const what = `${with_.map(([name]) => name).join(', ')}, ${provider ?? 'cpu'}, ${Math.round(load * 100)}% busy`;
    tell(busy ? 'edge_busy' : 'edge_ok', what, values);
  },
});
