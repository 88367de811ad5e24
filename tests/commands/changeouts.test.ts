// A change-out under way is the collector's to remember: another phone goes on, a restart loses nothing, and nobody does it twice.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Commands, Journal } from '../../src/boundaries.ts';
import { changeoutAnswerers } from '../../src/commands/changeouts.ts';
import { createOperations } from '../../src/commands/operations.ts';
import { siteAnswerers, withAnswerers } from '../../src/commands/site.ts';
import { faulty } from '../../src/domain/fault.ts';
import { createJournal } from '../../src/journal/journal.ts';
import type { MeteredPlace } from '../../src/pipeline.ts';
import { Medium } from '../fakes/memory-store.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FINE, HOUR, openMetered, read, readHours, rulesOf, T0 } from '../journal/metered.ts';

const profile = modbusProfile({ type: 'u32', order: 'ABCD' }, { dial: FINE });
const place: MeteredPlace = {
  target: { meter: 'SP-1', address: '1', profile, dial: FINE },
  rules: rulesOf(FINE),
};

let medium: Medium;
let journal: Journal;
const clock = new VirtualClock(T0 + HOUR);

async function run(name: string, args = {}) {
  const places = new Map([['SP-1', place]]);
  const named = {
    ...createOperations(journal, { clock, places }),
    ...changeoutAnswerers({ journal, clock }),
  };
  const answerer = named[name];
  if (!answerer) throw new Error(name);
  return answerer(args);
}

const kept = async () => {
  const answer = await run('changeout.list');
  return answer.ok ? (answer.data as { changeouts: object[] }).changeouts : answer;
};

/** The collector starts again: what was not on the medium is gone. */
async function restart(): Promise<void> {
  await journal.close();
  journal = await openMetered(() => medium.open(), { 'SP-1': FINE });
}

beforeEach(async () => {
  medium = new Medium();
  journal = await openMetered(() => medium.open(), { 'SP-1': FINE });
  readHours(journal, 'SP-1', 0, 1);
  await journal.flush();
});

describe('a change-out', () => {
  it('that two tell at a time is done once, and the old dial is no reading of the new meter', async () => {
    const told = { meter: 'SP-1', inst: 1, by: 'ana' };
    const answers = await Promise.all([
      run('changeout', told),
      run('changeout', { ...told, final: '00000061' }),
    ]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, false]);
    expect(answers[1]).toMatchObject({ code: 'conflict' });
    expect(journal.facts('SP-1')?.inst).toBe(2);
    expect(journal.installation('SP-1')?.last).toBeNull();
  });

  it('that was lost with a write that failed before it is not told as done', async () => {
    let written = () => {};
    const gate = new Promise<void>((resolve) => {
      written = resolve;
    });
    medium.syncIn(() => gate);
    medium.failNext(1);
    read(journal, 'SP-1', 61, 62);
    const failed = journal.flush();
    const answer = run('changeout', { meter: 'SP-1', by: 'ana' });
    for (let i = 0; i < 100 && journal.facts('SP-1')?.inst !== 2; i += 1) await Promise.resolve();
    written();
    medium.syncIn(null);
    expect(await failed).toMatchObject({ ok: false });
    expect(await answer).toMatchObject({ ok: false, code: 'internal' });
    expect(journal.facts('SP-1')?.inst).toBe(1);
    expect(await run('changeout', { meter: 'SP-1', by: 'ana' })).toMatchObject({ ok: true });
    expect(journal.facts('SP-1')?.inst).toBe(2);
  });
});

describe('what is kept of a change-out', () => {
  it('is not told as kept or dropped where the journal takes nothing', async () => {
    await run('changeout.keep', { meter: 'SP-1', step: 'swap', by: 'ana' });
    for (const [name, args] of [
      ['changeout.keep', { meter: 'SP-1', step: 'initial', by: 'ana' }],
      ['changeout.drop', { meter: 'SP-1' }],
    ] as const) {
      medium.failNext(1);
      read(journal, 'SP-1', 61, 62);
      // Another's write fails while the command looks at what there is, or before it.
      const failed = journal.flush();
      if (name === 'changeout.drop') await failed;
      const answer = await run(name, args);
      await failed;
      expect(answer, name).toMatchObject({ ok: false });
      await journal.flush();
      expect(await kept(), name).toMatchObject([{ step: 'swap' }]);
    }
  });
});

describe('what is asked of a site whose journal is not open', () => {
  it.each([
    ['changeout.list', {}],
    ['changeout.keep', { meter: 'SP-1', step: 'swap' }],
    ['changeout.drop', { meter: 'SP-1' }],
    ['commission.list', {}],
    ['commission.get', { id: 'C20260601000000' }],
    ['report.list', {}],
    ['report.get', { id: 'one' }],
  ])('is refused in words, and not told as nothing: %s', async (name, args) => {
    const closed = createJournal({
      ...{ collector: 'COL-1', newEpoch: () => 'E1' },
      openStore: async () => faulty('store.failed', 'no disk'),
    });
    const parts = { journal: closed, clock } as unknown as Parameters<typeof siteAnswerers>[0];
    const others: Commands = { run: async () => ({ ok: true, data: null }) };
    const site = withAnswerers(others, siteAnswerers(parts));
    const answer = await site.run(name, args);
    expect(answer).toMatchObject({ ok: false, hint: 'Try again.' });
    expect(answer.ok ? '' : answer.code).toMatch(/^(?:internal|busy)$/);
  });
});

describe('a change-out under way', () => {
  it('is there again after a restart, with all that was known and who began it', async () => {
    const first = { meter: 'SP-1', step: 'swap', by: 'ana', final: '00000060', by_encoder: true };
    expect(await run('changeout.keep', first)).toMatchObject({ ok: true });
    await restart();
    const [found] = (await kept()) as object[];
    expect(found).toEqual({
      ...{ ...first, inst: 1, began: '2026-06-01T01:00:00Z' },
      ...{ profile: null, address: null, register_id: null },
    });
    const more = { meter: 'SP-1', step: 'told', by: 'luis', profile: 'p', address: '7' };
    expect(await run('changeout.keep', more)).toMatchObject({ ok: true });
    await restart();
    expect(await kept()).toMatchObject([
      { step: 'told', final: '00000060', by_encoder: true, profile: 'p', address: '7' },
    ]);
  });

  it('is done once, although two phones tell it, over a restart too', async () => {
    await run('changeout.keep', { meter: 'SP-1', step: 'told', by: 'ana', final: '00000060' });
    const told = { meter: 'SP-1', inst: 1, digits: 8, register_id: '77' };
    expect(await run('changeout', told)).toMatchObject({ ok: true, data: { inst: 2 } });
    await restart();
    expect(await kept()).toMatchObject([{ step: 'initial', inst: 2, final: '00000060' }]);
    expect(await run('changeout', told)).toMatchObject({ ok: false, code: 'conflict' });
    expect(journal.facts('SP-1')?.inst).toBe(2);
  });

  it('is forgotten when it is done or given up', async () => {
    await run('changeout.keep', { meter: 'SP-1', step: 'scan', by: 'ana' });
    expect(await run('changeout.drop', { meter: 'SP-1' })).toMatchObject({ ok: true });
    await restart();
    expect(await kept()).toEqual([]);
    await run('changeout', { meter: 'SP-1' });
    expect(await kept()).toEqual([]);
  });

  it('is of a meter that is known, and at a step that there is', async () => {
    const at = (meter: unknown, step: unknown) => run('changeout.keep', { meter, step });
    expect(await at('SP-9', 'swap')).toMatchObject({ ok: false, code: 'unknown_meter' });
    expect(await at('SP-1', 'initially')).toMatchObject({ ok: false, code: 'bad_request' });
    expect(await run('changeout.drop', {})).toMatchObject({ ok: false, code: 'unknown_meter' });
    expect(await kept()).toEqual([]);
  });
});
