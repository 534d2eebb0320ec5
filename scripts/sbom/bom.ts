/** As much of a CycloneDX document as is touched here. */
export interface Bom {
  bomFormat: string;
  specVersion: string;
  metadata: { component: { 'bom-ref': string; name: string; version: string } };
  components: { 'bom-ref': string; type: string; name: string; version: string; purl: string; scope?: string }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/**
 * Adds pinned Python packages to a document.
 * @param requirements lines `name==version`, comments after #
 * @throws Error for a package that is not pinned: then nobody knows what is used
 */
export function withPython(bom: Bom, requirements: string): Bom {
  const lines = requirements.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const python = lines.filter(Boolean).map((line) => {
    const [, name, version] = /^([A-Za-z0-9._-]+)==([^\s;]+)/.exec(line) ?? [];
    if (!name) throw new Error(`training/requirements.txt: not pinned: ${line}`);
    const plain = name.toLowerCase().replaceAll(/[._]/g, '-');
    const purl = `pkg:pypi/${plain}@${version}`;
    // The toolkit makes models; nothing of it runs on a device or at the edge.
    return { 'bom-ref': purl, type: 'library', name: plain, version, purl, scope: 'optional' };
  });
  return {
    ...bom,
    components: [...bom.components, ...python],
    dependencies: [...bom.dependencies, ...python.map((component) => ({ ref: component['bom-ref'] }))],
  };
}

/** npm calls the product by the folder that it lies in. */
export function named(bom: Bom, name: string): Bom {
  return { ...bom, metadata: { ...bom.metadata, component: { ...bom.metadata.component, name } } };
}

/** As much of package-lock.json as is needed here. */
export interface Lock {
  packages: Record<string, { version?: string; dev?: boolean; name?: string }>;
}

/**
 * Leaves out what only builds and tests. `npm sbom --omit=dev` would also leave out what runs and is used by tests too.
 * @throws Error for a package that the lock does not know
 */
export function withoutDev(bom: Bom, { packages }: Lock): Bom {
  const dev = new Map<string, boolean>();
  for (const [path, { version, dev: only = false, name }] of Object.entries(packages)) {
    const ref = `${name ?? path.replace(/^.*node_modules\//, '')}@${version}`;
    dev.set(ref, only && (dev.get(ref) ?? true));
  }
  const runs = (ref: string): boolean => {
    const only = dev.get(ref);
    if (only === undefined) throw new Error(`package-lock.json does not hold ${ref}`);
    return !only;
  };
  const components = bom.components.filter((component) => runs(component['bom-ref']));
  const kept = new Set([bom.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
  const dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) }));
  return { ...bom, components, dependencies };
}
