// What those who sit at the collector may ask: the proof of every record, the whole journal as lines, what it holds and costs.

import { beforeEach, describe, expect, it } from 'vitest';
import type { CommandAnswer, Commands, Journal } from '../../src/boundaries.ts';
import { keys } from '../../src/codec/journal-record.ts';
import { withLocal } from '../../src/commands/local.ts';
import { conserve } from '../../src/domain/conservation.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { good } from '../../src/domain/fault.ts';
import { Medium } from '../fakes/memory-store.ts';
import { FINE, openMetered, readHours, T0, waiting } from '../journal/metered.ts';

const LIMITS = {
  ...{ incrementDays: 45, hourDays: 400, eventDays: 400 },
  ...{ maxBytes: 10_000_000, minFreeBytes: 1_000_000 },
};
const others: Commands = { run: async (name) => ({ ok: true, data: name }) };

let medium: Medium;
let journal: Journal;
let written: { path: string; lines: string[] } | undefined;
let commands: Commands;

const serve = (one: Journal) =>
  withLocal(others, one, {
    ...{ collector: 'COL-1', limits: LIMITS, wearBudget: 40e6, now: () => T0 + 86_400_000 },
    async writeFile(path, lines) {
      const all: string[] = [];
      for await (const line of lines) all.push(line);
      written = { path, lines: all };
      return good(all.join('').length);
    },
    rest: () => Promise.resolve(),
  });

beforeEach(async () => {
  medium = new Medium();
  written = undefined;
  journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': FINE });
  readHours(journal, 'SP-1', 0, 24);
  readHours(journal, 'SP-2', 0, 24);
  await journal.flush();
  journal.settle((await waiting(journal)).slice(0, 10));
  await journal.flush();
  commands = serve(journal);
});

const dataOf = (answer: CommandAnswer) => {
  if (!answer.ok) throw new Error(answer.message);
  return answer.data as Record<string, unknown>;
};

/** Changes a record behind the journal's back and opens it anew. */
async function spoil(key: string, edit: (text: string) => string | undefined): Promise<void> {
  await journal.close();
  const store = await medium.open();
  if (!store.ok) throw new Error(store.fault.detail);
  const found = await store.value.get(key);
  if (!found.ok || found.value === undefined) throw new Error(`nothing in ${key}`);
  const value = edit(found.value);
  await store.value.write([value === undefined ? { key } : { key, value }]);
  await store.value.close();
  journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': FINE });
  commands = serve(journal);
}

const flip = (text: string) => `${text.slice(0, -1)}${text.endsWith('1') ? '2' : '1'}`;

describe('the audit', () => {
  it('says of a sound journal what waits and what was acknowledged', async () => {
    expect(dataOf(await commands.run('audit', {}))).toMatchObject({
      ...{ ok: true, rows: 48, pending: 38, acknowledged: 10, problems: [] },
    });
  });

  it.each([
    ['an hour', () => `${keys.hoursFrom('SP-1', 1, T0 + 3_600_000)}/000`, flip],
    ['an increment', () => keys.increment('SP-2', 1, 7), flip],
    ['an increment that is gone', () => keys.increment('SP-2', 1, 7), () => undefined],
    ['the number of a row', () => keys.row(5), flip],
    ['the number of a row that is gone', () => keys.row(5), () => undefined],
    [
      'an hour that is gone',
      () => `${keys.hoursFrom('SP-1', 1, T0 + 3_600_000)}/000`,
      () => undefined,
    ],
    ['a pending row', () => keys.pending('SP-1', 20), flip],
    ['circumstances', () => keys.circumstances('SP-1'), flip],
  ])('names the exact place of %s that is damaged', async (_, keyOf, edit) => {
    await spoil(keyOf(), edit);
    const { ok, problems } = dataOf(await commands.run('audit', {}));
    // What stands in memory is mended at the opening already.
    if (keyOf().startsWith('c/')) return;
    expect(ok).toBe(false);
    const place = /SP-[12]\/(?:0001\/)?|row 5|rows 2|SP-1\/0+20/;
    expect((problems as string[]).join('\n')).toMatch(place);
  });

  it('tells how far it is while it reads', async () => {
    const auditing = commands.run('audit', {});
    const during = dataOf(await commands.run('audit.progress', {}));
    expect(during['records']).toBeTypeOf('number');
    await auditing;
    expect(dataOf(await commands.run('audit.progress', {}))).toEqual({ records: null });
  });
});

describe('the export', () => {
  it('holds all that anyone needs for a proof of his own, after thinning too', async () => {
    journal.settle(await waiting(journal, 'SP-2'));
    await journal.thin({ ...LIMITS, incrementDays: 0, hourDays: 0 }, () => Promise.resolve());
    expect(dataOf(await commands.run('journal.export', { file: '/tmp/x' }))).toMatchObject({
      file: '/tmp/x',
    });
    const lines = (written?.lines ?? []).map((line) => JSON.parse(line) as Record<string, never>);
    expect(lines[0]).toMatchObject({ type: 'journal', v: 1 });
    expect(lines.at(-1)).toEqual({ type: 'end', lines: lines.length - 1 });
    for (const meter of ['SP-1', 'SP-2']) {
      const of = (type: string) =>
        lines.filter((one) => one['type'] === type && one['meter'] === meter);
      const [installation] = of('installation') as unknown as {
        initial_read: number;
        digits: number;
      }[];
      const [point] = of('checkpoint') as unknown as {
        intervals: { use: number };
        increments: { seq: number; total: number };
      }[];
      const steps = of('increment') as unknown as { seq: number; counts: number; unit: string }[];
      const entries = [...of('interval'), ...of('gap')].map((one) => toEntry(one));
      const use = point?.intervals.use ?? 0;
      const proof = conserve(1, entries, installation?.initial_read ?? 0, { digits: 8 }, use);
      expect(proof).toMatchObject({ problem: null, sum: 24 * 60, total: 24 * 60 });
      const sum = steps.reduce((total, { counts }) => total + counts, point?.increments.total ?? 0);
      expect(sum).toBe(24 * 60);
      expect(steps.every(({ unit }) => unit === 'ft3')).toBe(true);
    }
  });

  it('writes only where it is told a whole path', async () => {
    expect(await commands.run('journal.export', { file: 'x' })).toMatchObject({
      code: 'bad_request',
    });
    expect(written).toBeUndefined();
  });
});

describe('the figures', () => {
  it('say rows, days kept and limits, and leave open what nobody can tell', async () => {
    expect(dataOf(await commands.run('journal.stats', {}))).toMatchObject({
      ...{ rows: 48, pending: 38, bytes: null, days_left: null, written_today: null },
      days_kept: { increments: 1, hours: 1 },
      limits: { increment_days: 45, max_bytes: 10_000_000 },
      write_budget: 40e6,
    });
  });
});

function toEntry(one: Record<string, unknown>): Entry {
  const time = (name: string) => Date.parse(String(one[name]));
  const common = { ...one, inst: 1, flags: [], rev: (one['rev'] as number | undefined) ?? 0 };
  return (one['type'] === 'interval'
    ? { ...common, kind: 'hour', start: time('start') }
    : { ...common, kind: 'gap', from: time('from'), to: time('to') }) as unknown as Entry;
}
