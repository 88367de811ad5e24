// A meter is swapped for one of another dial while the collector runs: the audit knows both dials, and no count is lost on either.

import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { type Audit, type AuditOptions, audit, passes } from '../../simulator/audit.ts';
import type { Entry } from '../../simulator/entries.ts';
import { aedes } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { HOUR, START, Street } from './street.ts';
import { typed } from './typed.ts';

let street: Street | undefined;
afterEach(async () => {
  await street?.close();
  street = undefined;
});

/** 1,200 times real time: a poll every 0.75 s. */
const SPEED = 1_200;
/** So many hours are told after the last command. */
const HOURS_AFTER = 4;
/** So often the new encoder answers before anybody tells the collector; four times an hour. */
const ANSWERS = 10;

const swap = (meter: string, digits: number, id: string) =>
  ({ kind: 'swapped', meter, from: 4.2, to: Number.POSITIVE_INFINITY, digits, id }) as const;

/** Resolves when the collector said that another meter stands there. */
async function suspected(opened: Street, meter: string): Promise<void> {
  const isTold = () =>
    opened.headEnd
      .events()
      .some((event) => event.code === 'meter.swap_suspected' && event.meter === meter);
  await until(`a swap of ${meter} is suspected`, isTold, 40_000);
  const { truth } = opened.world;
  await until('more answers', () => truth.served(meter, 2).length >= ANSWERS, 40_000);
}

/** Lets some hours pass, and resolves to their number since the beginning when every meter has told the newest of them. */
async function hoursMore(opened: Street): Promise<number> {
  const hours = Math.ceil((opened.world.now() - START) / HOUR) + HOURS_AFTER;
  const isWhole = (meter: string) =>
    opened.hoursOf(meter).some(({ start }) => start + HOUR >= START + hours * HOUR);
  await until(
    'the last hours',
    () => opened.world.truth.meters.every(({ meter }) => isWhole(meter)),
    60_000,
  );
  return hours;
}

function judge(
  opened: Street,
  hours: number,
  entries: readonly Entry[],
  options: AuditOptions = {},
): Audit {
  return audit(opened.world.truth, entries, {
    installations: opened.headEnd.installations(),
    events: opened.headEnd.events(),
    ...{ speed: SPEED, since: START, until: START + hours * HOUR },
    ...options,
  });
}

const partOf = (result: Audit, meter: string, inst: number) =>
  result.per_installation.find((part) => part.meter === meter && part.inst === inst);

/** The newest hour of an installation, with water in it. */
function busyHour(entries: readonly Entry[], meter: string, inst: number): Entry {
  const found = entries.findLast(
    (entry) =>
      entry.meter === meter && entry.inst === inst && entry.kind === 'hour' && (entry.use ?? 0) > 0,
  );
  if (!found) throw new Error(`no hour with water in installation ${inst} of ${meter}`);
  return found;
}

/** The entries with so many counts more in one of them. */
function altered(entries: readonly Entry[], hour: Entry, counts: number): Entry[] {
  return entries.map((entry) =>
    entry === hour ? { ...entry, use: (entry.use ?? 0) + counts } : entry,
  );
}

/** What the audit must find where something is wrong with one installation or the other. */
function expectPlantedFaultsFound(opened: Street, hours: number): void {
  const entries = opened.headEnd.entries();
  const wrong = (name: string, result: Audit) => expect(passes(result), name).toBe(false);
  const [old, young] = [busyHour(entries, 'SP-00005', 1), busyHour(entries, 'SP-00005', 2)];
  const lost = judge(opened, hours, altered(entries, young, -1));
  expect(lost).toMatchObject({ lost: 1, invented: 0 });
  expect(partOf(lost, 'SP-00005', 2)).toMatchObject({ lost: 1, invented: 0 });
  // A count moved from one dial to the other is lost here and invented there.
  const moved = judge(opened, hours, altered(altered(entries, young, -1), old, 1));
  expect(partOf(moved, 'SP-00005', 1)).toMatchObject({ lost: 0, invented: 1 });
  expect(partOf(moved, 'SP-00005', 2)).toMatchObject({ lost: 1, invented: 0 });
  // The new dial counted as if it were the old one.
  const one = entries.map((entry) => (entry.meter === 'SP-00005' ? { ...entry, inst: 1 } : entry));
  wrong('one installation', judge(opened, hours, one));
  wrong('no hours of the new dial', judge(opened, hours, without(entries, 'SP-00005', 2)));
  wrong('no hours of the old dial', judge(opened, hours, without(entries, 'SP-00005', 1)));
  const silent = judge(opened, hours, entries, { events: [] });
  wrong('nobody was told', silent);
  expect(silent.lost).toBeGreaterThan(0);
  expect(silent.findings.map(({ code }) => code)).toContain('swap.untold');
}

const without = (entries: readonly Entry[], meter: string, inst: number) =>
  entries.filter((entry) => entry.meter !== meter || entry.inst !== inst);

it('four digits become eight: each dial is held against its own truth, and a fault in either is found', async () => {
  const faults = [swap('SP-00005', 8, '55501234'), swap('SP-00002', 8, '55509999')];
  street = await Street.open({ seed: 63, speed: SPEED, broker: await aedes(), faults });
  const { config, world, headEnd } = street;
  street.start();
  await suspected(street, 'SP-00005');
  await suspected(street, 'SP-00002');
  const [taken] = world.truth.swaps('SP-00005');
  const final = String((taken?.final ?? 0) % 10_000);
  const eight = ['--digits', '8', '--pow10', '-1', '--register-id', '55501234'];
  const changed = await typed(config, 'changeout', 'SP-00005', '--final', final, ...eight);
  expect(JSON.parse(changed.out)).toMatchObject({ inst: 2, final: Number(final) });
  const other = await typed(config, 'changeout', 'SP-00002', '--register-id', '55509999');
  expect(JSON.parse(other.out)).toMatchObject({ inst: 2 });
  const hours = await hoursMore(street);
  expect(await street.stop()).toBe(true);

  const result = street.audit(hours);
  expect(result.findings).toEqual([]);
  expect(passes(result)).toBe(true);
  for (const meter of ['SP-00005', 'SP-00002']) {
    const [first, second] = [1, 2].map((inst) => partOf(result, meter, inst));
    expect(second?.truth).toBeGreaterThan(0);
    expect(second?.head_end).toBe(second?.truth);
    expect(first?.head_end).toBe(first?.truth);
    // What the new dial counted until somebody said that it belongs there.
    expect(second?.unaccounted).toBeGreaterThan(0);
  }
  const digits = (inst: number) =>
    headEnd.entries().find((entry) => entry.meter === 'SP-00005' && entry.inst === inst)?.digits;
  expect([digits(1), digits(2)]).toEqual([4, 8]);
  expectPlantedFaultsFound(street, hours);
}, 120_000);

it('the settings name the new meter and the collector starts again: the second installation is the new dial', async () => {
  const faults = [swap('SP-00006', 8, '55501234')];
  street = await Street.open({ seed: 64, speed: SPEED, broker: await aedes(), faults });
  const { config } = street;
  street.start();
  await suspected(street, 'SP-00006');
  expect(await street.stop()).toBe(true);
  const settings = parseDocument(await readFile(config, 'utf8'));
  const { meters } = settings.toJS() as { meters: { meter: string }[] };
  const nth = meters.findIndex(({ meter }) => meter === 'SP-00006');
  settings.setIn(['meters', nth, 'register_id'], '55501234');
  await writeFile(config, String(settings));
  street.start();
  const hours = await hoursMore(street);
  expect(await street.stop()).toBe(true);
  const result = street.audit(hours);
  expect(result.findings).toEqual([]);
  expect(passes(result)).toBe(true);
  expect(partOf(result, 'SP-00006', 2)?.truth).toBeGreaterThan(0);
  expect(passes(judge(street, hours, street.headEnd.entries(), { events: [] }))).toBe(false);
}, 120_000);
