import type { FastifyRequest } from 'fastify';
import type { Site } from '../../rules/site.js';
import type { History } from '../../store/history/history.js';
import type { LiveStore } from '../../store/live.js';
import type { Commands } from '../commands.js';
import { HttpError } from '../problem.js';

/** What the API's routes work on. */
export interface ApiContext {
  store: LiveStore;
  /** Absent where no history is kept. */
  site?: Site;
  /** Absent where devices take no commands from here. */
  commands?: Commands;
  /** Classes that a bundle knows, and what may be chosen, by bundle id. */
  bundles: KnownBundles;
}

/** As they are now: releases add to them while the edge runs. */
export interface KnownBundles {
  get(id: string): BundleFacts | undefined;
  values(): Iterable<BundleFacts>;
}

export interface BundleFacts {
  labels: readonly string[];
  choices: readonly { partition: string; rates: number[] }[];
}

/** @throws HttpError 503 where no history is kept */
export function siteOf({ site }: ApiContext): Site {
  if (site) return site;
  throw new HttpError(503, 'no_history', 'This edge keeps no history.', 'Set history.enabled in edge.yaml.');
}

export const historyOf = (context: ApiContext): History => siteOf(context).history;

/** @throws HttpError 404 */
export function found<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new HttpError(404, 'not_found', `There is no such ${what}.`);
  return thing;
}

/** Who asks, for the records. */
export function userOf(request: FastifyRequest): string {
  return (request as { user?: { name?: string } }).user?.name ?? 'local';
}
