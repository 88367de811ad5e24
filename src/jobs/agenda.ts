// Whose turn it is on one bus: what a person asked for, then the hour's edge, then what is due, then who did not answer.

import { planEdge } from '../domain/edge-plan.ts';
import { BUSY, FAULTS, type Fault, type FaultCode, NOBODY } from '../domain/fault.ts';
import { nextPoll, restAfter, spreadOf } from '../domain/schedule.ts';
import { type EpochMs, HOUR_MS, hourOf } from '../domain/units.ts';
import { DueHeap } from './due-heap.ts';
import { learn, spread, type Turn } from './turn.ts';

export interface AgendaOptions {
  readonly turns: readonly Turn[];
  readonly now: EpochMs;
  /** How long a meter may stay silent, in milliseconds of the schedule. */
  readonly timeoutMs: number;
  /** How long a silent meter may hold the bus, in milliseconds of the schedule. */
  readonly silentMs: number;
  /** How long a round may be before its meters are spread over the poll period, in milliseconds of the schedule. */
  readonly burstMs: number;
  /** Reads in flight at once. */
  readonly parallel: number;
  /** How many of them the bus bears just now. */
  readonly bears: () => number;
}

/** What came of a turn. */
export interface Came {
  readonly askedAt: EpochMs;
  readonly askedMono: number;
  readonly now: EpochMs;
  readonly mono: number;
  /** Null for a good reading. */
  readonly fault: Fault | null;
  /** The meter is better left alone for so long, in milliseconds of the schedule. */
  readonly restMs?: number;
  /** The reading waits for a second one that agrees. */
  readonly unconfirmed: boolean;
}

/** A changed reading without a check sum is read again at once, so often; then the next poll tells. */
const SECOND_READS_MAX = 3;
/** At the hour's edge, where the next poll comes too late, and of a dial that moves two spoilt answers cost three. */
const EDGE_SECOND_READS_MAX = 6;

/**
 * A meter that fails at the hour's edge is asked again while a reading would still count, until it has failed so often
 * in a row. With one read in ten spoilt, one edge in a million stays unread; who is silent for good costs one time-out.
 */
const EDGE_FAILURES_MAX = 6;

/**
 * From so many failures in a row on a meter is reckoned to fail at the hour's edge too. A slow device that is late once in
 * ten is nearly always there the next time.
 */
const FAILING_FROM = 2;

/**
 * From so many failures in a row on a meter is sick: it is asked when nobody else waits. Before that it is one whose
 * answer was spoilt, as one in twenty-five is on a bad line.
 */
const SICK_FROM = 3;

/** On a bus that is never idle a meter that failed waits so long beyond its time, and is then asked all the same. */
const OVERDUE_MS = 60_000;

/** Where nobody else needs the bus a meter is waited for so many time-outs longer at the most. */
const SPARE_TIMEOUTS = 2;

/** The newest reads among many at once say so much of what the next will be like: an edge of few meters is enough. */
const NEWEST_HOLDS = 1 / 16;

/** The port or peer is away, which says nothing of the meter. */
const LINK: ReadonlySet<FaultCode> = new Set([
  ...(['port.absent', 'port.denied', 'port.failed', 'peer.unreachable'] as const),
]);

/** A link that is away, or a device that is busy, is tried so often within the tolerance: it is a matter of seconds. */
const LINK_TRIES = 8;

/** The plan of one bus. Every instant is given; it waits for nothing. */
export class Agenda {
  readonly #options: AgendaOptions;
  readonly #turns: readonly Turn[];
  readonly #toleranceMax: number;
  readonly #waiting = new DueHeap<Turn>((a, b) => a.due < b.due);
  /** Those that answer: the hour's edge before polls in between. */
  readonly #ready = new DueHeap<Turn>((a, b) =>
    a.edge === b.edge ? a.order < b.order : a.edge > b.edge,
  );
  /** Those that failed again and again. */
  readonly #sick = new DueHeap<Turn>((a, b) => a.order < b.order);
  readonly #asked = new Set<Turn>();
  /** Meters that answer and have not been read for the edge yet. */
  readonly #open = new Set<Turn>();
  /** The edge that is planned for, until the last reading could count for it. */
  #edge: EpochMs = 0;
  #begun = false;
  #refreshed = false;
  /** Before any read for the edge can begin: the plan is laid again with what was learned of the meters' reads since. */
  #refreshAt: EpochMs = 0;
  /** When the first read for the edge begins, and how long after it (negative: before) each does. */
  #from: EpochMs = 0;
  #aims = new Map<Turn, number>();
  #probing = 0;
  /** Reads that are under way. */
  #under = 0;
  /** How long a read holds a bus that is asked many at once; null while that is not known. */
  #holdsMs: number | null = null;
  /** When the last read of a sick meter was over. */
  #lastProbe = Number.NEGATIVE_INFINITY;
  #lastWasAsked = false;

  constructor(options: AgendaOptions) {
    this.#options = options;
    this.#turns = options.turns;
    this.#toleranceMax = Math.max(0, ...this.#turns.map(({ rhythm }) => rhythm.toleranceMs));
    this.#lookTo(options.now);
    for (const turn of this.#turns) this.#wait(turn);
  }

  /** The meter to ask now, taken out until `came` or `pass`. */
  next(now: EpochMs, mono: number): Turn | null {
    this.#keepEdges(now);
    for (let turn = this.#waiting.first(); turn && turn.due <= now; turn = this.#waiting.first()) {
      this.#move(turn, isSick(turn) ? this.#sick : this.#ready);
    }
    return (
      this.#nextAsked(now, mono) ??
      this.#nextSick(now, mono) ??
      this.#nextReady(now, mono) ??
      this.#nextSick(now, mono)
    );
  }

  /** The instant at which `next` may have another answer, when nothing comes in between. */
  wakeAt(now: EpochMs, mono: number): EpochMs {
    const edge = this.#begun
      ? this.#edge + this.#toleranceMax + 1
      : this.#refreshed
        ? this.#from
        : this.#refreshAt;
    let wake = Math.min(this.#waiting.first()?.due ?? edge, edge);
    for (const turn of this.#asked) {
      const free = turn.home === null ? wake : this.freeAt(turn, now, mono);
      if (free > now) wake = Math.min(wake, free);
    }
    return Math.max(now + 1, wake);
  }

  /** Whether the wire may be used for something else for so long: no read for an hour's edge is then held up. */
  mayLend(now: EpochMs, ms: number): boolean {
    this.#keepEdges(now);
    if (this.#open.size > 0) return false;
    return now + ms <= (this.#begun ? this.#from + HOUR_MS : this.#from);
  }

  /** Whether nobody is due now. */
  isIdle(now: EpochMs): boolean {
    return (
      this.#ready.size === 0 &&
      this.#asked.size === 0 &&
      (this.#waiting.first()?.due ?? Number.POSITIVE_INFINITY) > now
    );
  }

  /** A person wants this meter read: as soon as it may be. */
  ask(turn: Turn): void {
    this.#asked.add(turn);
  }

  /** Nobody waits for it any more. */
  forget(turn: Turn): void {
    this.#asked.delete(turn);
  }

  /** When the meter may be asked: now, or after the pause that its device needs. */
  freeAt(turn: Turn, now: EpochMs, mono: number): EpochMs {
    const rest = Math.max(turn.askedMono + turn.minPollMs, turn.restMono);
    const free = now + Math.max(0, Math.ceil(rest - mono));
    return free < this.#edge && this.#spoilsEdge(turn, free) ? this.#aimOf(turn) : free;
  }

  /** A turn that is not to be asked: it waits for its next poll. */
  pass(turn: Turn, now: EpochMs): void {
    this.#left(turn, now);
    this.#asked.delete(turn);
    turn.edge = 0;
    turn.due = nextPoll(now, turn.rhythm);
    this.#wait(turn);
  }

  /** Takes in what came of a turn and plans the next. True when it is asked again at once for the same reading. */
  came(turn: Turn, came: Came): boolean {
    const { fault, now, mono } = came;
    this.#left(turn, now);
    if (fault === null) {
      learn(turn, mono - came.askedMono);
      this.#learnHold(turn, mono - came.askedMono);
      turn.failures = 0;
    } else if (!LINK.has(fault.code)) turn.failures += 1;
    turn.restMono = mono + (came.restMs ?? 0);
    // A bus may have waited before it asked.
    turn.askedMono = Math.max(came.askedMono, mono - turn.readMs);
    const again = this.#again(turn, came);
    if (!again && !(fault && this.#retryEdge(turn, fault, now))) this.#plan(turn, came);
    this.#wait(turn);
    return again;
  }

  /** For how long after its time-out nobody else needs the bus, when `turn` is asked now. */
  spareMs(turn: Turn, now: EpochMs): number {
    const { parallel, timeoutMs } = this.#options;
    if (parallel > 1 || isSick(turn) || this.#asked.size > 0) return 0;
    const edge = this.#begun ? this.#from + HOUR_MS : this.#from;
    let until = Math.min(edge, now + (1 + SPARE_TIMEOUTS) * timeoutMs);
    for (const other of this.#turns) {
      if (other !== turn && !this.#isDoubtful(other)) until = Math.min(until, other.due);
    }
    return Math.max(0, until - now - timeoutMs);
  }

  /** The wall clock stepped: nothing waits for an instant that it had reached before, and the next edge is another. */
  restart(now: EpochMs): void {
    this.#lookTo(now);
    for (const turn of this.#turns) {
      if (turn.home === null) continue;
      turn.due = Math.min(turn.due, nextPoll(now, turn.rhythm));
      turn.edge = 0;
      turn.edgeRead = 0;
      this.#wait(turn);
    }
  }

  // --- the hour's edge

  #keepEdges(now: EpochMs): void {
    if (now > this.#edge + this.#toleranceMax) this.#lookTo(now);
    if (this.#begun) return;
    if (!this.#refreshed && now >= this.#refreshAt) {
      this.#refreshed = true;
      this.#lay();
    }
    if (now >= this.#from) this.#begin();
  }

  #lookTo(now: EpochMs): void {
    this.#edge = hourOf(now) + HOUR_MS;
    this.#begun = false;
    this.#refreshed = false;
    this.#open.clear();
    this.#lay();
  }

  #lay(): void {
    const { bears, burstMs } = this.#options;
    const answering = this.#turns.filter(({ failures }) => failures < FAILING_FROM);
    const reads = answering.map(({ readMs, rhythm }) => ({
      readMs: this.#holdsMs ?? readMs / bears(),
      toleranceMs: rhythm.toleranceMs,
    }));
    const plan = planEdge(reads);
    this.#from = this.#edge + plan.fromMs;
    const longest = reads.reduce((most, { readMs }) => Math.max(most, readMs), 0);
    const ahead = this.#toleranceMax + longest + this.#options.silentMs;
    this.#refreshAt = this.#edge - Math.min(ahead, HOUR_MS / 2);
    this.#aims = new Map(answering.map((turn, i) => [turn, plan.beginMs[i] ?? 0]));
    spread(this.#turns, plan.roundMs > burstMs);
  }

  /**
   * Takes in by how much a good read that took so long put off the next, on a bus that was asked all that it bears: behind a
   * gateway with one line each waits for those before it, with another none does. Alone neither can be told from the other.
   */
  #learnHold({ crowd }: Turn, tookMs: number): void {
    if (crowd === null) return;
    const holds = tookMs / crowd;
    this.#holdsMs = (this.#holdsMs ?? holds) + (holds - (this.#holdsMs ?? holds)) * NEWEST_HOLDS;
  }

  /** From now on every meter is read for the edge first. */
  #begin(): void {
    this.#begun = true;
    for (const turn of this.#turns) {
      if (turn.home === null || turn.edgeRead === this.#edge) continue;
      this.#aim(turn);
      this.#wait(turn);
    }
  }

  /** Those that answer by the plan; those that do not after them. */
  #aim(turn: Turn): void {
    turn.edge = this.#edge;
    turn.order = this.#aimOf(turn);
    turn.due = Math.min(turn.order, this.#edge);
    if (this.#isDoubtful(turn)) turn.order = this.#orderAfter(turn);
    else this.#open.add(turn);
  }

  /** The place at the edge of a meter that failed: after those that did not, the less it failed the sooner. */
  #orderAfter({ failures }: Turn): number {
    return this.#edge + HOUR_MS + failures;
  }

  #aimOf(turn: Turn): EpochMs {
    return this.#edge + (this.#isDoubtful(turn) ? 0 : (this.#aims.get(turn) ?? 0));
  }

  // --- whose turn it is

  /** A person is not kept waiting by polls, nor may many of them keep the polls waiting: they take turns. */
  #nextAsked(now: EpochMs, mono: number): Turn | null {
    if (this.#lastWasAsked && this.#ready.size > 0) return null;
    for (const turn of this.#asked) {
      if (turn.home === null || this.freeAt(turn, now, mono) > now) continue;
      if (this.#isDoubtful(turn) && !this.#mayHold(turn, now)) continue;
      this.#asked.delete(turn);
      this.#take(turn);
      this.#lastWasAsked = true;
      return turn;
    }
    return null;
  }

  #nextReady(now: EpochMs, mono: number): Turn | null {
    for (let turn = this.#ready.first(); turn; turn = this.#ready.first()) {
      if (this.#isDoubtful(turn) && !this.#mayHold(turn, now)) {
        turn.due = Math.max(this.#edge, now + turn.readMs);
        this.#wait(turn);
      } else if (this.#isFree(turn, now, mono)) return this.#take(turn);
    }
    return null;
  }

  #nextSick(now: EpochMs, mono: number): Turn | null {
    for (let turn = this.#sick.first(); turn; turn = this.#sick.first()) {
      if (this.#probing >= Math.ceil(this.#options.bears() / 2)) return null;
      if (!this.#mayHold(turn, now) || !this.#isTimeFor(turn, now)) return null;
      if (turn.edge === this.#edge && this.#isRetryNear(now)) return null;
      if (this.#isFree(turn, now, mono)) return this.#take(turn);
    }
    return null;
  }

  /** Whether one that answers is to be asked again for the edge before the time-out of one that does not would be over. */
  #isRetryNear(now: EpochMs): boolean {
    const until = now + this.#options.timeoutMs;
    return this.#turns.some(
      (turn) =>
        turn.home === this.#waiting &&
        (turn.edgeFailed === this.#edge ? turn.edge === this.#edge : !isSick(turn)) &&
        turn.due < until,
    );
  }

  /** Whether its device may be asked now; else it waits until it may. */
  #isFree(turn: Turn, now: EpochMs, mono: number): boolean {
    const free = this.freeAt(turn, now, mono);
    if (free <= now) return true;
    turn.due = free;
    this.#wait(turn);
    return false;
  }

  /** A meter that may be silent never holds the bus while others are, or come to be, read for the hour's edge. */
  #mayHold(turn: Turn, now: EpochMs): boolean {
    if (this.#turns.length === 1) return true;
    if (this.#open.size > 0) return false;
    if (this.#begun && turn.edge === this.#edge) return true;
    const next = this.#begun ? this.#from + HOUR_MS : this.#from;
    return now + this.#options.silentMs <= next;
  }

  /**
   * When nobody else waits. On a bus that is never idle: at the edge after all who are read for it, in between when it
   * has waited long, and never again before all are read that waited the last time.
   */
  #isTimeFor(turn: Turn, now: EpochMs): boolean {
    const waits = this.#ready.first();
    if (waits === undefined) return true;
    const atEdge = this.#begun && turn.edge === this.#edge;
    const isTime = atEdge ? waits.edge !== this.#edge : now - turn.due > OVERDUE_MS;
    return isTime && waits.due > this.#lastProbe;
  }

  /** Whether it is likely to be silent: it failed again and again, or just now for this edge. */
  #isDoubtful({ failures, edgeFailed }: Turn): boolean {
    return failures >= FAILING_FROM || (failures > 0 && edgeFailed === this.#edge);
  }

  #take(turn: Turn): Turn {
    turn.home?.remove(turn);
    turn.home = null;
    this.#lastWasAsked = false;
    if (isSick(turn)) this.#probing += 1;
    this.#under += 1;
    const isFull = this.#options.parallel > 1 && this.#under >= this.#options.bears();
    turn.crowd = isFull ? this.#under : null;
    return turn;
  }

  #left(turn: Turn, now: EpochMs): void {
    this.#open.delete(turn);
    this.#under -= 1;
    if (!isSick(turn)) return;
    this.#probing -= 1;
    this.#lastProbe = now;
  }

  // --- when it is next

  /** Where a reading waits for a second one, the meter's next turn is as soon as it may be read again. */
  #again(turn: Turn, { fault, unconfirmed, now }: Came): boolean {
    turn.seconds = unconfirmed && (fault === null || turn.seconds > 0) ? turn.seconds + 1 : 0;
    const atEdge = turn.edge === this.#edge;
    // The next poll begins anew.
    if (turn.seconds > (atEdge ? EDGE_SECOND_READS_MAX : SECOND_READS_MAX)) turn.seconds = 0;
    if (turn.seconds === 0) return false;
    turn.due = now;
    // It is the first of them that counts for the edge: the others' first readings go before its second.
    turn.order = atEdge ? now + this.#toleranceMax : now;
    if (atEdge && turn.minPollMs > 0) {
      this.#isReadFor(turn, now);
      turn.edge = 0;
    } else if (atEdge && !this.#isDoubtful(turn)) this.#open.add(turn);
    return true;
  }

  /** The edge is worth another try while a reading would still count for it. */
  #retryEdge(turn: Turn, { code, why }: Fault, now: EpochMs): boolean {
    if (turn.edge !== this.#edge || now + turn.readMs > this.#edge + turn.rhythm.toleranceMs) {
      return false;
    }
    if (LINK.has(code) || why === BUSY) {
      turn.due = now + turn.rhythm.toleranceMs / LINK_TRIES;
      turn.order = turn.due;
      return true;
    }
    turn.edgeFailed = this.#edge;
    // A flipped bit in the question or in the answer is another meter's address or identification, too; behind a gateway it is silence.
    const mayPass = FAULTS[code] === 'now' || code === 'frame.wrong_id' || why === NOBODY;
    if (turn.failures >= (mayPass ? EDGE_FAILURES_MAX : 2)) return false;
    turn.due = Math.max(now, this.#edge);
    turn.order = this.#orderAfter(turn);
    return true;
  }

  #plan(turn: Turn, { askedAt, now }: Came): void {
    if (this.#begun && !this.#isReadFor(turn, now)) {
      // It was asked for something else while the reads for the edge began, or so early that its reading does not count.
      const isEarly = turn.edge === this.#edge;
      this.#aim(turn);
      turn.due = Math.max(turn.due, isEarly ? this.#edge - turn.rhythm.toleranceMs : now);
      return;
    }
    turn.edge = 0;
    const { pollMs } = turn.rhythm;
    const { meter } = turn.place.target;
    const { failures } = turn;
    // A meter alone on its bus keeps nobody waiting.
    const alone = this.#turns.length === 1;
    const rest = alone ? 0 : restAfter(failures, pollMs, spreadOf(`${meter}/${failures}`));
    const rested = Math.min(Math.max(askedAt, turn.due + rest), now + rest);
    turn.due = nextPoll(Math.max(rested, this.#begun ? this.#edge : 0), turn.rhythm);
    if (this.#spoilsEdge(turn, turn.due)) turn.due = hourOf(turn.due) + HOUR_MS;
    // Who failed last time lets those pass that did not, but not for ever.
    turn.order = turn.due + (failures > 0 ? OVERDUE_MS : 0);
  }

  /** Whether the edge needs no further read of it, now that it was asked. */
  #isReadFor(turn: Turn, now: EpochMs): boolean {
    const { toleranceMs } = turn.rhythm;
    const from = turn.edge === this.#edge ? this.#edge - toleranceMs : this.#aimOf(turn);
    if (now >= from) turn.edgeRead = this.#edge;
    return turn.edgeRead === this.#edge;
  }

  /** A device that must not be asked again soon is not asked shortly before it is needed. */
  #spoilsEdge({ minPollMs }: Turn, at: EpochMs): boolean {
    if (minPollMs === 0) return false;
    const edge = hourOf(at) + HOUR_MS;
    const from = edge === this.#edge ? this.#from : edge;
    return at < from && at + minPollMs > from;
  }

  #wait(turn: Turn): void {
    this.#move(turn, this.#waiting);
  }

  #move(turn: Turn, home: DueHeap<Turn>): void {
    turn.home?.remove(turn);
    turn.home = home;
    home.push(turn);
  }
}

function isSick({ failures }: Turn): boolean {
  return failures >= SICK_FROM;
}
