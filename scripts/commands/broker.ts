import { randomBytes } from 'node:crypto';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { createLog, type LogEvent } from '../../platform/log.js';
import { type Broker, type BrokerConfig, connectMqtt } from '../../platform/mqtt.js';

const PATIENCE_MS = 5000;

/** A command's connection to a broker. */
export interface CommandBroker {
  broker: Broker;
  /** Waits for the connection. @throws DeepcodError `broker_unreachable` (exit code 5), with the reason */
  reached(): Promise<void>;
}

/**
 * Begins to connect, under a name of the command's own.
 * @param command its name @throws DeepcodError for settings that cannot work
 */
export function toBroker(command: string, config: BrokerConfig): CommandBroker {
  let trouble: LogEvent | undefined;
  const log = createLog(command, 'warn', {
    write: (_, event) => {
      trouble ??= event;
    },
  });
  const clientId = `deepcod-${command}-${randomBytes(4).toString('hex')}`;
  const broker = connectMqtt({ broker: config, clientId }, log);
  return {
    broker,
    async reached() {
      if (await broker.ready(PATIENCE_MS)) return;
      const { reason, hint } = trouble?.fields ?? {};
      throw new DeepcodError(
        'broker_unreachable',
        `broker ${broker.url} cannot be reached: ${reason ?? 'no answer'}`,
        String(hint ?? 'Name the broker with --broker, or an agent configuration with --config.'),
        ExitCode.broker,
      );
    },
  };
}
