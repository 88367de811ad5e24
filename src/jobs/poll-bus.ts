// One loop per bus: reads as its agenda says, closes hours in time whatever the bus does, answers who asks for a read.

import type { Fault } from '../domain/fault.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import { type MeteredPlace, OVERTAKEN, type PollParts, passTime, pollMeter } from '../pipeline.ts';
import { sometimes } from '../sometimes.ts';
import { Agenda } from './agenda.ts';
import type { AskedReads } from './asked-reads.ts';
import type { BusScansOf } from './bus-scans.ts';
import { newTurn, type PollRecord, type Turn } from './turn.ts';
import { Waker } from './waker.ts';

export type { PollRecord } from './turn.ts';

/** One read as it was made, for those who watch a bus. */
export interface Polled {
  readonly meter: string;
  /** When it was due, asked and over. */
  readonly due: EpochMs;
  readonly askedAt: EpochMs;
  readonly endedAt: EpochMs;
  /** How often in a row it had failed before. */
  readonly failures: number;
  readonly ok: boolean;
}

export interface PollPlan extends PollParts {
  readonly places: readonly MeteredPlace[];
  /** How long a silent meter may hold the bus, in milliseconds of the wire. */
  readonly timeoutMs: number;
  /** How long a meter's read is expected to hold the bus until one was made, in milliseconds of the wire. */
  readonly expectMs?: (place: MeteredPlace) => number;
  /** Reads that the bus allows at once: 1 on a line. */
  readonly parallel?: number;
  readonly asked?: AskedReads;
  readonly scans?: BusScansOf;
  readonly watch?: (polled: Polled) => void;
  /** Called each time the loop comes round. */
  readonly turned?: () => void;
}

/** A long sleep is cut so that a wall clock that steps is noticed. */
const SLEEP_MAX_MS = 5 * 60_000;

/** Wall and steady time apart by more than so many milliseconds of the wire is a step; less is their grain. */
const STEP_MS = 1_000;

/** A meter whose hours cannot close yet (a doubtful clock) is looked at again after this. */
const CLOSING_RETRY_MS = 30_000;

/** A bus asks a silent meter once more where that helps (see Bus.read), so it is held for two time-outs. */
const ASKS_MAX = 2;

/** What a read holds the bus where nobody says: a few characters and a device's pause. */
const EXPECTED_MS = 100;

/** A round longer than this is spread over the poll period: nobody waits long for a line that is busy in bursts. */
const BURST_MS = 2_000;

/** On a bus that is never idle a scan still gets a sitting so often, in milliseconds of the wire. */
const LEND_AGAIN_MS = 30_000;
/** How soon a scan that waits is looked at again. */
const LEND_LOOK_MS = 500;

/** Polls the meters of one bus until `signal` aborts; `records` is kept up to date for status. */
export function pollBus(
  plan: PollPlan,
  records: Map<string, PollRecord>,
  signal: AbortSignal,
): Promise<void> {
  return new BusLoop(plan, records, signal).run();
}

class BusLoop {
  readonly #plan: PollPlan;
  readonly #records: Map<string, PollRecord>;
  readonly #signal: AbortSignal;
  readonly #turns: readonly Turn[];
  readonly #agenda: Agenda;
  readonly #waker: Waker;
  readonly #flights = new Set<Promise<void>>();
  #bug: { readonly error: unknown } | null = null;
  #lastNow: EpochMs;
  #lastMono: number;
  /** Before this no hour can need closing. */
  #closeAt: EpochMs = 0;
  #lentMono = Number.NEGATIVE_INFINITY;

  constructor(plan: PollPlan, records: Map<string, PollRecord>, signal: AbortSignal) {
    const { clock, parallel = 1, timeoutMs } = plan;
    this.#plan = plan;
    this.#records = records;
    this.#signal = signal;
    this.#lastNow = clock.now();
    this.#lastMono = clock.monotonicMs();
    this.#turns = plan.places.map((place) => this.#newTurn(place));
    this.#agenda = new Agenda({
      ...{ turns: this.#turns, now: this.#lastNow, parallel },
      timeoutMs: timeoutMs * clock.speed,
      silentMs: ASKS_MAX * timeoutMs * clock.speed,
      burstMs: BURST_MS * clock.speed,
      bears: () => this.#bears(),
    });
    this.#waker = new Waker(clock, signal);
  }

  async run(): Promise<void> {
    this.#openDoor();
    const { clock } = this.#plan;
    while (!this.#signal.aborted && this.#bug === null) {
      this.#plan.turned?.();
      this.#noticeStep();
      if (clock.now() >= this.#closeAt) await this.#closeHours();
      if (this.#isToLend()) await this.#lend();
      else await this.#takeTurn();
    }
    await Promise.all(this.#flights);
    this.#plan.asked?.attach(null);
    if (this.#bug !== null) throw this.#bug.error;
  }

  async #takeTurn(): Promise<void> {
    const { clock, parallel = 1 } = this.#plan;
    const isFree = this.#flights.size < this.#bears();
    const turn = isFree ? this.#agenda.next(clock.now(), clock.monotonicMs()) : null;
    if (turn === null) await this.#idle();
    else if (this.#isDisabled(turn)) this.#pass(turn);
    else if (parallel === 1) await this.#poll(turn);
    else this.#launch(turn);
  }

  /** The bus may find that fewer serve it better. */
  #bears(): number {
    const { bus, parallel = 1 } = this.#plan;
    return Math.min(parallel, bus.atOnceNow ?? parallel);
  }

  /** A device that must not be asked too soon may have been asked just before a restart. */
  #newTurn(place: MeteredPlace): Turn {
    const { clock, journal, expectMs } = this.#plan;
    const readMs = expectMs?.(place) ?? EXPECTED_MS;
    const turn = newTurn(place, this.#lastNow, readMs * clock.speed);
    const last = journal.installation(place.target.meter)?.last;
    const age = last ? this.#lastNow - last.at : Number.POSITIVE_INFINITY;
    if (age >= 0 && age < turn.minPollMs) turn.askedMono = this.#lastMono - age;
    return turn;
  }

  #openDoor(): void {
    const { asked, clock, scans } = this.#plan;
    scans?.attach(() => this.#waker.ring());
    const turns = new Map(this.#turns.map((turn) => [turn.place.target.meter, turn]));
    const to = (act: (turn: Turn) => void) => (meter: string) => {
      const turn = turns.get(meter);
      if (turn) act(turn);
    };
    asked?.attach({
      ask: to((turn) => {
        this.#agenda.ask(turn);
        this.#waker.ring();
      }),
      forget: to((turn) => this.#agenda.forget(turn)),
      freeAt: (meter) => {
        const turn = turns.get(meter);
        const now = clock.now();
        return turn ? this.#agenda.freeAt(turn, now, clock.monotonicMs()) : now;
      },
    });
  }

  /** After a step of the wall clock nothing waits for an instant that it had reached before. */
  #noticeStep(): void {
    const { clock } = this.#plan;
    const now = clock.now();
    const mono = clock.monotonicMs();
    const stepped = now - this.#lastNow - (mono - this.#lastMono);
    this.#lastNow = now;
    this.#lastMono = mono;
    if (Math.abs(stepped) <= STEP_MS * clock.speed) return;
    sometimes('bus: a step of the wall clock was noticed');
    this.#agenda.restart(now);
    for (const turn of this.#turns) turn.closingTried = Math.min(turn.closingTried, now);
    this.#closeAt = 0;
  }

  /** Whether a scan may have the wire now: nobody is due, or it has waited long, and no read for the edge is near. */
  #isToLend(): boolean {
    const { clock, scans } = this.#plan;
    if (!scans?.isWaiting()) return false;
    const now = clock.now();
    const waited = clock.monotonicMs() - this.#lentMono > LEND_AGAIN_MS * clock.speed;
    if (!waited && (this.#flights.size > 0 || !this.#agenda.isIdle(now))) return false;
    return this.#agenda.mayLend(now, this.#lendMs());
  }

  /** The wire is lent for so long at the most, in milliseconds of the schedule. */
  #lendMs(): number {
    const { clock, scans, timeoutMs } = this.#plan;
    return ((scans?.sittingMs() ?? 0) + ASKS_MAX * timeoutMs) * clock.speed;
  }

  async #lend(): Promise<void> {
    const { clock, scans } = this.#plan;
    await Promise.all(this.#flights);
    // Those that were under way may have taken until the edge.
    if (this.#agenda.mayLend(clock.now(), this.#lendMs())) await scans?.work(this.#signal);
    this.#lentMono = clock.monotonicMs();
  }

  /** Until a read is over, one is asked for, or there is something to do. */
  #idle(): Promise<void> {
    const { clock } = this.#plan;
    const now = clock.now();
    const wake = this.#agenda.wakeAt(now, clock.monotonicMs());
    const look = this.#plan.scans?.isWaiting() ? now + LEND_LOOK_MS * clock.speed : wake;
    return this.#waker.sleep(Math.min(wake, look, this.#closeAt, now + SLEEP_MAX_MS) - now);
  }

  /** A disabled meter is left in peace. */
  #isDisabled(turn: Turn): boolean {
    return this.#plan.journal.installation(turn.place.target.meter)?.disabled === true;
  }

  #pass(turn: Turn): void {
    this.#agenda.pass(turn, this.#plan.clock.now());
    this.#plan.asked?.settle(turn.place.target.meter, {
      ...{ code: 'aborted', detail: 'it is disabled' },
    });
  }

  #launch(turn: Turn): void {
    const flight = this.#poll(turn)
      .catch((error: unknown) => {
        this.#bug ??= { error };
      })
      .then(() => {
        this.#flights.delete(flight);
        this.#waker.ring();
      });
    this.#flights.add(flight);
  }

  async #poll(turn: Turn): Promise<void> {
    const { clock, journal, watch, asked } = this.#plan;
    const { meter } = turn.place.target;
    const { due, failures } = turn;
    const askedAt = clock.now();
    const askedMono = clock.monotonicMs();
    const spareMs = this.#agenda.spareMs(turn, askedAt) / clock.speed;
    const outcome = await pollMeter(turn.place, this.#plan, this.#signal, spareMs);
    const now = clock.now();
    const fault = outcome.ok ? null : outcome.fault;
    const unconfirmed = (journal.installation(meter)?.unconfirmed ?? null) !== null;
    const restMs = (fault?.restMs ?? 0) * clock.speed;
    const came = { askedAt, askedMono, now, mono: clock.monotonicMs(), fault, restMs, unconfirmed };
    const again = this.#agenda.came(turn, came);
    if (!this.#signal.aborted && outcome !== OVERTAKEN) this.#tell(turn, fault, askedAt);
    this.#closeAt = Math.min(this.#closeAt, this.#closingOf(turn));
    watch?.({ meter, due, askedAt, endedAt: now, failures, ok: outcome.ok });
    // The one that stands there now is asked as soon as it may be, for whoever waits and for its first reading.
    if (outcome === OVERTAKEN) return this.#agenda.ask(turn);
    if (!asked?.isAsked(meter)) return;
    if (again && outcome.ok) this.#agenda.ask(turn);
    else asked.settle(meter, outcome.ok ? outcome.value : outcome.fault);
  }

  #tell(turn: Turn, fault: Fault | null, askedAt: EpochMs): void {
    const { log } = this.#plan;
    const { meter } = turn.place.target;
    const before = turn.fault;
    if (fault === null && before === null && this.#records.has(meter)) return;
    if (fault === null && before !== null) log.info({ meter }, 'the meter answers again');
    const told = fault && toldOf(fault);
    if (told !== null && before === null) log.warn({ meter, ...told }, 'the meter was not read');
    turn.fault = told && { ...told, since: before?.since ?? askedAt };
    this.#records.set(meter, { fault: turn.fault });
  }

  /** Closes hours whose edge has passed unread by more than the tolerance. */
  async #closeHours(): Promise<void> {
    const now = this.#plan.clock.now();
    // Looked at from time to time though nothing is due: a person may have changed what stands there.
    let next = now + SLEEP_MAX_MS;
    for (const turn of this.#turns) {
      if (this.#closingOf(turn) <= now) {
        turn.closingTried = now;
        sometimes('bus: an hour was closed without a reading');
        await passTime(turn.place, this.#plan, 'bus');
      }
      next = Math.min(next, this.#closingOf(turn));
    }
    this.#closeAt = next;
  }

  /** When the meter's open hour can no longer be read at its end, or is to be looked at again. */
  #closingOf(turn: Turn): EpochMs {
    const hours = this.#plan.journal.installation(turn.place.target.meter)?.hours;
    if (!hours) return Number.POSITIVE_INFINITY;
    const closing = hours.start + HOUR_MS + turn.place.rules.toleranceMs + 1;
    return Math.max(closing, turn.closingTried + CLOSING_RETRY_MS);
  }
}

/** A fault as people are told of it: when the meter is next is the plan's affair. */
function toldOf({ code, detail, id }: Fault): Fault {
  return { code, detail, ...(id !== undefined && { id }) };
}

/** Lets the time pass that went by while the collector was not running: its hours close as cut by power. */
export async function passAbsence(
  places: readonly MeteredPlace[],
  parts: Omit<PollParts, 'bus'>,
): Promise<void> {
  for (const place of places) await passTime(place, parts, 'power', ['restart']);
}
