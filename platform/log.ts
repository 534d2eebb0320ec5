import { chooseFormat, type LogEvent, type LogFields, type LogFormat, type LogLevel, logLevels } from './log/format.js';

export { type LogEvent, type LogFields, type LogFormat, type LogLevel, logLevels } from './log/format.js';

/** One line per event, on standard error (standard output belongs to a command's result). */
export interface Log {
  readonly level: LogLevel;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log of a part: its name is appended as `name/part`. */
  child(part: string): Log;
}

export interface LogOptions {
  format?: LogFormat;
  /** Where lines go, each without its line break. */
  write?: (line: string, event: LogEvent) => void;
}

/**
 * @param name shown on every line: `agent`, `edge/worker`
 * @param level least level that is shown
 */
export function createLog(name: string, level: LogLevel = 'info', options: LogOptions = {}): Log {
  const format = options.format ?? chooseFormat();
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const least = logLevels.indexOf(level);
  const at = (eventLevel: LogEvent['level']) => {
    if (logLevels.indexOf(eventLevel) < least) return () => {};
    return (message: string, fields: LogFields = {}) => {
      const event: LogEvent = { time: new Date(), level: eventLevel, name, message, fields };
      write(format(event), event);
    };
  };
  return {
    level,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (part) => createLog(`${name}/${part}`, level, { format, write }),
  };
}

/** A log that says nothing. */
export const silentLog: Log = createLog('silent', 'silent');
