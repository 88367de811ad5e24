// Shows that the demo's screen fits its terminal and reads like the dials it shows.

import { expect, test } from 'vitest';
import type { Dial } from '../../simulator/entries.ts';
import { drawScreen, type MeterRow, type ScreenView } from '../../simulator/screen.ts';
import { dialText, gallonsText, volumeText } from '../../simulator/volume.ts';

const EIGHT: Dial = { digits: 8, unit: 'ft3', pow10: -1 };
const FOUR: Dial = { digits: 4, unit: 'ft3', pow10: 2 };

function row(index: number, dial: Dial): MeterRow {
  return {
    meter: `SP-${String(index).padStart(5, '0')}`,
    transport: 'Modbus RTU',
    dial,
    register: 42,
    sofar: 12,
    last: { start: Date.UTC(2026, 5, 1, 3), use: 1_203, q: 'A' },
    hours: 123,
    note: 'running toilet, and a remark that is too long for any terminal a person would use',
  };
}

function view(meters: number): ScreenView {
  return {
    now: Date.UTC(2026, 5, 1, 14, 32),
    speed: 2400,
    seed: 7,
    broker: 'embedded (2 clients)',
    collector: 'ready',
    hours: 984,
    rows: Array.from({ length: meters }, (_, index) => row(index, index % 2 === 0 ? EIGHT : FOUR)),
    footer: 'Ctrl-C ends it with an audit: every count that passed against every one that arrived.',
  };
}

test.each([
  { width: 80, height: 24, meters: 8 },
  { width: 100, height: 30, meters: 8 },
  { width: 80, height: 24, meters: 40 },
  { width: 30, height: 6, meters: 8 },
])('the screen fits $width x $height with $meters meters', ({ width, height, meters }) => {
  const lines = drawScreen(view(meters), { width, height, colour: false });
  expect(lines.length).toBeLessThan(height);
  for (const line of lines) expect(line.length).toBeLessThan(width);
});

test('without colour there is not one escape sequence on the screen', () => {
  const lines = drawScreen(view(8), { width: 100, height: 30, colour: false });
  expect(lines.join('')).not.toContain('\x1b');
});

test('every meter stands on the screen with its dial, this hour, last hour and quality', () => {
  const lines = drawScreen(view(8), { width: 100, height: 30, colour: false });
  const shown = lines.filter((line) => line.startsWith('SP-'));
  expect(shown).toHaveLength(8);
  expect(shown[0]).toMatch(
    /^SP-00000 Modbus RTU 0000004\.2 ft3 +1\.2 ft3 +9\.0 gal +03:00 120\.3 ft3 A +123 +running toilet/,
  );
  expect(shown[1]).toMatch(/^SP-00001 Modbus RTU 0042 x100 ft3 +1200 ft3 +8977 gal/);
});

test('meters for which there is no room are counted', () => {
  const lines = drawScreen(view(40), { width: 80, height: 24, colour: false });
  const shown = lines.filter((line) => line.startsWith('SP-')).length;
  expect(lines).toContain(`... and ${40 - shown} more meters`);
});

test('a meter that was never read shows no number it does not have', () => {
  const silent = { ...row(1, EIGHT), sofar: undefined, last: undefined, hours: 0, note: '' };
  const lines = drawScreen(
    { ...view(0), rows: [silent] },
    { width: 80, height: 24, colour: false },
  );
  const shown = lines.find((line) => line.startsWith('SP-')) ?? '';
  expect(shown.slice(shown.indexOf('ft3') + 3)).toMatch(/^ +- +- +0 *$/);
});

test('dials keep their zeros and volumes their last count', () => {
  expect(dialText(7, { digits: 6, unit: 'm3', pow10: 0 })).toBe('000007 m3');
  expect(dialText(99_999_999, EIGHT)).toBe('9999999.9 ft3');
  expect(volumeText(-3, EIGHT)).toBe('-0.3 ft3');
  expect(volumeText(5, { digits: 6, unit: 'm3', pow10: -3 })).toBe('0.005 m3');
  expect(gallonsText(10, EIGHT)).toBe('7.5 gal');
  expect(gallonsText(10, { digits: 6, unit: 'm3', pow10: 0 })).toBe('');
});
