import { fstatSync } from 'node:fs';
import { DeepcodError } from '../errors.js';

/** From chatty to silent. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What comes with a message: numbers are rounded to 3 decimals, errors show their code and hint, undefined is left out. */
export type LogFields = Record<string, unknown>;

export interface LogEvent {
  time: Date;
  level: Exclude<LogLevel, 'silent'>;
  name: string;
  message: string;
  fields: LogFields;
}

/** text: for people and journald; json: one object a line. */
export type LogFormat = (event: LogEvent) => string;

function plain(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isInteger(value)) return Math.round(value * 1000) / 1000;
  if (typeof value === 'bigint') return value.toString();
  return value;
}

/** An error becomes three flat fields; everything else stays one. */
function* flat(fields: LogFields): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (value instanceof Error) {
      yield [key, value.message];
      const code = (value as { code?: unknown }).code;
      if (typeof code === 'string') yield ['code', code];
      if (value instanceof DeepcodError && value.hint) yield ['hint', value.hint];
    } else {
      yield [key, plain(value)];
    }
  }
}

function word(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** One line whatever the message holds: a line break inside would let input forge events. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}

function body(event: LogEvent): string {
  let line = `${event.level.padEnd(5)} ${event.name}: ${oneLine(event.message)}`;
  for (const [key, value] of flat(event.fields)) line += ` ${key}=${word(value)}`;
  return line;
}

/** `12:34:56.789 info  agent: message key=value` */
export const terminalFormat: LogFormat = (event) => `${event.time.toISOString().slice(11, 23)} ${body(event)}`;

/** `2026-11-21T12:34:56.789Z info  agent: message key=value` */
export const textFormat: LogFormat = (event) => `${event.time.toISOString()} ${body(event)}`;

const priority = { debug: 7, info: 6, warn: 4, error: 3 } as const;

/** The syslog priority in front (sd-daemon(3)), no time: journald stamps it. */
export const journalFormat: LogFormat = (event) => `<${priority[event.level]}>${body(event)}`;

/** One JSON object a line: time, level, name, message, then the fields (`field_` before a name that is taken). */
export const jsonFormat: LogFormat = (event) => {
  const object: Record<string, unknown> = {
    time: event.time.toISOString(),
    level: event.level,
    name: event.name,
    message: event.message,
  };
  for (const [key, value] of flat(event.fields)) object[key in object ? `field_${key}` : key] = value;
  return JSON.stringify(object);
};

/** Standard error as JOURNAL_STREAM names it: DEVICE:INODE. */
function errorStream(): string | undefined {
  try {
    const { dev, ino } = fstatSync(2);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/**
 * What fits where the log goes: DEEPCOD_LOG_FORMAT=json|text wins, then journald, then a terminal.
 * @param stream where standard error leads: JOURNAL_STREAM is inherited by children whose output goes elsewhere
 */
export function chooseFormat(
  env: NodeJS.ProcessEnv = process.env,
  isTerminal = process.stderr.isTTY === true,
  stream = errorStream(),
): LogFormat {
  if (env.DEEPCOD_LOG_FORMAT === 'json') return jsonFormat;
  if (env.DEEPCOD_LOG_FORMAT === 'text') return textFormat;
  if (env.JOURNAL_STREAM && env.JOURNAL_STREAM === stream) return journalFormat;
  return isTerminal ? terminalFormat : textFormat;
}
