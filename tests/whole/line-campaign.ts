// A bad line for days: many meters on one pair of wires, some dead, some slow, frames damaged by chance, through the whole collector.

import { Random } from '../../simulator/random.ts';
import { createWireLine } from '../../src/adapters/wire-line.ts';
import type { Bus, Clock } from '../../src/boundaries.ts';
import { createLineBus } from '../../src/bus/line-bus.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { CR_FRAMING, framerOf } from '../../src/codec/framer.ts';
import type { Polled } from '../../src/jobs/poll-bus.ts';
import type { BusSettings } from '../../src/settings/settings.ts';
import {
  BRIDGE_SPEECH,
  type Device,
  type LineTally,
  PacedWire,
  RTU_SPEECH,
} from '../fakes/paced-wire.ts';
import { HOUR, type Place, START, VirtualWorld } from './virtual-world.ts';

const METERS = 32;
/** Units that never answer, and units that sometimes answer later than the time-out. */
const DEAD: ReadonlySet<number> = new Set([5, 12, 19, 26]);
const SLOW: ReadonlySet<number> = new Set([9, 23]);
const DAMAGED = 0.02;
const BAUD = 9_600;

/** Modbus RTU, or encoders with their identification behind a bridge. */
export type LineKind = 'modbus-rtu' | 'line-serial';

export interface LineFigures {
  /** Hours of the meters that live, without the first of each, which no meter has whole. */
  readonly due: number;
  readonly actual: number;
  /** Milliseconds that a read of a living meter waited, while due, for meters that are dead: the most of all reads. */
  readonly waitedForDead: number;
  /** The same for reads at the hour's edge. */
  readonly waitedAtEdge: number;
  /** How far from its edge the reading of an actual hour lay, in milliseconds: the most. */
  readonly farthest: number;
  /** Published registers that the dial did not show then. */
  readonly wrong: number;
  readonly findings: readonly unknown[];
  /** The fewest questions that a dead meter was asked in an hour, and within the tolerance of the edges. */
  readonly askedDead: number;
  readonly edgesAskedDead: number;
  readonly line: LineTally;
}

/** So many days on virtual time; `watch` is told of every read. */
export async function liveOnBadLine(
  lineType: LineKind,
  seed: number,
  days: number,
  watch?: (polled: Polled) => void,
): Promise<LineFigures> {
  const polls: Polled[] = [];
  let line: PacedWire | undefined;
  const world: VirtualWorld = new VirtualWorld({
    ...{
      seed,
      meters: METERS,
      watch: (polled) => {
        polls.push(polled);
        watch?.(polled);
      },
    },
    lineType,
    openLine: (settings, clock) => {
      line = pacedLine(seed, settings, clock, world);
      return busOver(line, settings, clock, seed);
    },
  });
  await world.start();
  await world.run(days * 24 + 0.5);
  await world.stop();
  if (!line) throw new Error('no line was opened');
  const isDead = new Set(world.places.filter((_, i) => DEAD.has(i + 1)).map(meterOf));
  // Which are dead is found out by asking them: the first hour is for that.
  const known = polls.filter(({ askedAt }) => askedAt >= START + HOUR);
  const living = known.filter(({ meter }) => !isDead.has(meter));
  const dead = known.filter(({ meter }) => isDead.has(meter));
  return {
    ...hoursOf(world, isDead, days),
    ...waits(living, dead),
    ...chances(dead, isDead, days),
    findings: world
      .audit(START + days * 24 * HOUR)
      .findings.filter(({ meter }) => !isDead.has(meter)),
    line: line.tally,
  };
}

const meterOf = ({ settings }: Place): string => settings.meter;

function busOver(wire: PacedWire, settings: BusSettings, clock: Clock, seed: number): Bus {
  const chance = new Random(`${seed}/reopening`);
  const { timeoutMs, reopenMaxMs } = settings;
  const random = () => chance.next();
  const common = { clock, timeoutMs, reopenMaxMs, random };
  if (settings.type === 'modbus-rtu') {
    return createModbusBus({ link: createRtuLink({ wire, clock, baud: BAUD }), ...common });
  }
  const line = createWireLine({ wire, clock, framer: framerOf(CR_FRAMING), name: 'the line' });
  return createLineBus({ line, ...common });
}

function pacedLine(
  seed: number,
  { bus, type, timeoutMs }: BusSettings,
  clock: Clock,
  world: VirtualWorld,
): PacedWire {
  const chance = new Random(`${seed}/line`);
  const devices = new Map<number, Device>();
  for (let unit = 1; unit <= METERS; unit += 1) {
    if (DEAD.has(unit)) continue;
    const pause = () => {
      if (!SLOW.has(unit)) return chance.between(5, 50);
      return chance.chance(0.1) ? chance.between(1, 2.5) * timeoutMs : chance.between(200, 600);
    };
    devices.set(unit, () => {
      const answer = type === 'modbus-rtu' ? wordsOf(world, bus, unit) : textOf(world, bus, unit);
      return answer && { answer, afterMs: pause() };
    });
  }
  const speech = type === 'modbus-rtu' ? RTU_SPEECH : BRIDGE_SPEECH;
  return new PacedWire({ clock, speech, baud: BAUD, chance, damaged: DAMAGED, devices });
}

function wordsOf(world: VirtualWorld, bus: string, unit: number): Uint8Array | null {
  const words = world.words(bus, unit);
  const bytes = words?.flatMap((word) => [word >> 8, word & 0xff]);
  return bytes ? Uint8Array.of(unit, 3, bytes.length, ...bytes) : null;
}

function textOf(world: VirtualWorld, bus: string, unit: number): Uint8Array | null {
  const text = world.message(bus, String(unit));
  return text === null ? null : new TextEncoder().encode(text);
}

function hoursOf(world: VirtualWorld, isDead: ReadonlySet<string>, days: number) {
  let actual = 0;
  let wrong = 0;
  let farthest = 0;
  const places = new Map(world.places.map((place) => [meterOf(place), place]));
  const until = START + days * 24 * HOUR;
  for (const entry of world.ledger().entries()) {
    const place = places.get(entry.meter);
    if (entry.kind !== 'hour' || !place) continue;
    if (entry.read !== null && entry.at !== null && !showed(place, entry.read, entry.at)) {
      wrong += 1;
    }
    if (entry.q !== 'A' || isDead.has(entry.meter) || entry.start >= until) continue;
    actual += 1;
    farthest = Math.max(farthest, Math.abs((entry.at ?? 0) - (entry.start + HOUR)));
  }
  const living = METERS - isDead.size;
  return { due: living * (days * 24 - 1), actual, wrong, farthest };
}

/** An answer is as old as it took to come. */
const ANSWER_AGE_MS = 3_000;

function showed({ meter, settings }: Place, read: number, at: number): boolean {
  const turn = 10 ** settings.dial.digits;
  for (let count = meter.countAt(at - ANSWER_AGE_MS); count <= meter.countAt(at + 1); count += 1) {
    if (count % turn === read) return true;
  }
  return false;
}

/** Both in the order of time. */
function waits(living: readonly Polled[], dead: readonly Polled[]) {
  let waitedForDead = 0;
  let waitedAtEdge = 0;
  let first = 0;
  for (const { due, askedAt } of [...living].sort((a, b) => a.due - b.due)) {
    while ((dead[first]?.endedAt ?? Number.POSITIVE_INFINITY) <= due) first += 1;
    let waited = 0;
    for (let i = first; i < dead.length && (dead[i]?.askedAt ?? 0) < askedAt; i += 1) {
      const { askedAt: from, endedAt: to } = dead[i] as Polled;
      waited += Math.max(0, Math.min(askedAt, to) - Math.max(due, from));
    }
    waitedForDead = Math.max(waitedForDead, waited);
    if (toEdge(due) <= EDGE_MS) waitedAtEdge = Math.max(waitedAtEdge, waited);
  }
  return { waitedForDead, waitedAtEdge };
}

const EDGE_MS = 15_000;

function toEdge(at: number): number {
  const past = at % HOUR;
  return Math.min(past, HOUR - past);
}

function chances(dead: readonly Polled[], isDead: ReadonlySet<string>, days: number) {
  const asked = new Map<string, { hours: Set<number>; edges: Set<number> }>();
  for (const meter of isDead) asked.set(meter, { hours: new Set(), edges: new Set() });
  for (const { meter, askedAt } of dead) {
    asked.get(meter)?.hours.add(Math.floor(askedAt / HOUR));
    if (toEdge(askedAt) <= EDGE_MS) asked.get(meter)?.edges.add(Math.round(askedAt / HOUR));
  }
  const least = (of: (one: { hours: Set<number>; edges: Set<number> }) => number) =>
    Math.min(...[...asked.values()].map(of)) / (days * 24 - 1);
  return {
    askedDead: least(({ hours }) => hours.size),
    edgesAskedDead: least(({ edges }) => edges.size),
  };
}
