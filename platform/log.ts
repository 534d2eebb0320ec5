import { chooseFormat, type LogEvent, type LogFields, type LogFormat, type LogLevel, logLevels } from './log/format.js';

export { type LogEvent, type LogFields, type LogFormat, type LogLevel, logLevels } from './log/format.js';

/** One line per event, on standard error (standard output belongs to a command's result). */
export interface Log {
  /** Least level that is shown; the same for all parts. */
  level: LogLevel;
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
  return part(name, { level }, options);
}

/** @param shared what a change must reach in every part */
function part(name: string, shared: { level: LogLevel }, options: LogOptions): Log {
  const format = options.format ?? chooseFormat();
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const at = (eventLevel: LogEvent['level']) => {
    return (message: string, fields: LogFields = {}) => {
      if (logLevels.indexOf(eventLevel) < logLevels.indexOf(shared.level)) return;
      const event: LogEvent = { time: new Date(), level: eventLevel, name, message, fields };
      write(format(event), event);
    };
  };
  return {
    get level() {
      return shared.level;
    },
    set level(level) {
      shared.level = level;
    },
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (child) => part(`${name}/${child}`, shared, { format, write }),
  };
}

/** A log that says nothing. */
export const silentLog: Log = createLog('silent', 'silent');
