// The oracle of the hostile world: what must hold of everything published, whatever happened, and what must hold at the end.

import { ContractChecker } from '../../simulator/contract-rules/checker.ts';
import { keys } from '../../src/codec/journal-record.ts';
import type { Polled } from '../../src/jobs/poll-bus.ts';
import type { Received } from '../fakes/memory-head-end.ts';
import { CLOCK_FAULTS } from './faults.ts';
import type { HostileWorld } from './hostile-world.ts';
import { Scorecards } from './oracle-time.ts';

export interface Violation {
  readonly code: string;
  readonly text: string;
}

/** Violations that are kept word by word; the rest are counted. */
const KEPT = 20;

/** Within so long after a step of the clock or a stop of the process nothing is said of who waited for whom. */
const SETTLING_MS = 10 * 60_000;
/**
 * One time-out, and the device's latency, for which the line is held silent lest answers spoil each other: that of a
 * device that answers late is a time-out itself. Then the fifth of a second that a drain may take.
 */
const SICK_MS = 2_200;

const ROW = /"row":(\d+)/g;
const EPOCH = /"epoch":"([^"]+)"/;

/** Hears everything while the world lives. */
export class Oracle {
  readonly violations: Violation[] = [];
  count = 0;
  /** Events told, by code. */
  readonly events = new Map<string, number>();
  /** Leaks and bursts told, by meter. */
  readonly leaks = new Set<string>();
  /** Meters of which the collector said that something was lost; '' where it could not say of which. */
  readonly lossTold = new Set<string>();
  /** Meters that showed what cannot have flowed, as the collector said. */
  readonly implausible = new Set<string>();
  messages = 0;
  readonly #world: () => HostileWorld;
  readonly #checker: ContractChecker;
  readonly #scorecards: Scorecards;
  /** The newest failing reads of each bus, in order of their beginning. */
  readonly #sick = new Map<string, Polled[]>();

  constructor(world: () => HostileWorld) {
    this.#world = world;
    this.#scorecards = new Scorecards(world, (code, text) => this.violate(code, text));
    this.#checker = new ContractChecker(({ rule, text }) => {
      if (!this.#isExcused(rule)) this.violate(`rule ${rule}`, text);
    });
  }

  violate(code: string, text: string): void {
    this.count += 1;
    if (this.violations.length < KEPT) this.violations.push({ code, text: text.slice(0, 600) });
  }

  hear(message: Received): void {
    this.messages += 1;
    const { topic, payload } = message;
    this.#checker.take(message);
    if (topic.endsWith('/interval') || topic.endsWith('/event')) this.#checkDurable(payload);
    if (topic.endsWith('/event')) this.#hearEvent(payload);
    if (topic.endsWith('/scorecard')) this.#scorecards.hear(payload);
  }

  /** I7: a living meter waits for each sick one of its bus one time-out, and no more. */
  polled(bus: string, polled: Polled): void {
    const sick = this.#sick.get(bus) ?? [];
    this.#sick.set(bus, sick);
    if (!polled.ok) {
      if (polled.failures > 0) sick.push(polled);
      return;
    }
    const { disturbed, clock } = this.#world();
    const { due, askedAt, meter, failures } = polled;
    while (sick[0] && sick[0].endedAt < due - SETTLING_MS) sick.shift();
    if (failures > 0 || clock.trueNow() - disturbed < SETTLING_MS || askedAt <= due) return;
    const waited = new Map<string, number>();
    for (const one of sick) {
      if (one.meter === meter) continue;
      const ms = Math.max(0, Math.min(askedAt, one.endedAt) - Math.max(due, one.askedAt));
      waited.set(one.meter, (waited.get(one.meter) ?? 0) + ms);
    }
    for (const [other, ms] of waited) {
      if (ms <= SICK_MS) continue;
      const text = `${meter} on ${bus} was due at ${iso(due)} and waited ${ms} ms for ${other}`;
      this.violate('I7', text);
    }
  }

  /** What only the whole shows of the contract. */
  finish(now: number): void {
    this.#checker.finish(now);
  }

  /** I5: every row that is seen stands on the medium. */
  #checkDurable(payload: string): void {
    const world = this.#world();
    if (world.rotten > 0) return;
    for (const [, row] of payload.matchAll(ROW)) {
      if (world.medium.peek(keys.row(Number(row))) !== undefined) continue;
      const epoch = EPOCH.exec(payload)?.[1];
      this.violate('I5', `row ${row} of ${epoch} was published and is not on the medium`);
    }
  }

  #hearEvent(payload: string): void {
    const event = JSON.parse(payload) as {
      code: string;
      phase: string;
      meter?: string;
      data: { meter?: string };
    };
    const { code, phase, meter, data } = event;
    this.events.set(code, (this.events.get(code) ?? 0) + 1);
    if (/^(leak\.|flow\.burst)/.test(code) && phase === 'raise') this.leaks.add(`${meter}`);
    if (code === 'read.implausible' && meter !== undefined) this.implausible.add(meter);
    if (code === 'journal.loss' || code === 'journal.repaired') this.lossTold.add(data.meter ?? '');
  }

  #isExcused(rule: string): boolean {
    const { rotten, fired } = this.#world();
    const struck = (ids: readonly string[]) => ids.some((id) => fired[id] !== undefined);
    // The answer to a question that only looks is not waited for by any medium: after a cut it is looked up again.
    if (rule === 'C2') return struck(FORGETTING);
    // A message says by the wrong clock when it was sent, or by the right one what a wrong one ended (I10); an installation that
    // ended while the clock was ahead leaves its last hours where the next one has its own (I9); a gap that a step leaves at the
    // very reading of an edge counts to either hour (I5). Stamps, registers and totals are looked at apart.
    if (BY_SENDING.has(rule) && struck([...CLOCK_FAULTS])) return true;
    // What rotted is told as lost or repaired, under a new epoch; that nothing wrong is told in its place is looked at apart.
    return rotten > 0 && !LAWS_OF_FORM.has(rule);
  }
}

/** Rules that hold an hour against when it was sent, or against the next installation's. */
const BY_SENDING: ReadonlySet<string> = new Set(['I5', 'I9', 'I10']);
/** Rules of every message by itself. */
const LAWS_OF_FORM: ReadonlySet<string> = new Set([
  'topics',
  'payload',
  'I2',
  'I8',
  'S4',
  'E2',
  'C1',
]);

/** After these what was staged and not yet synced is gone. */
const FORGETTING = ['F1', 'F3', 'F4', 'F6', 'F6l', 'F7', 'F7r', 'F14', 'F49d'];

const iso = (at: number) => new Date(at).toISOString();
