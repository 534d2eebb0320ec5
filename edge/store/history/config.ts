import { join } from 'node:path';
import { readSecret } from '../../../platform/config/secret.js';
import type { ConfigSchema } from '../../../platform/config.js';
import type { HistorySettings } from './history.js';

/** Section `history` of edge.yaml. */
export interface HistoryConfig {
  enabled: boolean;
  folder?: string;
  url?: string;
  password_file?: string;
  days: number;
  megabytes: number;
  snapshot_days: number;
  snapshot_megabytes: number;
}

const limit = (standard: number, maximum: number, description: string): ConfigSchema => ({
  type: 'integer',
  minimum: 1,
  maximum,
  default: standard,
  description: `1..${maximum} ${description}`,
});

export const historySchema: ConfigSchema = {
  type: 'object',
  description: 'what is kept of what was seen',
  additionalProperties: false,
  default: {},
  properties: {
    enabled: {
      type: 'boolean',
      default: true,
      description: 'keep a history, watch rules, send alerts; of several edges at a broker, one does',
    },
    folder: {
      type: 'string',
      format: 'path',
      minLength: 1,
      description:
        'folder of the database and the snapshots; default: history in the state directory that systemd gives, else ' +
        'deepcod-history in the working folder',
    },
    url: {
      type: 'string',
      pattern: '^postgres(ql)?://.+',
      description:
        'postgres://user@host:5432/name: a PostgreSQL instead of the embedded database, without a password in it',
    },
    password_file: { type: 'string', format: 'path', description: 'file with the password of the PostgreSQL account' },
    days: limit(90, 36_500, 'days that events, figures and alerts are kept; people may change it at the page'),
    megabytes: limit(2000, 10_000_000, 'MB of the embedded database; beyond it the oldest make room'),
    snapshot_days: limit(30, 36_500, 'days that snapshots are kept'),
    snapshot_megabytes: limit(5000, 10_000_000, 'MB of snapshots; beyond it the oldest make room'),
  },
};

/** @throws DeepcodError `secret_unreadable` */
export function historySettings(config: HistoryConfig, env: NodeJS.ProcessEnv = process.env): HistorySettings {
  const { folder, url, password_file, days, megabytes, snapshot_days, snapshot_megabytes } = config;
  // systemd gives several, joined by colons, if the unit asks for several
  const state = env.STATE_DIRECTORY?.split(':', 1)[0];
  return {
    folder: folder ?? (state ? join(state, 'history') : 'deepcod-history'),
    url,
    password: password_file === undefined ? undefined : readSecret(password_file, "the history's password"),
    retention: { days, megabytes, snapshot_days, snapshot_megabytes },
  };
}
