/**
 * What the power chip of a Raspberry Pi 5 measures, W: current times voltage of every rail that it feeds, from
 * `vcgencmd pmic_read_adc`. What USB devices draw, and what is lost before the rails, is not in it.
 * @returns undefined where no rail has both
 */
export function powerOf(answer: string): number | undefined {
  const rails = new Map<string, { A?: number; V?: number }>();
  for (const [, rail, unit, value] of answer.matchAll(/^\s*(\w+)_([AV]) \w+\(\d+\)=([0-9.]+)[AV]\s*$/gm)) {
    rails.set(rail, { ...rails.get(rail), [unit]: Number(value) });
  }
  const watts = [...rails.values()].flatMap(({ A, V }) => (A === undefined || V === undefined ? [] : [A * V]));
  if (watts.length === 0) return undefined;
  return Math.round(watts.reduce((sum, each) => sum + each, 0) * 100) / 100;
}
