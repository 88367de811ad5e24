// `read`: the dial with its time and quality, and why there is none.

import { beforeEach, describe, expect, it } from 'vitest';
import type { AskedOutcome, Journal } from '../../src/boundaries.ts';
import { readMeter } from '../../src/commands/read.ts';
import { heed } from '../../src/domain/advance.ts';
import { Medium } from '../fakes/memory-store.ts';
import { FINE, openMetered, read, rulesOf, T0 } from '../journal/metered.ts';

let journal: Journal;
let asked: [meter: string, withinMs: number][];

const answering = (outcome: AskedOutcome) => (meter: string, withinMs: number) => {
  asked.push([meter, withinMs]);
  return Promise.resolve(outcome);
};
const SEEN = answering({ ok: true, value: 15 });

beforeEach(async () => {
  asked = [];
  const medium = new Medium();
  journal = await openMetered(() => medium.open());
  read(journal, 'SP-1', 0, 0);
  read(journal, 'SP-1', 15, 15);
});

const say = (kind: 'disable' | 'maintain') => {
  const state = journal.installation('SP-1');
  if (!state) throw new Error('no state');
  const moment = { at: T0 + 16 * 60_000, mono: T0 + 16 * 60_000, boot: 'b', synced: true };
  journal.commit('SP-1', heed(state, { kind }, moment, rulesOf(FINE)));
};

describe('a meter read on demand', () => {
  it('tells dial, resolution, time and quality', async () => {
    expect(await readMeter(journal, SEEN, { meter: 'SP-1' })).toEqual({
      ok: true,
      data: {
        ...{
          meter: 'SP-1',
          inst: 1,
          read: 15,
          dial: '00000015',
          digits: 8,
          unit: 'ft3',
          pow10: -1,
        },
        ...{ at: '2026-06-01T00:15:00Z', q: 'A' },
      },
    });
    expect(asked).toEqual([['SP-1', 30_000]]);
  });

  it('a reading that is doubted is told as such, beside the newest that counts', async () => {
    read(journal, 'SP-1', 16, 5_000_000);
    const seen = answering({ ok: true, value: 5_000_000 });
    const answer = await readMeter(journal, seen, { meter: 'SP-1' });
    expect(answer).toMatchObject({ data: { q: 'S', read: 15, dial: '05000000' } });
  });

  it('under maintenance it is told so', async () => {
    say('maintain');
    expect(await readMeter(journal, SEEN, { meter: 'SP-1' })).toMatchObject({ data: { q: 'T' } });
  });

  it.each([
    ['a meter that there is not', { meter: 'SP-9' }, SEEN, 'unknown_meter'],
    ['nothing', {}, SEEN, 'unknown_meter'],
    ['a time that is none', { meter: 'SP-1', within_s: 'soon' }, SEEN, 'bad_request'],
    ['a time that is too long', { meter: 'SP-1', within_s: 101 }, SEEN, 'bad_request'],
    [
      'a meter that does not answer',
      { meter: 'SP-1' },
      answering({ ok: false, fault: { code: 'line.silent', detail: '' } }),
      'no_answer',
    ],
    [
      'a meter that must be left in peace',
      { meter: 'SP-1' },
      answering({ ok: false, busyUntil: T0 }),
      'busy',
    ],
    ['a meter without a collector', { meter: 'SP-1' }, undefined, 'daemon.absent'],
  ])('is refused for %s', async (_why, args, how, code) => {
    expect(await readMeter(journal, how, args)).toMatchObject({ ok: false, code });
  });

  it('the refusal says from when on the meter may be asked', async () => {
    const busy = answering({ ok: false, busyUntil: T0 + 20_000 });
    const answer = await readMeter(journal, busy, { meter: 'SP-1' });
    expect(answer.ok ? '' : answer.message).toContain('2026-06-01T00:00:20Z');
  });

  it('a disabled meter is not asked', async () => {
    say('disable');
    expect(await readMeter(journal, SEEN, { meter: 'SP-1' })).toMatchObject({ code: 'conflict' });
    expect(asked).toEqual([]);
  });
});
