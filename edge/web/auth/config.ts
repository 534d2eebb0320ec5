import type { ConfigSchema } from '../../../platform/config.js';

/** Who may open the page, and how it is protected: part of the `web` section. */
export interface WebAuthConfig {
  /** File of accounts; without one everybody is an operator, and only this machine is served. */
  accounts?: string;
  /** Who logged in and what they did; default: `audit.jsonl` beside the accounts. */
  audit?: string;
  tls?: { certificate: string; key: string };
  trusted_proxies: string[];
  insecure: boolean;
  session: { idle_minutes: number; days: number };
}

export const webAuthProperties: Record<string, ConfigSchema> = {
  accounts: {
    type: 'string',
    format: 'path',
    minLength: 1,
    description: "file of accounts, made with 'deepcod account'; without one the page serves this machine alone",
  },
  audit: {
    type: 'string',
    format: 'path',
    minLength: 1,
    description: 'file for who logged in and who did what; default: audit.jsonl beside the accounts',
  },
  tls: {
    type: 'object',
    description: 'https in this process; not needed behind a reverse proxy',
    additionalProperties: false,
    required: ['certificate', 'key'],
    properties: {
      certificate: { type: 'string', format: 'path', description: "the page's certificate (PEM)" },
      key: { type: 'string', format: 'path', description: "the page's private key (PEM)" },
    },
  },
  trusted_proxies: {
    type: 'array',
    default: [],
    maxItems: 64,
    items: { type: 'string', pattern: '^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$', description: 'address or network' },
    description: 'addresses of reverse proxies in front of the page, whose X-Forwarded-* headers are believed',
  },
  insecure: {
    type: 'boolean',
    default: false,
    description: 'true: serve the network without https, where passwords can be listened to',
  },
  session: {
    type: 'object',
    description: 'how long a login lasts; kept in sessions.json beside the audit file, so that a restart ends none',
    additionalProperties: false,
    default: {},
    properties: {
      idle_minutes: {
        type: 'integer',
        minimum: 1,
        maximum: 43_200,
        default: 480,
        description: '1..43200 minutes without a request or an open page',
      },
      days: { type: 'integer', minimum: 1, maximum: 365, default: 7, description: '1..365 days in any case' },
    },
  },
};
