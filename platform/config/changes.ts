/** Keys (`camera.fps`) whose values differ between two configurations; lists count as one value. */
export function changedKeys(before: object, after: object, prefix = ''): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const [old, now] = [before, after].map((tree) => (tree as Record<string, unknown>)[key]);
    if (isTree(old) && isTree(now)) return changedKeys(old, now, `${prefix}${key}.`);
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [prefix + key];
  });
}

const isTree = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
