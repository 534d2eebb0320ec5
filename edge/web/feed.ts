import { ProtocolError } from '../../protocol/errors.js';
import { Coding, codingWords } from '../../protocol/frame.js';
import { parseHealth } from '../../protocol/health.js';
import { isFailure, parseResult, type ResultMessage } from '../../protocol/result.js';
import { parseStatus } from '../../protocol/status.js';
import type { Edge } from '../edge.js';
import type { Site } from '../rules/site.js';
import type { LiveStore } from '../store/live.js';
import type { Job } from '../worker/job.js';
import type { AnsweredFrame } from '../worker/replies.js';
import { SnapshotMaker } from './snapshots.js';

/**
 * Feeds a store, and a site where there is one: with what this edge answers, and with what devices and other edges say at the broker. Messages that do
 * not parse are left to those whom they concern.
 */
export function feedStore(store: LiveStore, edge: Edge, site?: Site): void {
  const snapshots = new SnapshotMaker(store);
  const own = new Set<string>();
  const take = (device: string, answer: ResultMessage, bytes?: number): void => {
    const located = site?.locate(device, answer) ?? answer;
    const isNew = store.onResult(device, located, bytes);
    if (isNew) site?.onAnswer(device, located, bytes, store.device(device)?.decision);
  };
  if (site) {
    store.onPair((device, shown) => site.onShown(device, shown));
    store.onForgotten((device) => site.onRemoved(device));
  }
  edge.onAnswer(({ device, answer, job }: AnsweredFrame) => {
    own.add(answer.worker);
    if (job) {
      const { frame, route, bytes } = job;
      store.onFrame(device, { ...frame, partition: route.partition, bytes, coding: codingWords[frame.coding] });
    }
    take(device, answer, job?.bytes);
    if (job) offerPicture(snapshots, device, job, isFailure(answer));
  });
  const { topics, link } = edge;
  const listen = (filter: string, handle: (name: string, payload: Uint8Array) => void, qos: 0 | 1 = 0): void => {
    const onMessage = (topic: string, payload: Buffer): void => {
      const parsed = topics.parse(topic);
      if (!parsed) return;
      try {
        handle(parsed.kind === 'edge-status' ? parsed.worker : parsed.device, payload);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    };
    link.broker.subscribe(filter, onMessage, qos);
  };
  listen(topics.filters.allHealth(), (device, payload) => {
    const health = parseHealth(payload);
    store.onHealth(device, health);
    site?.onHealth(device, health);
  });
  listen(topics.filters.allStatus(), (device, payload) => {
    // whoever clears what the broker keeps of a device takes it away
    if (payload.length === 0) store.forget(device);
    else store.onStatus(device, parseStatus(payload));
  });
  listen(topics.filters.allEdgeStatus(), (worker, payload) => store.onEdgeStatus(worker, parseStatus(payload)));
  // answers of other edges, and of devices that answer themselves: those were acknowledged to them, so none may be left out
  const onResult = (device: string, payload: Uint8Array): void => {
    const answer = parseResult(payload);
    if (!own.has(answer.worker)) take(device, answer);
  };
  listen(topics.filters.allResults(), onResult, 1);
}

/** Symbols are no picture; pixels, and JPEG files that could be decoded, are. */
function offerPicture(snapshots: SnapshotMaker, device: string, { frame, route }: Job, failed: boolean): void {
  const { input } = route.bundle.manifest;
  const source = { width: frame.sourceWidth, height: frame.sourceHeight };
  if (frame.coding === Coding.raw) snapshots.offerInput(device, frame, input, source, frame.payload);
  if (frame.coding === Coding.jpeg && !failed) snapshots.offerJpeg(device, frame, input, source, frame.payload);
}
