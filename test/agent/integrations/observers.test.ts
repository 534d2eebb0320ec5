import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import t, { type Test } from 'tap';
import { loadAgentConfig } from '../../../agent/config/config.js';
import { Observers } from '../../../agent/integrations/observers.js';
import { tripSpans } from '../../../agent/integrations/trip-spans.js';
import type { Trip } from '../../../agent/pipeline/trip.js';
import { openTraces } from '../../../edge/integrations/traces/open.js';
import { createLog, type LogEvent, silentLog } from '../../../platform/log.js';
import { SpanExporter } from '../../../platform/traces/exporter.js';
import { encodeSpans } from '../../../platform/traces/otlp.js';
import {
  formatTraceParent,
  isSampled,
  newSpanId,
  newTraceId,
  parseTraceParent,
} from '../../../platform/traces/span.js';
import { lint, parseExposition, seriesValue } from '../../edge/integrations/exposition.js';
import { mosquittoBroker, type TestBroker, withoutMosquitto } from '../../platform/brokers.js';
import { testAgent, testEdge, tinyBundle, until } from '../rig.js';

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: object }[];
  status: { code?: number; message?: string };
}

/** A stand-in for a collector. */
async function collector(
  t: Test,
  status = 200,
): Promise<{ url: string; spans: Map<string, OtlpSpan[]>; posts(): number }> {
  const spans = new Map<string, OtlpSpan[]>();
  let posts = 0;
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (data: string) => {
      body += data;
    });
    request.on('end', () => {
      posts++;
      for (const { resource, scopeSpans } of (JSON.parse(body) as Post).resourceSpans) {
        const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
        spans.set(service, [...(spans.get(service) ?? []), ...scopeSpans.flatMap((scope) => scope.spans)]);
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1/traces`, spans, posts: () => posts };
}

interface Post {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

/** An agent and an edge that trace every frame, until some trips are over. */
async function traced(t: Test, broker: TestBroker): Promise<Map<string, OtlpSpan[]>> {
  const { url, spans } = await collector(t);
  await broker.start();
  t.teardown(() => broker.stop());
  const traces = { url, ratio: 1 };
  const edge = await testEdge({ url: broker.url, embedded: false });
  const endEdge = await openTraces({ traces, worker: 'edge-1' }, edge, silentLog);
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, device: 'yard', traces } });
  const observers = await Observers.open(config, silentLog);
  const { onTrip, traceparent } = observers.parts();
  const trips: Trip[] = [];
  const run = await testAgent(
    broker.url,
    { partition: 'input' },
    {
      frames: 5,
      traceparent,
      onTrip: (trip) => {
        trips.push(trip);
        onTrip?.(trip);
      },
    },
  );
  await run.done;
  await observers.close();
  await endEdge();
  await edge.close();
  t.equal(trips.filter(({ outcome }) => outcome === 'result').length, 5);
  return spans;
}

t.test('a trip over MQTT 5: one trace across both machines', { skip: withoutMosquitto }, async (t) => {
  const spans = await traced(t, await mosquittoBroker());
  const device = spans.get('deepcod-agent') ?? [];
  const answers = spans.get('deepcod-edge') ?? [];
  t.equal(answers.length, 5);
  for (const answer of answers) {
    const trip = device.find(({ spanId }) => spanId === answer.parentSpanId);
    t.match(trip, { name: 'round trip', traceId: answer.traceId, kind: 3 });
    t.match(answer, {
      name: 'answer',
      kind: 2,
      attributes: [{ key: 'deepcod.device', value: { stringValue: 'yard' } }],
    });
    const own = device.filter(({ traceId }) => traceId === answer.traceId);
    t.same(own.map(({ name }) => name).sort(), [
      'capture',
      'decode',
      'down',
      'edge',
      'encode',
      'frame',
      'head',
      'post',
      'preprocess',
      'queue',
      'round trip',
      'tail',
      'up',
    ]);
    for (const { name, parentSpanId, startTimeUnixNano, endTimeUnixNano } of own) {
      if (parentSpanId === undefined) continue;
      const parent = own.find(({ spanId }) => spanId === parentSpanId);
      // a microsecond is what doubles of this size leave uncertain
      const inside =
        BigInt(startTimeUnixNano) + 1000n >= BigInt(parent?.startTimeUnixNano ?? 0) &&
        BigInt(endTimeUnixNano) <= BigInt(parent?.endTimeUnixNano ?? 0) + 1000n;
      t.ok(inside, `${name} lies inside ${parent?.name}`);
    }
  }
});

t.test('a trace goes no further than what is understood', async (t) => {
  const parent = { traceId: newTraceId(), spanId: newSpanId() };
  t.same(parseTraceParent(formatTraceParent(parent)), parent);
  const text = formatTraceParent(parent);
  for (const junk of [
    undefined,
    '',
    ['a', text],
    `${text}0`,
    text.toUpperCase().replace('00-', 'ff-'),
    text.replace(/01$/, '00'),
    `00-${'0'.repeat(32)}-${parent.spanId}-01`,
  ]) {
    t.equal(parseTraceParent(junk), undefined, `${junk}`);
  }
  const ids = Array.from({ length: 4000 }, newTraceId);
  t.ok(ids.every((id) => isSampled(id, 1)) && !ids.some((id) => isSampled(id, 0)));
  const share = ids.filter((id) => isSampled(id, 0.25)).length / ids.length;
  t.ok(share > 0.2 && share < 0.3, `${share}`);
});

const trip = (change: Partial<Trip>): Trip =>
  ({
    ...{
      frame: 3,
      partition: 'input',
      rate: 0,
      bytes: 100,
      answerBytes: 0,
      headRunMs: 0,
      publishMs: 0,
      detections: [],
    },
    ...{ startedAt: 0, outcome: 'result', steps: {}, picture: {} },
    ...change,
  }) as unknown as Trip;

t.test('lost frames say why; frames of the device have no round trip', async (t) => {
  const parent = { traceId: newTraceId(), spanId: newSpanId() };
  const lost = tripSpans(
    trip({ outcome: 'timeout', waitedMs: 50, steps: { head: 5, total: 60, capture: 1 } }),
    parent,
    1000,
    'a',
  );
  t.match(lost[0], { name: 'frame', error: 'timeout', start: 940, end: 1000 });
  t.match(
    lost.find(({ name }) => name === 'round trip'),
    { start: 950, end: 1000, spanId: parent.spanId },
  );
  t.match(
    lost.find(({ name }) => name === 'head'),
    { start: 945, end: 950 },
  );
  const here = tripSpans(
    trip({ outcome: 'local', bytes: 0, steps: { head: 30, post: 2, total: 40 } }),
    parent,
    1000,
    'a',
  );
  t.notOk(here.some(({ name }) => name === 'round trip'));
  t.match(
    here.find(({ name }) => name === 'post'),
    { start: 998, end: 1000 },
  );
});

t.test('what is sent has the form that OpenTelemetry’s own exporter gives it', async (t) => {
  const traceId = newTraceId();
  const about = { service: 'deepcod-agent', instance: 'yard', version: '1' };
  const attributes = { text: 'x', whole: 7, part: 0.5, yes: true, none: undefined };
  const span = {
    traceId,
    spanId: newSpanId(),
    parentId: newSpanId(),
    name: 'frame',
    kind: 'client' as const,
    attributes,
  };
  const ours = JSON.parse(
    encodeSpans(about, [{ ...span, start: 1_700_000_000_000.25, end: 1_700_000_000_001, error: 'late' }]),
  );
  const time = (ms: number, fraction = 0): [number, number] => [1_700_000_000, ms * 1e6 + fraction];
  const { none: _, ...given } = attributes;
  const readable = {
    ...{ name: 'frame', kind: 2, attributes: given, links: [], events: [], status: { code: 2, message: 'late' } },
    ...{ startTime: time(0, 250_000), endTime: time(1), duration: [0, 750_000], ended: true },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
    spanContext: () => ({ traceId, spanId: span.spanId, traceFlags: 1 }),
    parentSpanContext: { traceId, spanId: span.parentId, traceFlags: 1 },
    resource: {
      attributes: { 'service.name': 'deepcod-agent', 'service.instance.id': 'yard', 'service.version': '1' },
    },
    instrumentationScope: { name: 'deepcod', version: '1' },
  };
  const bytes = JsonTraceSerializer.serializeRequest([readable as never]);
  const theirs = JSON.parse(Buffer.from(bytes as Uint8Array).toString());
  const [a, b] = [ours, theirs].map(({ resourceSpans: [first] }) => first);
  t.same(a.resource.attributes, b.resource.attributes);
  t.same(a.scopeSpans[0].scope, b.scopeSpans[0].scope);
  const [mine, other] = [a.scopeSpans[0].spans[0], b.scopeSpans[0].spans[0]];
  for (const key of [
    'traceId',
    'spanId',
    'parentSpanId',
    'name',
    'kind',
    'startTimeUnixNano',
    'endTimeUnixNano',
    'status',
  ]) {
    t.same(mine[key], other[key], key);
  }
  const loose = (list: { key: string; value: Record<string, unknown> }[]) =>
    list.map(({ key, value }) => [key, Object.keys(value)[0], `${Object.values(value)[0]}`]);
  t.same(loose(mine.attributes), loose(other.attributes));
});

t.test('a collector that fails or is not there costs nothing but spans', async (t) => {
  const resource = { service: 's', instance: 'i', version: '1' };
  const failing = await collector(t, 503);
  const span = {
    traceId: newTraceId(),
    spanId: newSpanId(),
    name: 'x',
    kind: 'internal',
    start: 1,
    end: 2,
    attributes: {},
  } as const;
  const exporter = new SpanExporter(failing.url, resource, silentLog);
  for (let i = 0; i < 5000; i++) exporter.add([span]);
  await exporter.close();
  t.equal(exporter.sent, 0);
  t.equal(exporter.dropped, 5000, 'all counted');
  t.ok(failing.posts() <= 5, 'bounded: 2048 wait at most');
  const nobody = new SpanExporter('http://127.0.0.1:9/v1/traces', resource, silentLog);
  nobody.add([span]);
  await nobody.close();
  t.equal(nobody.dropped, 1);
});

t.test('the agent’s own metrics', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, metrics: { port: 0 } } });
  const said: string[] = [];
  const log = { ...silentLog, info: (_: string, fields?: object) => void said.push((fields as { url: string }).url) };
  const observers = await Observers.open(config, log);
  t.equal((await fetch(said[0])).status, 200, 'before there is an agent, too');
  const run = await testAgent(edge.brokerUrl, { partition: 'input' }, observers.parts());
  observers.watch(run.agent);
  await until(() => run.agent.stats.results >= 8, 'eight results');
  const response = await fetch(said[0]);
  t.match(response.headers.get('content-type'), /version=0\.0\.4/);
  const read = parseExposition(await response.text());
  t.same(lint(read), []);
  t.ok((seriesValue(read, 'deepcod_agent_frames_total') ?? 0) >= 8);
  t.ok((seriesValue(read, 'deepcod_agent_step_seconds_count', { step: 'tail' }) ?? 0) > 0);
  t.ok((seriesValue(read, 'deepcod_agent_results_total', { by: 'edge' }) ?? 0) > 0);
  t.equal(seriesValue(read, 'deepcod_agent_partition', { partition: 'input' }), 1);
  t.equal((await fetch(said[0].replace('metrics', 'other'))).status, 404);
  t.equal((await fetch(said[0], { method: 'POST' })).status, 405);
  await run.stop();
  await observers.close();
  await t.rejects(fetch(said[0]), 'the port is free again');
});

t.test('nothing is loaded that is not wanted', async (t) => {
  const observers = await Observers.open(loadAgentConfig({ overrides: { bundle: tinyBundle } }), silentLog);
  t.same(observers.parts(), { onTrip: undefined });
  await observers.close();
});

t.test('a path that is none does not end the agent', async (t) => {
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, device: 'yard', metrics: { port: 0 } } });
  const events: LogEvent[] = [];
  const log = createLog('agent', 'info', { write: (_, event) => events.push(event) });
  const observers = await Observers.open(config, log);
  t.teardown(() => observers.close());
  const { port } = new URL(String(events[0].fields.url));
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('GET // HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  t.match(answer, /^HTTP\/1\.1 404 /);
});
