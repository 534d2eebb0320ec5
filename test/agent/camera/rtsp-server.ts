import { createServer, type Server, type Socket } from 'node:net';

/**
 * A network camera of sorts: takes a stream that ffmpeg pushes (ANNOUNCE, RECORD) and gives it to who plays it (DESCRIBE,
 * PLAY), over the RTSP connection itself (RFC 2326, 10.12). Asks for a password (Basic) where one is set.
 */
export class RtspServer {
  readonly #server: Server;
  readonly #players = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #sdp = '';
  /** Gives nothing on, but keeps its connections. */
  stalled = false;
  /** `user:password` that players need. */
  credentials: string | undefined;

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((done) => this.#server.listen(port, '127.0.0.1', done));
    return (this.#server.address() as { port: number }).port;
  }

  /** Whether somebody pushed a stream. */
  get hasStream(): boolean {
    return this.#sdp !== '';
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((done) => this.#server.close(() => done()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#players.delete(socket);
    });
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      for (;;) {
        const used = this.#one(socket, bytes);
        if (used === 0) return;
        bytes = bytes.subarray(used);
      }
    });
  }

  /** One packet or request. @returns its bytes; 0 when it is not whole yet */
  #one(socket: Socket, bytes: Buffer): number {
    if (bytes.length < 4) return 0;
    if (bytes[0] === 0x24) {
      const length = 4 + bytes.readUInt16BE(2);
      if (bytes.length < length) return 0;
      if (!this.stalled && !this.#players.has(socket)) {
        for (const player of this.#players) player.write(bytes.subarray(0, length));
      }
      return length;
    }
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const head = bytes.subarray(0, end).toString();
    const length = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (bytes.length < length) return 0;
    this.#answer(socket, head, bytes.subarray(end + 4, length).toString());
    return length;
  }

  #answer(socket: Socket, head: string, body: string): void {
    const [method, url] = head.split(' ', 2);
    const cseq = /^cseq: *(\d+)/im.exec(head)?.[1] ?? '0';
    const say = (status: string, headers: string[] = [], content = '') =>
      socket.write([`RTSP/1.0 ${status}`, `CSeq: ${cseq}`, 'Session: 1', ...headers, '', content].join('\r\n'));
    const given = /^authorization: basic (\S+)/im.exec(head)?.[1];
    if (method === 'ANNOUNCE') {
      this.#sdp = body;
      say('200 OK');
    } else if (method === 'DESCRIBE') {
      if (this.credentials && Buffer.from(given ?? '', 'base64').toString() !== this.credentials) {
        say('401 Unauthorized', ['WWW-Authenticate: Basic realm="camera"']);
      } else if (!this.hasStream || !url.endsWith('/stream')) {
        say('404 Stream Not Found');
      } else {
        const headers = [
          `Content-Base: ${url}/`,
          'Content-Type: application/sdp',
          `Content-Length: ${this.#sdp.length}`,
        ];
        say('200 OK', headers, this.#sdp);
      }
    } else if (method === 'OPTIONS') {
      say('200 OK', ['Public: DESCRIBE, ANNOUNCE, SETUP, PLAY, RECORD, TEARDOWN']);
    } else if (method === 'SETUP') {
      say('200 OK', [/^transport: .*/im.exec(head)?.[0] ?? '']);
    } else {
      if (method === 'PLAY') this.#players.add(socket);
      say('200 OK');
    }
  }
}
