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
