import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Pipe } from './pipe.js';
import { type LinkState, Shaper } from './shaper.js';

export type { LinkState } from './shaper.js';

/**
 * A TCP relay in user space that stands for a link: what goes through it is sent at so many bits a second, comes later by a
 * delay, and is cut while the link is down. All connections share the link. It adds about a millisecond of its own, and
 * setting up a connection costs no delay.
 */
export class Relay {
  /** Where it listens. */
  readonly port: number;
  readonly #to: { host: string; port: number };
  readonly #server: Server;
  readonly #up: Shaper;
  readonly #down: Shaper;
  readonly #cuts = new Set<() => void>();
  #state: LinkState;

  private constructor(to: { host: string; port: number }, state: LinkState, server: Server) {
    this.port = (server.address() as AddressInfo).port;
    this.#to = to;
    this.#state = { ...state };
    this.#server = server;
    this.#up = new Shaper(state.mbps);
    this.#down = new Shaper(state.mbps);
    server.on('connection', (socket) => this.#accept(socket));
  }

  /**
   * @param to where connections lead
   * @param listen this machine's address and a port; 0 picks a free one
   * @throws RangeError for a state that no link can have
   */
  static async open(
    to: { host: string; port: number },
    state: LinkState,
    listen: { host: string; port: number } = { host: '127.0.0.1', port: 0 },
  ): Promise<Relay> {
    check(state);
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(listen);
    await once(server, 'listening');
    return new Relay(to, state, server);
  }

  /** From now on; what is under way arrives when it would have. */
  set(state: LinkState): void {
    check(state);
    this.#state = { ...state };
    this.#up.set(state.mbps);
    this.#down.set(state.mbps);
    if (!state.up) this.#cutAll();
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#cutAll();
    this.#up.close();
    this.#down.close();
    await closed;
  }

  #cutAll(): void {
    for (const cut of [...this.#cuts]) cut();
  }

  #accept(near: Socket): void {
    if (!this.#state.up) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const far = connect({ ...this.#to, allowHalfOpen: true, noDelay: true });
    const delay = () => this.#state.delayMs;
    const pipes = [new Pipe(near, far, this.#up, delay), new Pipe(far, near, this.#down, delay)];
    const cut = () => {
      this.#cuts.delete(cut);
      for (const pipe of pipes) pipe.close();
      for (const socket of [near, far]) if (!socket.destroyed) socket.resetAndDestroy();
    };
    this.#cuts.add(cut);
    for (const socket of [near, far]) {
      socket.on('error', cut);
      // Both directions ended in order: the other side may still have bytes under way to it.
      socket.on('close', () => {
        if (!socket.readableEnded || !socket.writableFinished) cut();
        else if (near.destroyed && far.destroyed) this.#cuts.delete(cut);
      });
    }
  }
}

function check({ mbps, delayMs }: LinkState): void {
  if (!(mbps >= 0)) throw new RangeError(`mbps ${mbps}: 0 or more`);
  if (!(delayMs >= 0 && delayMs < 2 ** 31)) throw new RangeError(`delayMs ${delayMs}: 0 or more`);
}
