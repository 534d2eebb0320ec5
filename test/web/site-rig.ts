import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Test } from 'tap';
import { Notifier } from '../../edge/rules/notify/notifier.js';
import { Site } from '../../edge/rules/site.js';
import { History } from '../../edge/store/history/history.js';
import type { DetectionEvent } from '../../edge/store/history/types.js';
import { LiveStore } from '../../edge/store/live.js';
import { startWebServer, type WebOptions } from '../../edge/web/server.js';
import { silentLog } from '../../platform/log.js';
import type { Detection, FrameResult } from '../../protocol/result.js';

export const WIDTH = 640;
export const HEIGHT = 360;
const CLASSES = ['head', 'helmet', 'person'];
const bundle = { id: '0011223344556677', name: 'worksite' };

/** A served site without cameras: what they would say is told to it. */
export interface SiteRig {
  url: string;
  store: LiveStore;
  site: Site;
  /** One answered frame of a camera, with its picture. */
  frame(camera: string, found: [label: string, box: number[]][], picture?: boolean): void;
  /** An event of the past, straight into the database. */
  event(event: Partial<DetectionEvent> & { id: string }): void;
  /** The picture of an event of the past. */
  picture(event: string): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** The rig ends with the test. @param more port: default any; auth: default nobody has to log in */
export async function startSite(t: Test, more: Pick<WebOptions, 'port' | 'auth'> = {}): Promise<SiteRig> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-page-'));
  const retention = { days: 90, megabytes: 500, snapshot_days: 30, snapshot_megabytes: 500 };
  const history = await History.open({ folder, retention }, silentLog);
  const site = await Site.open(history, await Notifier.open(history.database, new Map(), silentLog), silentLog);
  const store = new LiveStore();
  store.onPair((device, shown) => site.onShown(device, shown));
  const choices = [{ partition: 'input', rates: [0, 1] }];
  const bundles = new Map([[bundle.id, { labels: CLASSES, choices }]]);
  const web = await startWebServer({ store, site, bundles, ...more });
  const jpeg = await picture();
  let count = 0;
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await web.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  };
  t.teardown(close);
  return {
    url: web.url,
    store,
    site,
    frame(camera, found, hasPicture = true) {
      const frame = ++count;
      if (hasPicture) {
        const from = 'input' as const;
        store.onSnapshot(camera, {
          ...{ session: 1, frame, width: WIDTH, height: HEIGHT, from },
          type: 'image/jpeg',
          data: jpeg,
        });
      }
      const answer = site.locate(camera, result(frame, found)) as FrameResult;
      if (store.onResult(camera, answer, 5200)) site.onAnswer(camera, answer, 5200);
    },
    event(event) {
      const started = event.started ?? Date.now();
      history.saveEvent({
        ...{ camera: 'gate', label: 'person', zones: [], score: 0.9, best_at: started, box: [0.4, 0.3, 0.1, 0.4] },
        ...{ max_count: 1, frames: 12, snapshot: false, started, ended: started + 8000 },
        ...event,
      });
    },
    picture: (event) => history.pictures.save(event, jpeg),
    flush: () => history.flush(),
    close,
  };
}

/** Ends a rig and starts another, empty, at the same address: what a page sees of a restart. */
export async function restartSite(t: Test, rig: SiteRig, more: Pick<WebOptions, 'auth'> = {}): Promise<SiteRig> {
  const port = Number(new URL(rig.url).port);
  await rig.close();
  return startSite(t, { port, ...more });
}

function result(frame: number, found: [string, number[]][]): FrameResult {
  const detections = found.map(
    ([label, box]) => ({ class: CLASSES.indexOf(label), label, score: 0.9, box }) as Detection,
  );
  const edge_ms = { queue: 1, decode: 3, tail: 22, post: 1, total: 27 };
  const source = { v: 1 as const, session: 1, frame, bundle: bundle.id, partition: 'input', rate: 0, worker: 'edge-1' };
  return { ...source, width: WIDTH, height: HEIGHT, detections, edge_ms };
}

/** A yard with a shed: something that is not one colour. */
function picture(): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <rect width="640" height="360" fill="#9fb7c9"/><rect y="200" width="640" height="160" fill="#8d8471"/>
    <rect x="380" y="90" width="200" height="150" fill="#7a4b36"/><circle cx="120" cy="80" r="34" fill="#f3e2a9"/></svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}
