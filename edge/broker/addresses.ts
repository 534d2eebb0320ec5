import { network } from '../address.js';

/** Open connections by address, so that one address does not take all there are. */
export class Addresses {
  readonly #open = new Map<string, number>();

  constructor(readonly most: number) {}

  /** @returns false, and nothing counted, when the address has as many as it may */
  enter(address: string): boolean {
    const key = network(address);
    const open = this.#open.get(key) ?? 0;
    if (open >= this.most) return false;
    this.#open.set(key, open + 1);
    return true;
  }

  leave(address: string): void {
    const key = network(address);
    const open = (this.#open.get(key) ?? 1) - 1;
    if (open > 0) this.#open.set(key, open);
    else this.#open.delete(key);
  }
}
