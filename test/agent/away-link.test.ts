import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../platform/log.js';
import { connectMqtt } from '../../platform/mqtt.js';
import { frames, isRising, Reader } from './reader.js';
import { noiseCamera, testAgent, testEdge, until } from './rig.js';

/** Passes bytes on, until it is told to stop (nobody notices) or to cut (both sides notice). */
class Wire {
  frozen = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => {
    const far = connect(this.to, '127.0.0.1');
    for (const [from, into] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(from);
      from.on('data', (bytes) => !this.frozen && into.write(bytes));
      from.on('error', () => {});
      from.on('close', () => {
        into.destroy();
        this.#sockets.delete(from);
      });
    }
  });

  constructor(readonly to: number) {}

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.frozen = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

for (const partition of ['device', 'input']) {
  t.test(`a link that dies unnoticed in the midst of it, again and again (${partition})`, async (t) => {
    const edge = await testEdge();
    const wire = new Wire(Number(new URL(edge.brokerUrl).port));
    const url = await wire.open();
    const reader = new Reader();
    const options = { broker: { url: edge.brokerUrl, version: 'auto' as const, keepalive_s: 15 }, clientId: 'reader' };
    const direct = connectMqtt(options, silentLog);
    reader.listen(direct);
    await direct.ready(10_000);
    const { agent, trips, stop } = await testAgent(
      url,
      { partition, timeout_ms: 100, results: { folder: join(t.testdir({}), 'results') } },
      { openCamera: noiseCamera(undefined, 25) },
    );
    for (let round = 0; round < 3; round++) {
      const { frames } = agent.stats;
      await until(() => agent.stats.frames > frames + 20, 'frames');
      wire.frozen = true;
      // in the last round, while what was kept is being published
      const { local } = agent.stats;
      await until(() => agent.stats.local > local + (round === 1 ? 60 : 20), 'answers of the device');
      wire.cut();
      await until(() => (agent.health().waiting_results ?? 0) > 0, 'what is kept');
      if (round < 1) await until(() => agent.health().waiting_results === 0, 'what was kept is published');
      else await until(() => reader.heard.some(({ frame }) => frame >= frames + 20), 'some of it');
    }
    await until(() => agent.health().waiting_results === 0, 'all is published');
    const { frames: last } = agent.stats;
    await until(() => agent.stats.frames > last + 10, 'more frames');
    await stop();
    await until(() => reader.frames.includes(frames(trips, 'local').at(-1) as number), 'the last one');
    const heard = new Set(reader.frames);
    t.equal(heard.size, reader.frames.length, 'none twice');
    t.same(
      frames(trips, 'result', 'local').filter((frame) => !heard.has(frame)),
      [],
      'none lost',
    );
    // What was kept comes beside the edge's answers, so each kind is in order by itself.
    for (const late of [true, false]) {
      const of = reader.heard.filter((message) => (message.late ?? false) === late).map(({ frame }) => frame);
      t.ok(isRising(of), late ? 'what was kept, in order' : 'answers, in order');
    }
    t.comment(`${reader.twice} came twice and were ignored; ${agent.stats.lost} frames lost on the dead link`);
    await direct.close();
    wire.close();
    await edge.close();
  });
}
