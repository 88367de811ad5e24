// Meters on one line: asks one at a time, and takes no answer for another's.

import type { Bus, Clock, Line, ReadTarget, Register, WireTrace } from '../boundaries.ts';
import { readLine, registerIn } from '../codec/decode.ts';
import type { LineMessage } from '../codec/line-message.ts';
import type { BusSeen, BusSummary } from '../domain/bus-seen.ts';
import type { Fault, FaultCode, Result } from '../domain/fault.ts';
import { faulty } from '../domain/fault.ts';
import type { LineProfile } from '../domain/profile.ts';
import { sometimes } from '../sometimes.ts';
import { BusTally } from './bus-tally.ts';
import { OwedAnswers, type Paid } from './owed-answers.ts';
import { Patience, patienceMs, restMs } from './patience.ts';
import { Reopening } from './reopening.ts';
import { Turns } from './turn.ts';

export interface LineBusOptions {
  readonly line: Line;
  /** The wire's clock. */
  readonly clock: Clock;
  /** How long one meter may stay silent. */
  readonly timeoutMs: number;
  /** Ceiling of the pause between two tries to open the line. */
  readonly reopenMaxMs: number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  /** Absent: one of its own. */
  readonly tally?: BusTally;
  readonly trace?: WireTrace;
}

/** What is asked in one turn, and in which form the answer comes. */
interface Question {
  readonly target: ReadTarget;
  readonly profile: LineProfile;
  /** Null where the device speaks by itself. */
  readonly request: Uint8Array | null;
  /** Nobody else needs the line for so long after the time-out. */
  readonly spareMs: number;
}

/** A bus over a line of its own. The line is opened by the first read. All its meters share the line's framing. */
export function createLineBus(options: LineBusOptions): Bus {
  return new LineBus(options);
}

class LineBus implements Bus {
  readonly #line: Line;
  readonly trace: WireTrace | undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #reopening: Reopening;
  readonly #turns: Turns;
  readonly #owed = new OwedAnswers();
  readonly #patience = new Patience();
  readonly #tally: BusTally;
  /** A target changes only when another meter stands there, and is another object then. */
  readonly #requests = new WeakMap<ReadTarget, Uint8Array | null>();
  /** The identification of each meter that was asked, where it is known. */
  readonly #ids = new Map<string, string | undefined>();

  constructor(options: LineBusOptions) {
    this.#line = options.line;
    this.trace = options.trace;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#reopening = new Reopening({ ...options, link: options.line });
    this.#turns = new Turns(options.clock, options.timeoutMs);
    this.#tally = options.tally ?? new BusTally(options.clock);
  }

  async read(target: ReadTarget, signal?: AbortSignal, spareMs = 0): Promise<Result<Register>> {
    const { profile } = target;
    if (profile.transport !== 'line') throw new Error(`${target.meter} does not hang on a line`);
    const question = { target, profile, spareMs, request: this.#requestTo(target, profile) };
    this.#ids.set(target.meter, expectedId(question));
    const began = this.#clock.monotonicMs();
    let second = false;
    const attempt = (ended: AbortSignal) => {
      const outcome = this.#attempt(question, second, ended);
      second = true;
      return outcome;
    };
    const register = await this.#turns.take(attempt, profile.minPollS, signal);
    this.#tally.used(register, this.#clock.monotonicMs() - began);
    return register;
  }

  #requestTo(target: ReadTarget, profile: LineProfile): Uint8Array | null {
    const known = this.#requests.get(target);
    if (known !== undefined) return known;
    const request = requestOf(profile, target.address);
    this.#requests.set(target, request);
    return request;
  }

  link(): { open: boolean; detail: string } {
    return this.#reopening.state();
  }

  seen(): BusSeen {
    return this.#tally.seen();
  }

  summary(): BusSummary {
    return this.#tally.summary();
  }

  async rest(): Promise<void> {
    await this.#line.close();
    this.#reopening.rested();
  }

  async close(): Promise<void> {
    this.#turns.close();
    await this.#line.close();
  }

  async #attempt(
    question: Question,
    second: boolean,
    signal: AbortSignal,
  ): Promise<Result<Register>> {
    const opened = await this.#reopening.ensure();
    if (!opened.ok) return opened;
    await this.#hold(question, signal);
    const owed = this.#owed.countAt(this.#clock.monotonicMs());
    if (owed === 0 || expectedId(question) !== undefined) {
      return this.#ask(question, second, signal);
    }
    return this.#certain(question, owed, second, signal);
  }

  /** A register that one answer more brought than others may still owe: one of them is this meter's, then. */
  async #certain(
    question: Question,
    owed: number,
    second: boolean,
    signal: AbortSignal,
  ): Promise<Result<Register>> {
    const times = new Map<number, number>();
    for (let i = 0; i <= owed + SPARE_QUESTIONS; i += 1) {
      const register = await this.#ask(question, second || i > 0, signal);
      if (!register.ok) return register;
      const again = (times.get(register.value.register) ?? 0) + 1;
      if (again > owed) return register;
      times.set(register.value.register, again);
    }
    return faulty('frame.malformed', `${owed} answers are owed, and those that came differ`);
  }

  async #ask(question: Question, second: boolean, signal: AbortSignal): Promise<Result<Register>> {
    const { target, request } = question;
    if (signal.aborted) return faulty('aborted', 'given up');
    this.#line.drain();
    const asked = this.#clock.monotonicMs();
    if (request !== null) {
      const written = await this.#line.write(request);
      if (!written.ok) return written;
      const until = this.#clock.monotonicMs() + this.#timeoutMs;
      this.#owed.asked(target.meter, expectedId(question), asked, until);
    }
    const { register: said, late } = await this.#answer(question, signal);
    const tookMs = this.#clock.monotonicMs() - asked;
    // Answers of others say nothing of this meter but that its own did not come.
    const register = late ? SILENT : said;
    this.#tally.ended(target.meter, register, tookMs, second);
    if (register.ok) {
      this.#patience.took(target.meter, tookMs);
      return register;
    }
    // What follows a spoilt answer is its rest.
    this.#line.drain();
    return LATE.has(register.fault.code) ? this.#given(register.fault, question) : register;
  }

  /** The question is given up; its answer may still come. */
  #given(fault: Fault, { target: { meter }, request }: Question): Result<never> {
    this.#owed.late(meter, this.#clock.monotonicMs() + this.#timeoutMs);
    const { latencyMs } = this.#patience.of(meter);
    if (fault.code === 'line.silent') this.#patience.missed(meter);
    // Who speaks by itself is not asked, and talks over nobody's question.
    if (request === null) return { ok: false, fault };
    return { ok: false, fault: { ...fault, restMs: restMs(latencyMs, this.#timeoutMs) } };
  }

  /**
   * A meter without a known identification cannot tell its answer from a late one of the meter before, so what is
   * owed is waited for: one time-out, and no longer. Not for those that have been silent again and again: they would
   * cost everyone two time-outs for ever, so that meter is asked once more than they owe.
   */
  async #hold(question: Question, signal: AbortSignal): Promise<void> {
    if (expectedId(question) !== undefined) return;
    for (;;) {
      const gone = (meter: string) => this.#patience.isGone(meter);
      const left = this.#owed.leftAt(this.#clock.monotonicMs(), gone);
      if (left === 0 || signal.aborted || !this.#line.isOpen()) return;
      const late = await this.#line.receive(left, signal);
      if (late.ok && isMessage(messageIn(late.value, question))) this.#late(this.#owed.paid());
    }
  }

  /** This meter's message within the time-out. Others' are passed over while they can be explained. */
  async #answer(question: Question, signal: AbortSignal): Promise<Judged> {
    const known = this.#patience.of(question.target.meter);
    const patience = patienceMs(known, this.#timeoutMs, question.spareMs);
    const deadline = this.#clock.monotonicMs() + this.#timeoutMs + patience;
    let passed: Judged | undefined;
    const last = (register: Result<Register>) => passed ?? { register, pass: false, late: false };
    for (;;) {
      const left = deadline - this.#clock.monotonicMs();
      // A chattering line has a next frame for ever.
      if (left <= 0) return last(faulty('line.silent', 'nothing but echoes'));
      const frame = await this.#line.receive(left, signal);
      // What others said does not matter where the line went.
      if (!frame.ok && !UNHEARD.has(frame.fault.code)) passed = undefined;
      if (!frame.ok) return last(frame);
      // A two-wire adapter hears itself.
      if (isEcho(frame.value, question.request)) continue;
      const judged = this.#judge(messageIn(frame.value, question), question);
      if (!judged.pass) return judged;
      passed = judged;
    }
  }

  /** What a message means for the meter asked, and whether its own is still to be waited for. */
  #judge(message: Result<LineMessage>, question: Question): Judged {
    const { target, profile, request } = question;
    const expected = expectedId(question);
    if (!message.ok || expected === undefined || message.value.id === expected) {
      // A spoilt answer may have been noise, with the answer still to come.
      if (isMessage(message)) this.#owed.paidBy(target.meter);
      const register = message.ok ? registerIn(message.value, profile, target.dial) : message;
      return { register, pass: false, late: false };
    }
    const { id } = message.value;
    const paid = this.#owed.paidByOther(target.meter, id);
    this.#late(paid);
    // One that nobody here is known to send may come late from where another encoder hangs, too.
    const pass = paid !== undefined || request === null || this.#owed.isOwedByOther(target.meter);
    const late = paid !== undefined || (request === null && this.#isOthers(target.meter, id));
    // Nobody else was asked: on this address hangs another meter.
    if (!pass) this.#owed.paidBy(target.meter);
    if (!pass) sometimes('bus: another encoder answered');
    return { register: wrongId(id, expected), pass, late };
  }

  /** Whether another meter of this line has this identification. */
  #isOthers(meter: string, id: string | null): boolean {
    return [...this.#ids].some(([other, its]) => other !== meter && its === id);
  }

  /** An answer was refused because its question had been given up. */
  #late(paid: Paid | undefined): void {
    if (paid === undefined) return;
    sometimes('bus: a late answer on a line was refused');
    this.#patience.heard(paid.meter);
    this.#tally.lateOf(paid.meter, this.#clock.monotonicMs() - paid.asked);
  }
}

/** What a message means, and whether the meter's own is still to be waited for. */
interface Judged {
  readonly register: Result<Register>;
  readonly pass: boolean;
  /** It is of another meter of this line: late, or of one that speaks by itself. */
  readonly late: boolean;
}

/** Questions beyond the number that would be enough if the dial held still. */
const SPARE_QUESTIONS = 2;

const SILENT = faulty('line.silent', 'only others answered');
/** The faults of a wait that was heard out. */
const UNHEARD: ReadonlySet<FaultCode> = new Set(['line.silent', 'line.torn', 'line.overlong']);
/** The faults of an answer that may still be under way. */
const LATE: ReadonlySet<FaultCode> = new Set(['line.silent', 'line.torn', 'aborted']);
/** The faults that only a device's message has. */
const MESSAGE: ReadonlySet<FaultCode> = new Set(['frame.unreadable', 'register.digits']);

function requestOf(profile: LineProfile, address: string): Uint8Array | null {
  if (profile.request === undefined) return null;
  return new TextEncoder().encode(profile.request.replaceAll('{address}', () => address));
}

function messageIn(frame: Uint8Array, question: Question): Result<LineMessage> {
  const message = readLine(question.profile, frame, question.target.dial);
  const expected = expectedId(question);
  if (!message.ok || message.value.filled === undefined) return message;
  // Where its last character arrived as a blank an identification is no other encoder's.
  const isOwn = expected === undefined || message.value.id === expected;
  return isOwn ? message : faulty('frame.malformed', 'an identification that is not whole');
}

/** The identification that must come; undefined where none is known, or the form has no place for one. */
function expectedId({ profile, target }: Question): string | undefined {
  return profile.frame === 'ethermeter-ascii' ? undefined : target.registerId;
}

function wrongId(id: string | null, expected: string): Result<never> {
  const detail = `${id ?? 'none'} instead of ${expected}`;
  const fault = { code: 'frame.wrong_id', detail } as const;
  return { ok: false, fault: id === null ? fault : { ...fault, id } };
}

/** `frame` comes without the line end of the request. */
function isEcho(frame: Uint8Array, request: Uint8Array | null): boolean {
  if (request === null) return false;
  let length = request.length;
  while (length > 0 && isLineEnd(request[length - 1])) length -= 1;
  return frame.length === length && frame.every((byte, i) => byte === request[i]);
}

const isLineEnd = (byte: number | undefined) => byte === 0x0d || byte === 0x0a;

/** True for what only an encoder sends, read or not. */
function isMessage(message: Result<LineMessage>): boolean {
  return message.ok || MESSAGE.has(message.fault.code);
}
