// The table in devices/README.md says what the device files say. Run with -u (npm run fix does) it is written anew.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { framingName } from '../../src/codec/framer.ts';
import type { Profile } from '../../src/domain/profile.ts';
import type { Device } from '../../src/settings/check-profile.ts';
import { loadProfiles } from '../../src/settings/load-profiles.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const README = join(ROOT, 'devices/README.md');
const BEGIN = '<!-- table: written by npm run fix -->';
const END = '<!-- end of table -->';

/** Columns padded to one width, as a Markdown table. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

function transport(profile: Profile): string {
  if (profile.transport === 'line') return `line, ${framingName(profile.framing)}`;
  return `Modbus, ${profile.table} registers`;
}

function row({ profile, examples }: Device): string[] {
  const { name, maker, model, dial, confidence } = profile;
  const face = `${dial.digits} digits, 10^${dial.pow10} ${dial.unit}`;
  const captured = examples.filter((example) => example.confidence === 'captured').length;
  const count = captured > 0 ? `${examples.length} (${captured} captured)` : `${examples.length}`;
  return [`\`${name}\``, `${maker}: ${model}`, transport(profile), face, confidence, count];
}

test('the table of devices/README.md lists every profile as its file has it', async () => {
  const { devices, problems } = await loadProfiles(ROOT);
  expect(problems).toEqual([]);
  const readme = await readFile(README, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  expect(after).toBeDefined();
  const head = ['profile', 'meters', 'asked over', 'dial', 'confidence', 'examples'];
  const written = table([head, ...devices.map(row)]);
  await expect(
    `${before}${BEGIN}\n\n${written}\n\n${END}${after}`,
    'devices/README.md is out of date: npm run fix writes its table anew',
  ).toMatchFileSnapshot(README);
});
