// Meters on one line: asks one at a time, and takes no answer for another's.

import type { Bus, Clock, Line, ReadTarget, Register, WireTrace } from '../boundaries.ts';
import { readLine, registerIn } from '../codec/decode.ts';
import type { LineMessage } from '../codec/line-message.ts';
import { beginsLine, isLikeMessage } from '../codec/seven-bit.ts';
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
  /** The identification that each meter sent last. */
  readonly #said = new Map<string, string>();
  /** The identification of another that came in the place of a meter's own, at its last turn. */
  readonly #strays = new Map<string, string>();
  /** When the turn's first question was put. */
  #turnBegan = 0;

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

  /** Once more where the line was lost in use: some bridges hang up after each answer. */
  async #attempt(
    question: Question,
    second: boolean,
    signal: AbortSignal,
  ): Promise<Result<Register>> {
    const opened = await this.#reopening.ensure();
    if (!opened.ok) return opened;
    const { opening } = this.#reopening;
    const register = await this.#attemptOpen(question, second, signal);
    const isLost = !register.ok && register.fault.code === 'port.absent' && !signal.aborted;
    if (!isLost || !this.#reopening.hasServed(opening)) return register;
    return this.#attemptOpen(question, true, signal);
  }

  async #attemptOpen(
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
    if (!second) this.#turnBegan = asked;
    if (request !== null) {
      const written = await this.#line.write(request);
      if (!written.ok) return written;
      const until = this.#clock.monotonicMs() + this.#timeoutMs;
      this.#owed.asked(target.meter, expectedId(question), asked, until);
    }
    const { register: said, late, stray } = await this.#answer(question, signal);
    if (stray !== undefined) this.#strays.set(target.meter, stray);
    const tookMs = this.#clock.monotonicMs() - asked;
    // Answers of others say nothing of this meter but that its own did not come.
    const register = late ? SILENT : said;
    this.#tally.ended(target.meter, register, tookMs, second);
    if (register.ok) {
      this.#patience.took(target.meter, tookMs);
      this.#reopening.served();
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

  /**
   * This meter's message within the time-out, and with patience. Others' are passed over while they can be explained. What
   * the turn's first question took is no more waited for: the next meter's turn comes as if there had been one.
   */
  async #answer(question: Question, signal: AbortSignal): Promise<Judged> {
    const known = this.#patience.of(question.target.meter);
    const now = this.#clock.monotonicMs();
    const spent = now - this.#turnBegan;
    const patience = Math.max(0, patienceMs(known, this.#timeoutMs, question.spareMs) - spent);
    const deadline = now + this.#timeoutMs + patience;
    const noiseUntil = this.#noiseUntil(question, known.latencyMs);
    let until = deadline;
    let passed: Judged | undefined;
    for (;;) {
      const left = until - this.#clock.monotonicMs();
      // A chattering line has a next frame for ever.
      const frame = left > 0 ? await this.#line.receive(left, signal) : NO_MORE;
      if (!frame.ok) return lastOf(passed, frame);
      const judged = this.#heard(frame.value, question);
      if (judged !== null && !judged.pass && !judged.noise) return judged;
      // An echo tells nothing, and noise less than another's message did.
      if (judged === null || (judged.noise && passed?.pass)) continue;
      passed = judged;
      until = judged.noise ? Math.min(deadline, noiseUntil()) : deadline;
    }
  }

  /** What a line means for the meter asked; null where a two-wire adapter hears its own question. */
  #heard(line: Uint8Array, question: Question): Judged | null {
    if (isEcho(line, question.request)) return null;
    const message = messageIn(withoutEcho(line, question), question);
    return { ...this.#judge(message, question), noise: isNoise(line, message, question) };
  }

  /**
   * Until when a meter's answer is waited for behind what is no message: for as long as it usually takes, and at the least so
   * long as what follows at once; where that is not known, no longer than a second question can still be put.
   */
  #noiseUntil({ request }: Question, latencyMs: number | null): () => number {
    const asked = this.#clock.monotonicMs();
    if (request === null) return () => Number.POSITIVE_INFINITY;
    const usual = latencyMs === null ? FIRST_SHARE * this.#timeoutMs : latencyMs + BEHIND_NOISE_MS;
    return () => Math.max(asked + usual, this.#clock.monotonicMs() + BEHIND_NOISE_MS);
  }

  /** What a message means for the meter asked, and whether its own is still to be waited for. */
  #judge(message: Result<LineMessage>, question: Question): Judged {
    const { target, profile } = question;
    const expected = expectedId(question);
    if (message.ok && !this.#isOwn(message.value.id, target.meter, expected)) {
      return this.#judgeOthers(message.value.id, question);
    }
    // A spoilt answer may have been noise, with the answer still to come.
    if (isMessage(message)) this.#owed.paidBy(target.meter);
    if (message.ok) this.#learn(target.meter, message.value.id);
    return ended(message.ok ? registerIn(message.value, profile, target.dial) : message);
  }

  #judgeOthers(id: string | null, question: Question): Judged {
    const { target, request } = question;
    const expected = expectedId(question);
    const paid = this.#owed.paidByOther(target.meter, id);
    this.#late(paid);
    // One that nobody here is known to send may come late from where another encoder hangs, too; and encoders repeat their
    // message for as long as they are clocked.
    const owed = paid !== undefined || this.#owed.isOwedByOther(target.meter);
    const others = this.#isOthers(target.meter, id);
    const pass = owed || request === null || others;
    const strays = expected === undefined;
    const late = paid !== undefined || strays || (request === null && others);
    // Nobody else was asked: on this address hangs another meter.
    if (!pass) this.#owed.paidBy(target.meter);
    if (!pass) sometimes('bus: another encoder answered');
    const stray = strays && id !== null ? { stray: id } : {};
    return { register: wrongId(id, expected ?? 'its own'), pass, late, ...stray };
  }

  #isOwn(id: string | null, meter: string, expected: string | undefined): boolean {
    return expected === undefined ? !this.#isStray(meter, id) : id === expected;
  }

  /**
   * Whether a message for a meter without a known identification is another's: of one that another sent here, while it sent
   * one of its own itself. If it brings the same at its next turn, somebody has changed the cables.
   */
  #isStray(meter: string, id: string | null): boolean {
    const own = this.#said.get(meter);
    if (id === null || own === undefined || own === id) return false;
    return this.#strays.get(meter) !== id && this.#isOthers(meter, id);
  }

  #learn(meter: string, id: string | null): void {
    this.#strays.delete(meter);
    if (id !== null) this.#said.set(meter, id);
  }

  /** Whether another meter of this line has this identification. */
  #isOthers(meter: string, id: string | null): boolean {
    if (id === null) return false;
    const isIts = ([other, its]: [string, string | undefined]) => other !== meter && its === id;
    return [...this.#ids].some(isIts) || [...this.#said].some(isIts);
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
  /** It is no message at all: the meter's own may stand behind it. */
  readonly noise?: boolean;
  /** The identification of another meter that came for one whose own is not known. */
  readonly stray?: string;
}

/** What is left of an answer that did not come. What others said does not matter where the line went. */
function lastOf(passed: Judged | undefined, none: Result<never>): Judged {
  const isHeardOut = !none.ok && UNHEARD.has(none.fault.code);
  return passed !== undefined && isHeardOut ? passed : ended(none);
}

function ended(register: Result<Register>): Judged {
  return { register, pass: false, late: false };
}

/** What belongs to one answer follows within this: two characters at 300 baud, a hiccup of an adapter or of TCP. */
const BEHIND_NOISE_MS = 100;
/** Of the time-out, for a meter that never answered: half of it still leaves a second try. */
const FIRST_SHARE = 0.4;
/** Questions beyond the number that would be enough if the dial held still. */
const SPARE_QUESTIONS = 2;

const NO_MORE = faulty('line.silent', 'nothing but echoes');
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

/** A request without a line end is heard in front of the answer. */
function withoutEcho(frame: Uint8Array, { profile, request }: Question): Uint8Array {
  const length = request?.length ?? 0;
  const isGlued = profile.framing.kind === 'delimiter' && length > 0 && frame.length > length;
  if (!isGlued || !request?.every((byte, i) => byte === frame[i])) return frame;
  return beginsLine(frame[length]) ? frame.subarray(length) : frame;
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

/** Noise or a bridge's own word, with the answer behind it; not a message that was spoilt, as that one will not come again. */
function isNoise(line: Uint8Array, message: Result<LineMessage>, { profile }: Question): boolean {
  if (message.ok || message.fault.code !== 'frame.malformed') return false;
  return profile.framing.kind === 'delimiter' && !isLikeMessage(line);
}

/** True for what only an encoder sends, read or not. */
function isMessage(message: Result<LineMessage>): boolean {
  return message.ok || MESSAGE.has(message.fault.code);
}
