import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { newTrip, type Outcome } from '../../agent/pipeline/trip.js';
import type { Decision } from '../../protocol/decision.js';
import { DecisionNotes } from '../../scripts/live/decisions.js';
import { SimulatedLink } from '../../scripts/live/link/link.js';
import { linkWords, parseLink, phaseWords } from '../../scripts/live/link/phases.js';
import { type PhaseReport, PhaseSums } from '../../scripts/live/link/report.js';
import { demoOptions } from '../../scripts/live/options.js';
import { tinyBundle } from '../agent/rig.js';
import { run, start } from '../platform/process.js';

t.test('phases: rates, delays, durations', async (t) => {
  t.same(parseLink('10mbit,10s;0.3mbit/20ms,1.5s; off , 500ms ;2gbit/0.1s,2m'), [
    { mbps: 10, delayMs: 0, up: true, durationMs: 10_000 },
    { mbps: 0.3, delayMs: 20, up: true, durationMs: 1500 },
    { mbps: 0, delayMs: 0, up: false, durationMs: 500 },
    { mbps: 2000, delayMs: 100, up: true, durationMs: 120_000 },
  ]);
  const forEver = { delayMs: 0, durationMs: Number.POSITIVE_INFINITY };
  t.same(parseLink('250kbit'), [{ mbps: 0.25, up: true, ...forEver }]);
  t.same(parseLink('1 Mbit/40ms'), [{ mbps: 1, up: true, ...forEver, delayMs: 40 }]);
  t.same(parseLink('1mbit,1s;OFF')[1], { mbps: 0, up: false, ...forEver }, 'the last holds anyway');
  t.same(demoOptions(['--link', 'off']).link, [{ mbps: 0, up: false, ...forEver }]);
  t.equal(demoOptions([]).link, undefined);
});

t.test('what is no phase: which one, and what is allowed', async (t) => {
  const wrong: [string, RegExp][] = [
    ['', /^--link: "": empty; a phase is RATE\[\/DELAY\],DURATION/],
    ['1mbit,1s;', /phase 2, "": empty/],
    ['1mbit;2mbit,1s', /phase 1, "1mbit": no duration; only the last phase may leave it out/],
    [
      '1mbit,1s;fast,1s',
      /phase 2, "fast,1s": rate "fast": like 250kbit, 0\.3mbit or 2gbit, from 1kbit to 100gbit, or off/,
    ],
    ['10,1s', /rate "10": like 250kbit/],
    ['0mbit,1s', /rate "0mbit": .* or off/],
    ['-1mbit,1s', /rate "-1mbit"/],
    ['1e3kbit,1s', /rate "1e3kbit"/],
    ['101gbit,1s', /rate "101gbit": .* to 100gbit/],
    ['5constructor,1s', /rate "5constructor"/],
    ['1mbit/20,1s', /delay "20": like 20ms or 0\.1s, at most 1m/],
    ['1mbit/61s,1s', /delay "61s"/],
    ['1mbit/1ms/2ms,1s', /one "\/", before the delay/],
    ['off/20ms,1s', /a link that is off has no delay/],
    ['1mbit,10', /duration "10": like 500ms, 10s or 2m/],
    ['1mbit,0s', /duration "0s"/],
    ['1mbit,1441m', /duration "1441m": .* to 1440m/],
    ['1mbit,', /duration ""/],
    ['1mbit,1s,2mbit,1s', /one comma, .* phases are separated by ";"/],
  ];
  for (const [written, message] of wrong) t.throws(() => parseLink(written), { code: 'usage', exitCode: 2, message });
  const { code, output } = await run('scripts/demo.js', ['--link', '1mbit,soon']);
  t.equal(code, 2);
  t.match(output, /duration "soon"/);
  t.match((await run('scripts/demo.js', ['--help'])).output, /--link PHASES .*\n[\s\S]*Simulated: the link/);
});

t.test('phases in words', async (t) => {
  const [fast, slow, off] = parseLink('2gbit,500ms;50kbit/20ms,90s;off');
  t.equal(fast && phaseWords(fast, false), '2 Gbit/s for 500 ms');
  t.equal(slow && phaseWords(slow, false), '50 kbit/s, 20 ms one way for 90 s');
  t.equal(slow && phaseWords(slow, true), '50 kbit/s, 20 ms one way from here on');
  t.equal(off && linkWords(off), 'off');
});

t.test('a broker that cannot be relayed is a matter of usage', async (t) => {
  await t.rejects(
    SimulatedLink.open('mqtts://broker.example', parseLink('1mbit'), () => {}),
    { code: 'usage', message: /mqtt:\/\/ or ws:\/\/ brokers; a certificate for broker\.example/ },
  );
  const link = await SimulatedLink.open('ws://me@[::1]:9001/mqtt?x=1', parseLink('1mbit'), () => {});
  t.teardown(() => link.close());
  t.match(link.url, /^ws:\/\/me@127\.0\.0\.1:\d+\/mqtt\?x=1$/);
});

t.test('phases follow each other, the last holds; a time belongs to the phase that there was', async (t) => {
  const begun: number[] = [];
  let last = () => {};
  const done = new Promise<void>((resolve) => {
    last = resolve;
  });
  const link = await SimulatedLink.open('mqtt://127.0.0.1:1', parseLink('1mbit,30ms;off,30ms;2mbit,1ms'), (phase) => {
    begun.push(phase);
    if (phase === 2) last();
  });
  t.teardown(() => link.close());
  t.equal(link.phaseAt(performance.now()), 0, 'before it starts: the first');
  const before = performance.now();
  link.start();
  link.start();
  await done;
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.same(begun, [0, 1, 2]);
  t.same(
    [before - 1000, before + 15, performance.now(), performance.now() + 1e6].map((time) => link.phaseAt(time)),
    [0, 0, 2, 2],
  );
});

t.test('sums by phase: every frame is a result or a counted loss', async (t) => {
  const sums = new PhaseSums(parseLink('1mbit,1s;off'));
  const picture = { data: new Uint8Array(0), width: 1, height: 1, sourceWidth: 1, sourceHeight: 1 };
  const trip = (outcome: Outcome, partition: string, total: number) =>
    Object.assign(newTrip(0, { ...picture, capturedAt: 0, captureMs: 0 }, 0), {
      ...{ outcome, partition, steps: { total } },
    });
  sums.add(0, trip('result', 'input', 10));
  sums.add(0, trip('result', 'input', 20));
  sums.add(0, trip('broker_lost', 'input', 999));
  sums.add(1, trip('local', 'device', 40));
  const { simulated, phases } = sums.finish();
  t.equal(simulated, true);
  const none = { causes: {}, duration_s: null };
  t.match(phases[0], {
    frames: 3,
    results: 2,
    local: 0,
    lost: 1,
    causes: { broker_lost: 1 },
    partitions: { input: 2 },
  });
  t.match(phases[0], { link: '1 Mbit/s', mbps: 1, delay_ms: 0, up: true, duration_s: 1, latency_ms: { p50: 15 } });
  t.match(phases[1], { frames: 1, results: 1, local: 1, lost: 0, partitions: { device: 1 }, up: false, ...none });
  t.equal(new PhaseSums(parseLink('1mbit')).finish().phases[0]?.latency_ms.p50, null);
});

t.test('a decision is told where the choice changes', async (t) => {
  const notes = new DecisionNotes();
  const decision = (frame: number, partition: string, rate: number): Decision => ({
    ...{ frame, at: 0, partition, rate, reason: 'better', why: `why ${frame}` },
    link: { base_ms: 1, mbps: 1, harmonic_mbps: 1, transfers: 1 },
    ...{ device_slowdown: 1, edge_slowdown: 1, edge_queue_ms: 0, options: [] },
  });
  t.same(
    [decision(0, 'input', 2), decision(1, 'input', 2), decision(2, 'input', 0), decision(3, 'device', 0)].map((d) =>
      notes.next(d),
    ),
    ['frame 0: input/2: why 0', undefined, 'frame 2: input/2 -> input: why 2', 'frame 3: input -> device: why 3'],
  );
});

t.test(
  'through the phases: at the edge, here while the link is off, at the edge again; every frame is counted',
  async (t) => {
    const file = join(t.testdir({}), 'report.json');
    const phases = ['20mbit/2ms,2s', '1mbit,1s', 'off,2500ms', '20mbit'];
    const demo = start('scripts/demo.js', [
      ...['--bundle', tinyBundle, '--port', '0', '--fps', '20', '--partition', 'input'],
      ...['--link', phases.join(';'), '--json', file],
    ]);
    await demo.says(/link: 20 Mbit\/s from here on\n[\s\S]*\n +\d+ {2}input(?![^\n]*lost)[^\n]*\n/);
    demo.child.kill('SIGINT');
    t.equal(await demo.ended(), 0, demo.output());
    const output = demo.output();
    t.match(output, /link between agent and broker is simulated/);
    t.match(
      output,
      /link: 20 Mbit\/s, 2 ms one way for 2 s\n[\s\S]*link: 1 Mbit\/s for 1 s\n[\s\S]*link: off for 2\.5 s\n/,
    );
    t.match(output, /simulated link off: \d+ frames: \d+ results \(\d+ local\)/);

    const report = JSON.parse(await readFile(file, 'utf8'));
    const { simulated, phases: found } = report.link as { simulated: boolean; phases: PhaseReport[] };
    t.ok(simulated);
    t.equal(found.length, 4);
    const sum = (of: (phase: PhaseReport) => number) => found.reduce((all, phase) => all + of(phase), 0);
    t.equal(
      sum(({ frames }) => frames),
      report.frames,
    );
    t.equal(
      sum(({ lost }) => lost),
      report.lost,
    );
    for (const phase of found) {
      t.equal(phase.frames, phase.results + phase.lost, phase.link);
      t.equal(
        Object.values(phase.causes).reduce((all, n) => all + n, 0),
        phase.lost,
        'every loss has its cause',
      );
      for (const cause of Object.keys(phase.causes)) t.match(cause, /^(broker_lost|unsent|stopped)$/);
      t.equal(phase.partitions.device ?? 0, phase.local, phase.link);
    }
    const [first, slow, off, last] = found as [PhaseReport, PhaseReport, PhaseReport, PhaseReport];
    t.ok(first.partitions.input || slow.partitions.input, 'the edge answers');
    t.ok(last.partitions.input, 'and again');
    t.ok(off.local > 0 && off.local === off.results, 'the device answers');
    const frames = [...output.matchAll(/^ +(\d+) {2}(?:input|device)/gm)].map(([, frame]) => Number(frame));
    t.same(
      frames.sort((a, b) => a - b),
      Array.from({ length: report.frames }, (_, frame) => frame),
      'each frame ended once',
    );
  },
);
