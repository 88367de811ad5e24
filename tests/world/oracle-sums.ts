// Conservation at the head-end: by registers alone, which no clock can spoil, and hour by hour where the clock was right.

import { audit } from '../../simulator/audit.ts';
import { type Entry, HOUR_MS, type HourEntry, type Installation } from '../../simulator/entries.ts';
import type { Ledger } from '../../simulator/ledger.ts';
import type { Body } from './body.ts';
import type { HostileWorld } from './hostile-world.ts';
import type { Oracle } from './oracle.ts';
import { meterOf, type Place, START } from './street.ts';

type Say = (code: string, text: string) => void;

/**
 * I1, I4, I11: for every installation each register told was shown by the body that stood there, each total is what that
 * dial moved since the installation's first register, and all uses and gaps sum to the last total.
 */
export function checkRegisters(world: HostileWorld, ledger: Ledger, oracle: Oracle): void {
  const byInst = new Map<string, Entry[]>();
  for (const entry of ledger.entries()) {
    const key = `${entry.meter}/${entry.inst}`;
    const kept = byInst.get(key);
    if (kept) kept.push(entry);
    else byInst.set(key, [entry]);
  }
  const installations = ledger.installations().sort((a, b) => a.inst - b.inst);
  for (const place of world.places) {
    const meter = meterOf(place);
    // What was lost and told is missed in no sum; what was never shown is wrong all the same.
    const mayLack = isExcused(meter, world, oracle);
    let nth = -1;
    for (const installation of installations.filter((one) => one.meter === meter)) {
      nth = bodyAt(place, nth, installation);
      const say: Say = (code, text) => {
        if (code === 'I4' || !mayLack)
          oracle.violate(code, `${meter}/${installation.inst}: ${text}`);
      };
      const entries = byInst.get(`${meter}/${installation.inst}`) ?? [];
      checkInstallation(place.bodies[nth] as Body, installation, entries, say);
    }
  }
}

/** A journal of which a bit rotted may have lost what it told that it lost. */
export function isExcused(meter: string, world: HostileWorld, { lossTold }: Oracle): boolean {
  return world.rotten > 0 && (lossTold.has(meter) || lossTold.has(''));
}

/** The body that an installation names; else the next one, if it showed its first register, or still the same. */
function bodyAt(
  { bodies }: Place,
  before: number,
  { initialRead, registerId }: Installation,
): number {
  const named = bodies.findIndex(
    (body, i) => i >= before && registerId !== undefined && body.registerId === registerId,
  );
  if (named >= 0) return named;
  const from = Math.max(before, 0);
  const showed = (i: number) => bodies[i]?.counts.has(initialRead) === true;
  if (before >= 0 && showed(before + 1)) return before + 1;
  const found = bodies.findIndex((_, i) => i >= from && showed(i));
  return found < 0 ? from : found;
}

function checkInstallation(
  body: Body,
  { initialRead }: Installation,
  entries: readonly Entry[],
  say: Say,
): void {
  const first = body.counts.get(initialRead);
  if (first === undefined) return say('I4', `began at ${initialRead}, which was never shown`);
  let last: HourEntry | undefined;
  for (const entry of entries) {
    if (entry.kind === 'gap' || entry.total === null || entry.read === null) continue;
    const count = body.counts.get(entry.read);
    const at = new Date(entry.start).toISOString();
    if (count === undefined) say('I4', `${at}: ${entry.read} was never shown`);
    else if (count - first !== entry.total) {
      say('I1', `${at}: total ${entry.total}, the dial moved by ${count - first}`);
    }
    if (!last || readAt(entry) >= readAt(last)) last = entry;
  }
  if (!last) return;
  // What a person read when it was taken away may follow the last hour as a gap.
  const { total } = last;
  const at = readAt(last);
  const counted = entries.filter((one) => one.kind === 'hour' || one.to <= at);
  const sum = counted.reduce((all, { use }) => all + (use ?? 0), 0);
  if (total !== sum) say('I1', `uses and gaps sum to ${sum}, the last total is ${total}`);
}

/** When the hour's last reading came; one that a clock in 1970 stamped came at its end. */
const readAt = ({ at, start }: HourEntry): number =>
  at !== null && at >= START ? at : start + HOUR_MS;

/** Entry by entry against the registers served at their times; only while the wall clock was right. */
export function checkHours(
  world: HostileWorld,
  ledger: Ledger,
  until: number,
  oracle: Oracle,
): void {
  const places = new Map(world.places.map((place) => [meterOf(place), place]));
  const served = (meter: string, body = 1) => places.get(meter)?.bodies[body - 1]?.served ?? [];
  const swaps = (meter: string) => {
    const bodies = places.get(meter)?.bodies ?? [];
    return bodies.slice(1).map((body, i) => {
      const before = bodies[i] as Body;
      const at = before.removedAt ?? START;
      const final = before.countAt(at);
      const { registerId, dial } = body;
      return { at, final, initial: body.countAt(at), registerId, ...dial };
    });
  };
  const truth = {
    meters: world.places.map(({ settings: { meter, dial } }) => ({ meter, ...dial })),
    ...{ served, swaps },
  };
  const { findings, per_meter } = audit(truth, ledger.entries(), {
    installations: ledger.installations(),
    conflicts: ledger.conflicts,
    events: ledger.meterEvents(),
    ...{ since: START, until },
  });
  const unheard = new Set<string>();
  for (const { code, meter, inst, text } of findings) {
    if (code === 'swap.untold' && MUTE.some((id) => world.fired[id] !== undefined)) {
      unheard.add(meter);
      continue;
    }
    if (!isExcused(meter, world, oracle))
      oracle.violate(`audit ${code}`, `${meter}/${inst}: ${text}`);
  }
  for (const { meter, lost, invented, duplicates } of per_meter) {
    if (lost + invented + duplicates === 0 || isExcused(meter, world, oracle)) continue;
    if (unheard.has(meter) && invented + duplicates === 0) continue;
    oracle.violate('I1', `${meter}: lost ${lost}, invented ${invented}, twice ${duplicates}`);
  }
}

/** Under these a collector may hear or keep too little of a new meter to tell of it. */
const MUTE = [
  ...['F45d', 'F33', 'F34', 'F34e', 'F35x', 'F27g', 'F27s', 'F51', 'C1'],
  ...['F4', 'F6', 'F6l', 'F7', 'F7r', 'F26', 'F26n', 'F27', 'F27t', 'F29', 'F30', 'F31', 'F36'],
  ...['F36l', 'F41', 'F43', 'F45', 'C2'],
];
