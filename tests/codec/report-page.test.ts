// The printed report: whole by itself, in both languages, and nothing that people typed can act on it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { qrSvg } from '../../src/adapters/qr-code.ts';
import { sha256 } from '../../src/adapters/sha256.ts';
import { type ReportContent, reportPage } from '../../src/codec/report-page.ts';
import { newSession, type Step, withStep } from '../../src/domain/commission.ts';
import { LANGUAGES, type Language, sayIn } from '../../src/domain/words.ts';

const sayOf = (language: Language) =>
  sayIn(
    language,
    JSON.parse(
      readFileSync(new URL(`../../config/locales/${language}.json`, import.meta.url), 'utf8'),
    ),
  );

const EVIL = `<img src=x onerror=alert(1)>"'&`;

const steps = () => {
  const at = '2026-11-22T15:00:00Z';
  const began = newSession({ id: 'C1', meter: 'SP-1', bus: 'hut', by: EVIL, began: at });
  const bound = withStep(began, {
    ...{ step: 'bind', state: 'done', at, result: { body_serial: EVIL, route: null } },
  });
  return withStep(bound, { step: 'tap', state: 'skipped', at, result: { reason: EVIL } }).steps;
};

const CONTENT: ReportContent = {
  ...{ v: 1, type: 'commission', id: 'commission-COL-1-SP-1-2026-11-22', collector: 'COL-1' },
  ...{ utility: 'demo', version: '0.1.0', meter: 'SP-1', bus: 'hut', by: EVIL },
  ...{ began: '2026-11-22T15:00:00Z', at: '2026-11-22T15:20:00Z', clock: null, settings: null },
  installation: { digits: 8, unit: 'ft3', pow10: -1 },
  steps: steps(),
};

const pageIn = (language: Language, content = CONTENT) => {
  const hash = sha256('x');
  const qr = qrSvg(`COL-1 ${hash}`);
  return reportPage(content, { sha256: hash, qr, say: sayOf(language), language });
};

describe('a printed report', () => {
  it.each(LANGUAGES)(
    'asks for nothing from elsewhere, and every sentence is said in %s',
    (language) => {
      const page = pageIn(language);
      expect(page).toContain(`<html lang="${language}">`);
      expect(page).not.toMatch(/\b(?:src|href|url)\s*[=(]\s*["']?(?!x)/);
      expect(page).not.toMatch(/site\.\w+|\{\w+\}/);
      expect(page).toContain('0.1 ft³');
      expect(page).toContain('2026-11-22 15:20:00 UTC');
      expect(page).not.toMatch(/\dT\d/);
    },
  );

  it('shows a tap test as the dial of the meter shows it, leading zeros included', () => {
    const tap: Step = {
      ...{ step: 'tap', state: 'done', at: '2026-11-22T15:10:00Z' },
      result: { verdict: 'rose', counts: 12, elapsed_s: 60, from_read: 1230, read: 1242 },
    };
    const session = newSession({ id: 'C1', meter: 'SP-1', bus: 'hut', by: 'ana', began: '' });
    const { steps } = withStep(session, tap);
    expect(pageIn('en', { ...CONTENT, steps })).toContain('From 00001230 to 00001242 in 60 s.');
    const four = { ...CONTENT, steps, installation: { digits: 4, unit: 'ft3', pow10: 2 } };
    expect(pageIn('es', four)).toContain('De 1230 a 1242 en 60 s.');
  });

  it('tells what people typed as text', () => {
    const page = pageIn('en');
    expect(page).not.toContain('<img');
    expect(page.match(/&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/g)).toHaveLength(3);
  });

  it('bears a QR code that a page can hold, of the collector and the hash', () => {
    const [svg] = /<svg[\s\S]*?<\/svg>/.exec(pageIn('en')) ?? [];
    expect(svg).toMatch(/viewBox="0 0 (\d+) \1"/);
    expect(svg).not.toBe(qrSvg(`COL-2 ${sha256('x')}`));
    expect(svg).toBe(qrSvg(`COL-1 ${sha256('x')}`));
  });

  it('has the hash that sha256sum has', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
