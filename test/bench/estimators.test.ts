import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../platform/process.js';

t.test('both estimates are compared on every link, and the page says that it was simulated', async (t) => {
  const folder = t.testdir();
  const json = join(folder, 'estimators.json');
  const page = join(folder, 'estimators.md');
  const { code, output } = await run('bench/estimators.js', ['--quick', '--loopback', '--json', json, '--page', page]);
  t.equal(code, 0, output);
  const report = JSON.parse(readFileSync(json, 'utf8'));
  t.equal(report.link, 'loopback');
  t.equal(report.rows.length, 2);
  for (const row of report.rows) {
    t.ok(row.p50_ms > 0);
    for (const estimate of [row.model, row.harmonic]) {
      for (const error of [estimate.small, estimate.large, estimate.first]) t.ok(error >= 0 && Number.isFinite(error));
    }
  }
  const text = readFileSync(page, 'utf8');
  t.match(text, /simulated links/);
  t.equal(text.split('\n').filter((line) => line.includes('Mbit/s,')).length, 2);
});
