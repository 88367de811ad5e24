// One run of the hostile world: strikes drawn from the seed, then everything healed, and what the oracle has to say.

import type { HourEntry } from '../../simulator/entries.ts';
import { Random } from '../../simulator/random.ts';
import { listenSometimes } from '../../src/sometimes.ts';
import { HOUR } from './fault-kind.ts';
import { CLOCK_FAULTS, FAULT_KINDS } from './faults.ts';
import { HostileWorld } from './hostile-world.ts';
import { expand, type Wishes, type WorldOptions } from './options.ts';
import { Oracle, type Violation } from './oracle.ts';
import { checkHours, checkRegisters, isExcused } from './oracle-sums.ts';
import { checkRetention, checkStamps } from './oracle-time.ts';
import { meterOf, START } from './street.ts';

/** The line that a run prints. */
export interface RunLine {
  readonly seed: number;
  readonly options: WorldOptions;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  readonly hash: string;
  readonly meter_days: number;
  readonly ms: number;
}

export interface Run {
  readonly line: RunLine;
  readonly sometimes: Readonly<Record<string, number>>;
  readonly leaks: ReadonlySet<string>;
}

/** Nothing strikes before every meter has been read. */
const GRACE_MS = 1.2 * HOUR;
/** After the healing: the next whole hour, its smear and its way, within two hours. */
const RECOVER_MS = 2 * HOUR;
const LOOK_MS = 2 * 60_000;

export async function runSeed(wishes: Wishes): Promise<Run> {
  return runOptions(expand(wishes));
}

export async function runOptions(options: WorldOptions): Promise<Run> {
  const began = performance.now();
  const sometimes: Record<string, number> = {};
  listenSometimes((point) => {
    sometimes[point] = (sometimes[point] ?? 0) + 1;
  });
  const oracle: Oracle = new Oracle(() => world);
  const world: HostileWorld = new HostileWorld(options, {
    onMessage: (message) => oracle.hear(message),
    onPolled: (bus, polled) => oracle.polled(bus, polled),
    onViolation: (code, text) => oracle.violate(code, text),
  });
  plan(world);
  await world.begin();
  const end = START + options.days * 24 * HOUR;
  await world.live(end);
  await heal(world);
  await recover(world, oracle);
  await judge(world, oracle);
  listenSometimes(null);
  await checkLeaks(world, oracle);
  const rollovers = countRollovers(world);
  if (rollovers > 0) world.fired['F38'] = rollovers;
  return {
    line: {
      ...{ seed: options.seed, options, faults: sorted(world.fired) },
      ...{ violations: oracle.violations, hash: world.hash() },
      meter_days: options.meters * options.days,
      ms: Math.round(performance.now() - began),
    },
    sometimes,
    leaks: oracle.leaks,
  };
}

/** Every strike of every fault that is on, each kind with dice of its own. */
function plan(world: HostileWorld): void {
  const { seed, rates, days } = world.options;
  for (const kind of FAULT_KINDS) {
    const rate = rates[kind.id];
    if (rate === undefined) continue;
    const chance = new Random(`${seed}/${kind.id}`);
    const end = days * 24 * HOUR;
    for (let at = GRACE_MS; ; ) {
      at += chance.waiting((24 * HOUR) / rate);
      if (at >= end) break;
      const dice = new Random(`${seed}/${kind.id}/${at}`);
      world.later(at, () => kind.strike(world, dice));
    }
  }
}

async function heal(world: HostileWorld): Promise<void> {
  await world.hurry();
  world.medium.failNext(0);
  world.medium.heal();
}

/** Within two hours of the healing nothing waits any more, and every meter has been read. */
async function recover(world: HostileWorld, oracle: Oracle): Promise<void> {
  const healed = world.trueNow();
  // By the edge who was backed off was asked again, a step of the clock noticed, and a quarter of an hour polled.
  const edge = Math.ceil((healed + 20 * 60_000) / HOUR) * HOUR;
  await world.live(edge + 6 * 60_000);
  const last = Math.max(healed + RECOVER_MS, edge + 20 * 60_000);
  for (;;) {
    const waiting = await pendingRows(world);
    if (waiting === 0) return;
    if (world.trueNow() >= last) {
      oracle.violate(
        'I8',
        `${waiting ?? 'unknown'} rows still wait ${Math.round((world.trueNow() - healed) / 60_000)} minutes after the healing`,
      );
      return;
    }
    await world.live(world.trueNow() + LOOK_MS);
  }
}

async function pendingRows(world: HostileWorld): Promise<number | null> {
  const status = (await world.ask('status')) as
    | { journal: { detail: string; pending: number } }
    | undefined;
  return status?.journal.detail === 'sound' ? status.journal.pending : null;
}

async function judge(world: HostileWorld, oracle: Oracle): Promise<void> {
  const now = world.trueNow();
  const own = (await world.ask('audit')) as { ok?: boolean } | undefined;
  if (own?.ok !== true && world.rotten === 0) {
    oracle.violate('audit', `the collector's own audit: ${JSON.stringify(own ?? null)}`);
  }
  const sleepers = world.clock.sleepers();
  if (sleepers > SLEEPERS_MAX) oracle.violate('I6', `${sleepers} timers are pending`);
  checkStore(world, oracle);
  await world.stop();
  const { ledger } = world.headEnd;
  const edge = Math.floor((now - 60_000) / HOUR) * HOUR;
  checkRegisters(world, ledger, oracle);
  checkStamps(world, ledger, oracle);
  checkRetention(world, oracle);
  if (!Object.keys(world.fired).some((id) => CLOCK_FAULTS.has(id)))
    checkHours(world, ledger, edge, oracle);
  checkFresh(world, oracle, edge);
  checkDoubts(world, oracle);
  oracle.finish(now);
  for (const { message, fields } of world.log.lines) {
    if (/failed$/.test(message)) oracle.violate('bug', `${message}: ${JSON.stringify(fields)}`);
  }
}

/** Buses, jobs and questions under way sleep; so many are left over by nothing but a leak. */
const SLEEPERS_MAX = 150;

/** Records that a run can have made: three a row, one an increment and a notice, a few a meter and a command. */
function checkStore(world: HostileWorld, oracle: Oracle): void {
  const rows = [...world.medium.dump()].filter(([key]) => key.startsWith('r/')).length;
  const most = 3 * rows + 2 * world.polls + world.commands + 20 * world.places.length + 100;
  const size = world.medium.size();
  if (size > most)
    oracle.violate('I6', `${size} records for ${rows} rows and ${world.polls} polls`);
}

/** I8: the last whole hour of every meter was read at its end. */
function checkFresh(world: HostileWorld, oracle: Oracle, edge: number): void {
  const ended = new Map<string, HourEntry>();
  for (const entry of world.headEnd.ledger.entries()) {
    if (entry.kind === 'hour' && entry.start === edge - HOUR) ended.set(entry.meter, entry);
  }
  for (const place of world.places) {
    const meter = meterOf(place);
    if (isExcused(meter, world, oracle)) continue;
    const last = ended.get(meter);
    if (last && last.read !== null) continue;
    oracle.violate('I8', `${meter}: the hour before ${new Date(edge).toISOString()} is ${last?.q}`);
  }
}

/** I12: where no water leaks, a leak is told only where the same street without any fault has it told too. */
async function checkLeaks(world: HostileWorld, oracle: Oracle): Promise<void> {
  const { options, places } = world;
  if (Object.keys(options.rates).length === 0) return;
  // Behind swapped cables another home is read, and its leaks.
  const sound = places.filter(
    ({ leaks, bodies, wasSwapped }) => !leaks && !wasSwapped && !bodies.some(({ isOdd }) => isOdd),
  );
  const told = sound.map(meterOf).filter((meter) => oracle.leaks.has(meter));
  if (told.length === 0) return;
  const twin = await runOptions({ ...options, rates: {} });
  const more = told.filter((meter) => !twin.leaks.has(meter));
  if (more.length === 0) return;
  oracle.violate('I12', `${more.join(', ')}: faults made leaks be told`);
}

/** I4: what comes over Modbus whole was said by the dial that was asked, so only a dial that was tampered with jumps. */
function checkDoubts(world: HostileWorld, oracle: Oracle): void {
  if (Object.keys(world.fired).some((id) => CLOCK_FAULTS.has(id))) return;
  for (const place of world.places) {
    const isOdd = place.bodies.length > 1 || place.bodies.some((body) => body.isOdd);
    if (place.kind === 'line' || place.wasSwapped || isOdd) continue;
    if (!oracle.implausible.has(meterOf(place))) continue;
    oracle.violate('I4', `${meterOf(place)}: its dial was doubted, and did nothing odd`);
  }
}

function countRollovers(world: HostileWorld): number {
  let rollovers = 0;
  for (const { bodies } of world.places) {
    for (const { served, dial } of bodies) {
      const turn = ({ count }: { count: number }) => Math.floor(count / 10 ** dial.digits);
      for (let i = 1; i < served.length; i += 1) {
        const [before, after] = [served[i - 1], served[i]];
        if (before && after && turn(after) > turn(before)) rollovers += 1;
      }
    }
  }
  return rollovers;
}

const sorted = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
