// The hostile world itself: the same seed lives the same life, what once failed is lived again, and the oracle sees what is wrong.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/codec/journal-record.ts';
import type { Polled } from '../../src/jobs/poll-bus.ts';
import { CONTRACT } from '../contract/schemas.ts';
import { commandOf, readRegressions } from './command.ts';
import { FAULT_KINDS } from './faults.ts';
import { HostileWorld } from './hostile-world.ts';
import { MUTATIONS } from './mutations.ts';
import { expand } from './options.ts';
import { Oracle } from './oracle.ts';
import { type RunLine, runSeed } from './run.ts';
import { START } from './street.ts';
import { live } from './sweep.ts';

/** Where `tsc -p tests/world` puts the collector. */
const COMPILED = join(CONTRACT, '..', '..', 'dist', 'src');
const SMALL = { meters: 8, days: 1 };
const FILE = join(import.meta.dirname, 'regressions.txt');
const REGRESSIONS = readRegressions(readFileSync(FILE, 'utf8'));

describe('the hostile world', () => {
  it('the same seed lives the same life, another seed another', async () => {
    const [one, same, other] = [
      await runSeed({ seed: 5, ...SMALL }),
      await runSeed({ seed: 5, ...SMALL }),
      await runSeed({ seed: 6, ...SMALL }),
    ];
    expect(same.line.hash).toBe(one.line.hash);
    expect(same.line.faults).toEqual(one.line.faults);
    expect(other.line.hash).not.toBe(one.line.hash);
  }, 120_000);

  it('every fault has an id of its own and says what it is', () => {
    const ids = FAULT_KINDS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { means } of FAULT_KINDS) expect(means.length).toBeGreaterThan(10);
  });

  it('every mutation still finds the place where it is to be planted', () => {
    for (const { name, file, text } of MUTATIONS) {
      const compiled = readFileSync(join(COMPILED, file), 'utf8');
      expect(compiled.split(text), name).toHaveLength(2);
    }
  });

  it('leaving one fault out changes nothing of when the others strike', () => {
    const all = expand({ seed: 9, faults: 'all' });
    const { F1, ...others } = all.rates;
    expect(F1).toBeGreaterThan(0);
    expect(expand({ seed: 9, faults: 'all,-F1' }).rates).toEqual(others);
  });
});

describe('what was found once stays mended', () => {
  const lines: RunLine[] = [];
  beforeAll(() => live(['--regressions', FILE], (run) => lines.push(run)), 600_000);

  it.each(REGRESSIONS)('$found', ({ options }) => {
    const line = lines[REGRESSIONS.findIndex((one) => one.options === options)];
    expect(line?.options).toEqual(options);
    expect(line?.violations, commandOf(options)).toEqual([]);
  });
});

/** A world that nobody lives in, with its oracle. */
function quietWorld() {
  const oracle: Oracle = new Oracle(() => world);
  const world: HostileWorld = new HostileWorld(expand({ seed: 1, ...SMALL, faults: 'none' }), {
    ...{ onMessage: () => undefined, onPolled: () => undefined, onViolation: () => undefined },
  });
  return { oracle, world };
}

describe('the oracle', () => {
  it('sees a row that is told before it is on the medium', () => {
    const { oracle, world } = quietWorld();
    const payload =
      '{"v":1,"type":"event","epoch":"E","row":7,"code":"x","phase":"raise","data":{}}';
    const message = { topic: 'watermeter-v1/test/COL-1/up/event', payload, qos: 1 as const };
    oracle.hear({ ...message, retain: false, at: START });
    expect(oracle.violations.map(({ code }) => code)).toContain('I5');
    world.medium.rot(keys.row(7), 'there');
    const before = oracle.violations.filter(({ code }) => code === 'I5').length;
    oracle.hear({ ...message, retain: false, at: START });
    expect(oracle.violations.filter(({ code }) => code === 'I5')).toHaveLength(before);
  });

  it('sees a living meter that waits twice for one sick meter', async () => {
    const { oracle, world } = quietWorld();
    await world.clock.run(START + 3_600_000);
    const at = START + 3_000_000;
    const sick = (meter: string, askedAt: number): Polled => ({
      ...{ meter, due: at, askedAt, endedAt: askedAt + 2_000, failures: 2, ok: false },
    });
    const well = { meter: 'A', due: at, askedAt: at + 4_000, endedAt: at + 4_100 };
    oracle.polled('bus-1', sick('B', at));
    oracle.polled('bus-1', { ...well, askedAt: at + 2_000, failures: 0, ok: true });
    expect(oracle.violations).toEqual([]);
    oracle.polled('bus-1', sick('B', at + 2_000));
    oracle.polled('bus-1', { ...well, failures: 0, ok: true });
    expect(oracle.violations.map(({ code }) => code)).toEqual(['I7']);
  });
});
