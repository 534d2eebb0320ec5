import { createRequire } from 'node:module';

/** The few functions of the C library that Node.js has no way to. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  /** @param address `struct sockaddr_un` */
  sendto(socket: number, data: Uint8Array, length: number, flags: number, address: Uint8Array, size: number): number;
  /** Number of the error of the last call. */
  errno(): number;
  /** Ends the process at once: nothing is flushed, no thread is waited for. */
  exit(code: number): never;
}

let loaded: Libc | undefined;

/**
 * Opens the C library. Costs some 10 ms and 3 MB, so only who needs it calls this.
 * @throws where there is none, or not for this processor
 */
export function openLibc(): Libc {
  if (loaded) return loaded;
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const lib = koffi.load('libc.so.6');
  loaded = {
    socket: lib.func('int socket(int domain, int type, int protocol)') as Libc['socket'],
    sendto: lib.func(
      'long sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t size)',
    ) as Libc['sendto'],
    errno: () => koffi.errno(),
    exit: lib.func('void _exit(int code)') as unknown as Libc['exit'],
  };
  return loaded;
}
