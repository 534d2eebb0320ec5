import { createTransport, type Transporter } from 'nodemailer';
import type { Alert } from '../types.js';
import type { Message, Sender } from './outbox.js';

export interface EmailSettings {
  host: string;
  port: number;
  /** TLS from the start; otherwise STARTTLS where the server offers it. */
  secure: boolean;
  username?: string;
  from: string;
  to: string[];
  /** Alerts of so many seconds come in one mail. */
  digest_s: number;
}

const TIMEOUT_MS = 15_000;

/** Sends mails, each with all alerts that came since the last. */
export class EmailSender implements Sender {
  readonly digest = true;
  readonly everyMs: number;
  readonly #transport: Transporter;

  constructor(
    readonly settings: EmailSettings,
    password: string | undefined,
  ) {
    const { host, port, secure, username, digest_s } = settings;
    this.everyMs = digest_s * 1000;
    this.#transport = createTransport({
      ...{ host, port, secure, connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
      // who sets an account never sends it in the clear
      ...(username !== undefined && { auth: { user: username, pass: password }, requireTLS: !secure }),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(messages: readonly Message[]): Promise<void> {
    const { from, to } = this.settings;
    const alerts = messages.map(({ body }) => (JSON.parse(body) as { alert: Alert }).alert);
    await this.#transport.sendMail({ from, to, subject: subjectOf(alerts), text: alerts.map(paragraph).join('\n') });
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}

function subjectOf(alerts: readonly Alert[]): string {
  const [first] = alerts;
  const text = alerts.length === 1 ? first.message : `${alerts.length} alerts, first: ${first.message}`;
  // a subject is one line, whatever a rule is called
  return `[DeepCOD] ${text.replace(/[\r\n]+/g, ' ').slice(0, 150)}`;
}

function paragraph({ severity, message, camera, started, id }: Alert): string {
  return `${severity.toUpperCase()}  ${message}\n  camera ${camera}, ${new Date(started).toString()}, alert ${id}\n`;
}
