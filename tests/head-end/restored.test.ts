// Shows that a head-end has every count once after its collector was restored from an old backup, however the messages come.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ContractChecker } from '../../simulator/contract-rules/checker.ts';
import { toCsv } from '../../simulator/csv.ts';
import { readKept } from '../../simulator/head-end.ts';
import { KeptStore } from '../../simulator/kept-store.ts';
import { Ledger } from '../../simulator/ledger.ts';
import { Random } from '../../simulator/random.ts';
import { Life } from '../journal/life.ts';
import { HOUR } from '../journal/metered.ts';

type Sent = Life['sent'];

const told = (sent: Sent) => {
  const ledger = new Ledger();
  for (const { topic, payload } of sent) ledger.take(topic, payload);
  return ledger;
};

const usesOf = (arrivals: ReturnType<Ledger['arrivals']>) =>
  arrivals.reduce((sum, { entry }) => sum + (entry.use ?? 0), 0);

/** What all hours and gaps sum to. */
const sumOf = (ledger: Ledger) => usesOf([...ledger.arrivals(), ...ledger.forgotten()]);

/** The column `use` of a CSV. */
const csvSum = (csv: string) =>
  csv
    .split('\r\n')
    .slice(1, -1)
    .reduce((sum, line) => sum + Number(line.split(',')[9]), 0);

function shuffled<T>(all: readonly T[], seed: number): T[] {
  const chance = new Random(`restored/${seed}`);
  const mixed = all.flatMap((one) => (chance.chance(0.3) ? [one, one] : [one]));
  return mixed
    .map((one) => [chance.next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

/** The same messages as they came, the other way round, events first, events last, and in five orders with duplicates. */
function orders(sent: Sent): Map<string, Sent> {
  const isEvent = ({ topic }: Sent[number]) => topic.endsWith('/event');
  const [events, others] = [sent.filter(isEvent), sent.filter((one) => !isEvent(one))];
  return new Map<string, Sent>([
    ['as sent', sent],
    ['reversed', sent.toReversed()],
    ['events first', [...events, ...others]],
    ['events last', [...others, ...events]],
    ...[1, 2, 3, 4, 5].map((seed): [string, Sent] => [`seed ${seed}`, shuffled(sent, seed)]),
  ]);
}

function breaches(sent: Sent): string[] {
  const checker = new ContractChecker();
  for (const one of sent) checker.take({ ...one, qos: 1, retain: false });
  return checker.finish(null).flatMap((rule) => rule.breaches.map(({ text }) => text));
}

/** Asserts that all orders bring the head-end the truth, and no rule is called broken. */
async function expectTruth(life: Life, more = 0): Promise<void> {
  expect(await life.problems()).toEqual([]);
  const over = (life.ledger.latest('SP-1')?.start ?? 0) + HOUR;
  expect(over).toBeGreaterThan(life.now - 2 * HOUR);
  const truth = (life.dials.get(over) ?? Number.NaN) + more;
  for (const [order, sent] of orders(life.sent)) {
    const ledger = told(sent);
    expect([order, sumOf(ledger)]).toEqual([order, truth]);
    expect([order, ledger.conflicts, breaches(sent)]).toEqual([order, [], []]);
  }
}

/** Some days, and a backup of them. */
async function began(): Promise<{ life: Life; backup: readonly string[] }> {
  const life = await Life.begin();
  await life.read(50, 3);
  await life.silent(4, 5);
  await life.read(20, 3);
  await life.deliver();
  return { life, backup: await life.backup() };
}

/** Hours, a gap and hours again are told, of which a backup made before knows nothing. */
async function tellMore(life: Life): Promise<void> {
  await life.read(30, 3);
  await life.silent(6, 7);
  await life.read(10, 3);
  await life.deliver();
}

describe('a head-end whose collector was restored from an old backup', () => {
  it('counts no water twice that passed in a gap told after the backup', async () => {
    const { life, backup } = await began();
    await tellMore(life);
    await life.restore(backup);
    await life.read(30, 3);
    await expectTruth(life);
  });

  it('takes the first telling again of what was restated after the backup', async () => {
    const { life, backup } = await began();
    Object.assign(life, { synced: null, ahead: 3 * HOUR });
    await life.read(3, 3);
    Object.assign(life, { synced: true, ahead: 0 });
    await life.read(12, 3);
    await life.deliver();
    await life.restore(backup);
    await life.read(30, 3);
    await expectTruth(life);
  });

  it('is right after a second restore of the same backup, whose hours and gap have the same keys and revisions', async () => {
    const { life, backup } = await began();
    await tellMore(life);
    await life.restore(backup);
    await life.read(30.5, 3);
    await life.silent(5, 2);
    await life.read(7, 3);
    await life.deliver();
    await life.restore(backup);
    await life.read(30, 3);
    await expectTruth(life);
    const second = await life.backup();
    await life.silent(5, 2);
    await life.read(7, 3);
    await life.deliver();
    await life.restore(second);
    await life.silent(3, 2);
    await life.read(7, 3);
    await expectTruth(life);
    await life.replay();
    await expectTruth(life);
    // Repaired, too: rows keep their numbers, and what waits is told in the new epoch.
    await life.loseState();
    await life.read(7, 3);
    await life.replay();
    await expectTruth(life);
    await life.restore(second);
    await life.read(7, 3);
    await life.loseState();
    await life.read(7, 3);
    await expectTruth(life);
    await life.replay();
    await expectTruth(life);
  });

  it('counts what a forgotten meter told, though its number is given again, and names it', async () => {
    const { life, backup } = await began();
    await life.read(10, 3);
    const old = life.dial - 3;
    await life.changeOut(500);
    await life.read(40, 3);
    await life.deliver();
    const last = life.ledger.latest('SP-1');
    await life.restore(backup);
    // What its encoder shows is none of the old meter's: nothing is read until somebody tells of the change-out.
    await life.silent(2, 3);
    const later = life.dial;
    await life.changeOut(life.dial);
    await life.read(30, 3);
    await life.deliver();
    const newest = life.ledger.latest('SP-1');
    const seen = (start = 0) => life.dials.get(start + HOUR) ?? Number.NaN;
    for (const [order, sent] of orders(life.sent)) {
      const ledger = told(sent);
      const forgotten = ledger.forgotten();
      expect([order, new Set(forgotten.map(({ entry }) => entry.inst))]).toEqual([
        order,
        new Set([2]),
      ]);
      const of = (all: typeof forgotten, inst: number) =>
        usesOf(all.filter(({ entry }) => entry.inst === inst));
      // The forgotten meter's own water, as far as it was told.
      expect([order, of(forgotten, 2)]).toEqual([order, seen(last?.start) - 500]);
      expect([order, of(ledger.arrivals(), 2)]).toEqual([order, seen(newest?.start) - later]);
      // The old one's final reading, told before the restore, and not told again.
      expect([order, of(ledger.arrivals(), 1)]).toEqual([order, old]);
      expect([order, ledger.conflicts, breaches(sent)]).toEqual([order, [], []]);
    }
  });

  it('keeps what it has of a meter that is silent since the restore, until its gap is told', async () => {
    const { life, backup } = await began();
    await tellMore(life);
    const sum = sumOf(life.ledger);
    await life.restore(backup);
    await life.silent(5, 3);
    await life.deliver();
    for (const [order, sent] of orders(life.sent)) {
      expect([order, sumOf(told(sent)), breaches(sent)]).toEqual([order, sum, []]);
    }
    await life.read(30, 3);
    await expectTruth(life);
  });

  it('keeps what was told after the backup of a meter that the collector no longer reads', async () => {
    const { life, backup } = await began();
    await tellMore(life);
    const sum = sumOf(life.ledger);
    await life.restore(backup);
    // Only what the collector says of itself.
    const sent = life.sent.slice();
    await life.deliver();
    const own = life.sent.slice(sent.length).filter(({ topic }) => topic.endsWith('/up/event'));
    const events = own.map(({ payload }) => JSON.parse(payload));
    expect(events.map(({ code }) => code)).toContain('journal.repaired');
    // And what it had in the backup, told again under the rows of the new epoch.
    const repaired = events.find(({ data }) => data.backup_at);
    const before = life.sent.length;
    await life.replay();
    const isCopy = ({ row }: { row: number }) => row < repaired.row;
    const copies = life.sent.slice(before).flatMap((one) => {
      const message = JSON.parse(one.payload);
      if (message.type === 'event') return [];
      const [intervals, gaps] = [message.intervals.filter(isCopy), message.gaps.filter(isCopy)];
      return [{ ...one, payload: JSON.stringify({ ...message, intervals, gaps }) }];
    });
    for (const [order, all] of orders([...sent, ...own, ...copies])) {
      expect([order, sumOf(told(all))]).toEqual([order, sum]);
    }
  });

  it('is not told that all is well when what comes after the restore does not add up', async () => {
    const { life, backup } = await began();
    await tellMore(life);
    await life.restore(backup);
    await life.read(30, 3);
    await expectTruth(life);
    const planted = (plant: (message: ReturnType<typeof JSON.parse>) => void) =>
      life.sent.map((one) => {
        const message = JSON.parse(one.payload);
        plant(message);
        return { ...one, payload: JSON.stringify(message) };
      });
    const short = planted(({ gaps = [], epoch }) => {
      for (const gap of gaps) if (gap.rev > 0 && epoch === life.journal.epoch) gap.use -= 1;
    });
    expect(breaches(short).join()).toMatch(/total \d+ is not/);
    const vague = planted(({ data }) => {
      if (data?.backup_rows !== undefined) data.backup_rows = 'all';
    });
    expect(breaches(vague).join()).toMatch(/does not say up to where its backup knew/);
    const silent = life.sent.filter(({ payload }) => !payload.includes('backup_rows'));
    expect(breaches(silent).join()).toMatch(/overlaps another/);
  });

  it('has the same on its medium: started again at any time, and shared by instances that each heard a part', async () => {
    const { life, backup } = await began();
    await tellMore(life);
    await life.restore(backup);
    await life.read(30.5, 3);
    await life.deliver();
    await life.restore(backup);
    await life.read(30, 3);
    await expectTruth(life);
    const truth = sumOf(life.ledger);
    const folder = mkdtempSync(join(tmpdir(), 'restored-'));
    try {
      for (const [order, sent] of orders(life.sent)) {
        const store = join(folder, `${order}.ndjson`);
        const half = Math.floor(sent.length / 2);
        for (const part of [sent.slice(0, half), sent.slice(half)]) await keep(store, part);
        const kept = readKept(store);
        expect([order, sumOf(kept)]).toEqual([order, truth]);
        expect([order, csvSum(toCsv(kept.arrivals(), kept.forgotten()))]).toEqual([order, truth]);
        const shared = join(folder, order);
        for (const turn of [0, 1, 2]) {
          const mine = sent.filter((_, index) => index % 3 === turn);
          await keep(shared, mine, `instance-${turn}`);
        }
        expect([order, sumOf(readKept(shared))]).toEqual([order, truth]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** A head-end that is started, hears some messages, and is stopped. */
async function keep(path: string, sent: Sent, instance?: string): Promise<void> {
  const { store, lines } = await KeptStore.open(path, instance, (error) => {
    throw error;
  });
  const ledger = new Ledger((line) => store.add(line));
  for (const line of lines) ledger.restore(line);
  for (const { topic, payload } of sent) ledger.take(topic, payload);
  await store.close();
}
