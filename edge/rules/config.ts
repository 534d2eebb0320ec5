import { readSecret } from '../../platform/config/secret.js';
import type { ConfigSchema } from '../../platform/config.js';
import type { Broker } from '../../platform/mqtt.js';
import type { Topics } from '../../protocol/topics.js';
import { EmailSender, type EmailSettings } from './notify/email.js';
import { MqttSender } from './notify/mqtt.js';
import type { Sender } from './notify/outbox.js';
import { WebhookSender } from './notify/webhook.js';
import type { Target } from './types.js';

/** Section `alerts` of edge.yaml: where alerts go. */
export interface AlertsConfig {
  webhook?: { url: string; secret_file?: string };
  email?: Partial<EmailSettings> & { password_file?: string; port: number; secure: boolean; digest_s: number };
}

const address: ConfigSchema = { type: 'string', minLength: 3, maxLength: 320, description: 'an e-mail address' };

export const alertsSchema: ConfigSchema = {
  type: 'object',
  description: 'where alerts go, beside the page and MQTT; each rule says which',
  additionalProperties: false,
  default: {},
  properties: {
    webhook: {
      type: 'object',
      description: 'alerts are posted there',
      additionalProperties: false,
      properties: {
        url: { type: 'string', pattern: '^https?://.+', description: 'https://host/path: gets each alert as JSON' },
        secret_file: {
          type: 'string',
          format: 'path',
          description: 'file with the secret that x-deepcod-signature is made with',
        },
      },
    },
    email: {
      type: 'object',
      description: 'alerts are mailed through this SMTP server',
      additionalProperties: false,
      properties: {
        host: { type: 'string', minLength: 1, description: 'name or address of the SMTP server' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 587, description: '1..65535' },
        secure: {
          type: 'boolean',
          default: false,
          description: 'true: TLS from the start (port 465); false: STARTTLS',
        },
        username: { type: 'string', minLength: 1, description: 'account at the server' },
        password_file: { type: 'string', format: 'path', description: 'file with the password of that account' },
        from: address,
        to: { type: 'array', minItems: 1, maxItems: 50, items: address, description: '1 to 50 e-mail addresses' },
        digest_s: {
          type: 'integer',
          minimum: 0,
          maximum: 86_400,
          default: 60,
          description: '0..86400 seconds between two mails: what comes meanwhile is in the next',
        },
      },
    },
  },
};

/**
 * Those who deliver alerts.
 * @throws DeepcodError `secret_unreadable`
 */
export function senders(
  { webhook, email }: AlertsConfig,
  broker: Pick<Broker, 'publishAcknowledged'>,
  topics: Topics,
): Map<Target, Sender> {
  const all = new Map<Target, Sender>([['mqtt', new MqttSender(broker, topics)]]);
  if (webhook?.url !== undefined) {
    const { secret_file: file } = webhook;
    all.set('webhook', new WebhookSender(webhook.url, file && readSecret(file, "the webhook's secret")));
  }
  const { host, from, to, password_file, ...rest } = email ?? {};
  if (host !== undefined && from !== undefined && to !== undefined) {
    const password = password_file && readSecret(password_file, "the mail account's password");
    all.set(
      'email',
      new EmailSender({ host, from, to, ...(rest as Omit<EmailSettings, 'host' | 'from' | 'to'>) }, password),
    );
  }
  return all;
}
