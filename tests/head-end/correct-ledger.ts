// Writes, from a made-up truth, the ledger a head-end would hold if nothing went wrong, by the words of the contract.

import type { TruthView } from '../../simulator/audit.ts';
import { type Entry, HOUR_MS, type Installation, modulo } from '../../simulator/entries.ts';
import type { ServedReading } from '../../simulator/served.ts';

export const START = Date.UTC(2026, 5, 1);
const QUARTER_MS = HOUR_MS / 4;
/** From the moment a register is served to the stamp of the reading. */
const LATENCY_MS = 700;

/** The audit counts; what a count stands for only has to be the same on both sides. */
const RESOLUTION = { unit: 'ft3', pow10: -1 };

/** Four polls an hour: what passed before each, and whether it was read, never served, or served and torn. */
export interface Poll {
  readonly flow: number;
  readonly fate: 'read' | 'silent' | 'torn';
}

export interface Water {
  readonly meter: string;
  readonly digits: number;
  readonly initial: number;
  /** Quarter hours after START at which the first poll happens. */
  readonly offset: number;
  readonly polls: readonly Poll[];
}

export interface CorrectLedger {
  readonly truth: TruthView;
  readonly entries: readonly Entry[];
  readonly installations: readonly Installation[];
  /** The last edge of an hour up to which every meter's water is made up. */
  readonly until: number;
}

interface Reading {
  readonly quarter: number;
  readonly count: number;
}

function serve(water: Water): { served: ServedReading[]; readings: Reading[] } {
  const served: ServedReading[] = [];
  const readings: Reading[] = [];
  let count = water.initial;
  water.polls.forEach(({ flow, fate }, index) => {
    count += flow;
    const quarter = water.offset + index;
    const register = modulo(count, 10 ** water.digits);
    if (fate !== 'silent') served.push({ at: START + quarter * QUARTER_MS, register, count });
    if (fate === 'read') readings.push({ quarter, count });
  });
  return { served, readings };
}

const stamp = (reading: Reading): number => START + reading.quarter * QUARTER_MS + LATENCY_MS;

/** The reading at the edge `quarter`, late ones included, and whether it is exactly of that time. */
function edgeAt(
  readings: readonly Reading[],
  quarter: number,
): { reading: Reading; exact: boolean } | undefined {
  const reading = readings.findLast((one) => one.quarter <= quarter && one.quarter >= quarter - 2);
  return reading && { reading, exact: reading.quarter === quarter };
}

/** The edges of the hour that begins at `quarter`: where its water starts, where it ends, and how they were read. */
function edgesOf(readings: readonly Reading[], first: Reading, quarter: number) {
  const isFirst = quarter <= first.quarter;
  const before = isFirst ? undefined : edgeAt(readings, quarter);
  const after = edgeAt(readings, quarter + 4);
  const beforeGap = readings.findLast((one) => one.quarter < quarter + 4) ?? first;
  const afterGap = readings.find((one) => one.quarter > quarter) ?? beforeGap;
  return {
    opening: isFirst ? first : (before?.reading ?? afterGap),
    closing: after?.reading ?? beforeGap,
    actual: before?.exact === true && after?.exact === true,
    unread: after === undefined,
  };
}

function ledgerOf(water: Water): { served: ServedReading[]; entries: Entry[]; first?: Reading } {
  const { served, readings } = serve(water);
  const first = readings[0];
  if (first === undefined) return { served, entries: [] };
  const place = { meter: water.meter, inst: 1, digits: water.digits, ...RESOLUTION, rev: 0 };
  const closed = Math.floor((water.offset + water.polls.length - 1) / 4) * 4;
  const entries: Entry[] = [];
  const gaps: { from: Reading; to: Reading }[] = [];
  for (let quarter = Math.floor(first.quarter / 4) * 4; quarter < closed; quarter += 4) {
    const { opening, closing, actual, unread } = edgesOf(readings, first, quarter);
    const start = START + quarter * QUARTER_MS;
    const measured = opening.quarter < closing.quarter;
    const numbers = {
      read: modulo(closing.count, 10 ** water.digits),
      at: stamp(closing),
      total: closing.count - first.count,
      use: closing.count - opening.count,
      q: actual ? 'A' : 'P',
    };
    const none = { read: null, at: null, total: null, use: null, q: 'M' };
    entries.push({ kind: 'hour', ...place, start, ...(measured ? numbers : none) });
    // A gap comes with the hour in which it ends, once that hour is closed (I4).
    const healed = readings.find((one) => one.quarter > quarter + 4 && one.quarter < closed);
    if (!unread || healed === undefined) continue;
    const last = gaps.at(-1);
    // Adjoining gaps merge (I4).
    if (last !== undefined && closing.quarter <= last.to.quarter) last.to = healed;
    else gaps.push({ from: closing, to: healed });
  }
  for (const { from, to } of gaps) {
    const use = to.count - from.count;
    entries.push({ kind: 'gap', ...place, from: stamp(from), to: stamp(to), use, why: 'bus' });
  }
  return { served, entries, first };
}

/** The correct ledger of these meters. Flows are counts; a register passes its capacity back to zero. */
export function correctLedger(waters: readonly Water[]): CorrectLedger {
  const served = new Map<string, readonly ServedReading[]>();
  const entries: Entry[] = [];
  const installations: Installation[] = [];
  for (const water of waters) {
    const written = ledgerOf(water);
    served.set(water.meter, written.served);
    entries.push(...written.entries);
    if (written.first === undefined) continue;
    const { meter, digits } = water;
    const initialRead = modulo(written.first.count, 10 ** digits);
    const dial = { digits, ...RESOLUTION };
    installations.push({ meter, inst: 1, ...dial, initialRead, installed: stamp(written.first) });
  }
  const quarters = waters.map(({ offset, polls }) => offset + polls.length - 1);
  const hours = Math.floor(Math.min(...quarters) / 4);
  return {
    truth: {
      meters: waters.map(({ meter, digits }) => ({ meter, digits, ...RESOLUTION })),
      served: (meter) => served.get(meter) ?? [],
    },
    entries,
    installations,
    until: START + hours * HOUR_MS,
  };
}
