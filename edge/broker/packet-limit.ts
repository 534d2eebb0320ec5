/**
 * Watches the bytes of one MQTT connection and says when a packet announces more than is allowed, before any of it is
 * kept. It follows only the fixed headers: one type byte, then the remaining length in one to four bytes of 7 bits.
 */
export class PacketLimit {
  /** Packets whose headers have come. */
  packets = 0;
  /** Bytes of the current packet that are still to come. */
  #rest = 0;
  /** Where in a fixed header the last chunk ended: -1 outside, else how many length bytes were read. */
  #lengthBytes = -1;
  #length = 0;

  /**
   * @param maxBytes largest remaining length (everything after the fixed header)
   * @param firstBytes the same for the first packet, CONNECT: it comes from anybody
   */
  constructor(
    readonly maxBytes: number,
    readonly firstBytes = maxBytes,
  ) {}

  /** @returns false as soon as a packet is too large or its length is malformed; the connection should end then */
  accept(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - at);
        this.#rest -= skipped;
        at += skipped;
      } else if (this.#lengthBytes < 0) {
        this.#lengthBytes = 0;
        this.#length = 0;
        at++;
      } else {
        const byte = chunk[at++];
        this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
        this.#lengthBytes++;
        const most = this.packets === 0 ? this.firstBytes : this.maxBytes;
        if (this.#length > most || ((byte & 0x80) !== 0 && this.#lengthBytes === 4)) return false;
        if ((byte & 0x80) === 0) {
          this.#rest = this.#length;
          this.#lengthBytes = -1;
          this.packets++;
        }
      }
    }
    return true;
  }
}
