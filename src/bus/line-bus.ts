// Meters on one line: asks one at a time, and takes no answer for another's.

import type { Bus, Clock, Line, ReadTarget, Register } from '../boundaries.ts';
import type { EncoderMessage } from '../codec/encoder-line.ts';
import { parseUi1203, registerOf } from '../codec/encoder-line.ts';
import type { FaultCode, Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { LineProfile } from '../domain/profile.ts';
import { OwedAnswers } from './owed-answers.ts';
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
}

/** A bus over a line of its own. The line is opened by the first read. */
export function createLineBus(options: LineBusOptions): Bus {
  return new LineBus(options);
}

class LineBus implements Bus {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #reopening: Reopening;
  readonly #turns: Turns;
  readonly #owed = new OwedAnswers();

  constructor(options: LineBusOptions) {
    this.#line = options.line;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#reopening = new Reopening({ ...options, link: options.line });
    this.#turns = new Turns(options.clock, options.timeoutMs);
  }

  async read(target: ReadTarget, signal?: AbortSignal): Promise<Result<Register>> {
    const { profile } = target;
    if (profile.transport !== 'line') throw new Error(`${target.meter} does not hang on a line`);
    const request = requestOf(profile, target.address);
    return this.#turns.take((ended) => this.#attempt(target, request, ended), signal);
  }

  link(): { open: boolean; detail: string } {
    return this.#reopening.state();
  }

  async close(): Promise<void> {
    this.#turns.close();
    await this.#line.close();
  }

  async #attempt(
    target: ReadTarget,
    request: Uint8Array | null,
    signal: AbortSignal,
  ): Promise<Result<Register>> {
    const opened = await this.#reopening.ensure();
    if (!opened.ok) return opened;
    await this.#hold(target, signal);
    if (signal.aborted) return faulty('aborted', 'given up');
    this.#line.drain();
    if (request !== null) {
      const written = await this.#line.write(request);
      if (!written.ok) return written;
      this.#owed.asked(target.meter, this.#clock.monotonicMs() + this.#timeoutMs);
    }
    const register = await this.#answer(target, request, signal);
    if (!register.ok) {
      // What follows a spoilt answer is its rest.
      this.#line.drain();
      if (LATE.has(register.fault.code)) {
        this.#owed.late(target.meter, this.#clock.monotonicMs() + this.#timeoutMs);
      }
    }
    return register;
  }

  /**
   * A meter without a known identification cannot tell its answer from a late one of the meter before, so what is
   * owed is waited for: one time-out, and no longer.
   */
  async #hold(target: ReadTarget, signal: AbortSignal): Promise<void> {
    if (target.registerId !== undefined) return;
    for (;;) {
      const left = this.#owed.leftAt(this.#clock.monotonicMs());
      if (left === 0 || signal.aborted || !this.#line.isOpen()) return;
      const late = await this.#line.receive(left, signal);
      if (late.ok && isMessage(parseUi1203(late.value))) this.#owed.paid();
    }
  }

  /** This meter's message within the time-out. Others' are passed over while they can be explained. */
  async #answer(
    target: ReadTarget,
    request: Uint8Array | null,
    signal: AbortSignal,
  ): Promise<Result<Register>> {
    const deadline = this.#clock.monotonicMs() + this.#timeoutMs;
    let passed: Result<Register> | undefined;
    for (;;) {
      const left = deadline - this.#clock.monotonicMs();
      // A chattering line has a next frame for ever.
      if (left <= 0) return passed ?? faulty('line.silent', 'nothing but echoes');
      const frame = await this.#line.receive(left, signal);
      if (!frame.ok) return passed ?? frame;
      // A two-wire adapter hears itself.
      if (request !== null && isEcho(frame.value, request)) continue;
      const { register, pass } = this.#judge(parseUi1203(frame.value), target, request);
      if (!pass) return register;
      passed = register;
    }
  }

  /** What a message means for `target`, and whether its own is still to be waited for. */
  #judge(
    message: Result<EncoderMessage>,
    target: ReadTarget,
    request: Uint8Array | null,
  ): { register: Result<Register>; pass: boolean } {
    const { meter, registerId } = target;
    if (!message.ok || registerId === undefined || message.value.id === registerId) {
      // A spoilt answer may have been noise, with the answer still to come.
      if (isMessage(message)) this.#owed.paidBy(meter);
      return { register: registerIn(message, target), pass: false };
    }
    const wrong = `${message.value.id ?? 'none'} instead of ${registerId}`;
    const pass = this.#owed.paidByOther(meter) || request === null;
    // Nobody else was asked: on this address hangs another meter.
    if (!pass) this.#owed.paidBy(meter);
    return { register: faulty('frame.wrong_id', wrong), pass };
  }
}

/** The faults of an answer that may still be under way. */
const LATE: ReadonlySet<FaultCode> = new Set(['line.silent', 'line.torn', 'aborted']);

function requestOf(profile: LineProfile, address: string): Uint8Array | null {
  if (profile.request === undefined) return null;
  return new TextEncoder().encode(profile.request.replaceAll('{address}', () => address));
}

/** `frame` comes without the CR that ends the request. */
function isEcho(frame: Uint8Array, request: Uint8Array): boolean {
  return (
    frame.length === request.length - 1 && frame.every((byte, index) => byte === request[index])
  );
}

/** True for what only an encoder sends, read or not. */
function isMessage(message: Result<EncoderMessage>): boolean {
  return message.ok || message.fault.code === 'frame.unreadable';
}

function registerIn(message: Result<EncoderMessage>, target: ReadTarget): Result<Register> {
  if (!message.ok) return message;
  const { digits, id } = message.value;
  const register = registerOf(digits, target.dial);
  return register.ok ? good({ register: register.value, id }) : register;
}
