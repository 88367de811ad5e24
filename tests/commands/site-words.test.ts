// Whatever a step of a commissioning fails for, and however a dial or tap compares, is said in both languages.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { STEPS } from '../../src/domain/commission.ts';
import { LANGUAGES } from '../../src/domain/words.ts';

const folder = new URL('../../src/commands/', import.meta.url);
const code = readdirSync(folder)
  .filter((name) => /^(?:commission|report)/.test(name))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');

/** What steps name as their failure, and refusals of the commands that they give. */
const FAILURES = [
  ...[...code.matchAll(/failed\(\s*'([a-z_]+)'/g)].map(([, name]) => name ?? ''),
  ...['port_gone', 'no_permission', 'port_busy', 'port_failed', 'peer_unreachable', 'not_a_port'],
  ...['bad_request', 'unknown_meter', 'busy', 'conflict', 'no_answer', 'verify_failed', 'internal'],
  ...['forbidden', 'daemon_absent', 'interrupted', 'polls_lost'],
];
const DIALS = [
  ...['match', 'moved', 'off_by_digit', 'scale', 'ignored_digit_match', 'wrong_meter', 'mismatch'],
];
const TAPS = ['rose', 'none', 'wrong_meter', 'several', 'below_resolution'];

describe.each(LANGUAGES)('in %s', (language) => {
  const file = new URL(`../../config/locales/${language}.json`, import.meta.url);
  const { site } = JSON.parse(readFileSync(file, 'utf8')) as { site: Record<string, string> };
  const unsaid = (keys: readonly string[]) => keys.filter((key) => !site[key]);

  it('every failure of a step is said', () => {
    expect(FAILURES.length).toBeGreaterThan(30);
    expect(unsaid(FAILURES.map((name) => `commission_${name}`))).toEqual([]);
  });

  it('every step, state and verdict is said', () => {
    const states = ['todo', 'running', 'done', 'failed', 'skipped'];
    expect(unsaid(STEPS.map((step) => `step_${step}`))).toEqual([]);
    expect(unsaid(states.map((state) => `state_${state}`))).toEqual([]);
    expect(unsaid(DIALS.flatMap((one) => [`verify_${one}`, `verdict_${one}`]))).toEqual([]);
    expect(unsaid(TAPS.map((one) => `tap_${one}`))).toEqual([]);
  });
});
