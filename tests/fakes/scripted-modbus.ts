// A Modbus link in memory: a script answers questions, and the link can be unplugged.

import type { Clock, ModbusLink, ModbusQuestion } from '../../src/boundaries.ts';
import type { FaultCode, Result } from '../../src/domain/fault.ts';
import { faulty, good } from '../../src/domain/fault.ts';

/** What a device does with one question. An answer later than the question's time-out is lost. */
export type ModbusAnswer =
  | { readonly words: readonly number[]; readonly afterMs?: number; readonly unit?: number }
  | { readonly exception: number }
  | { readonly fault: FaultCode; readonly afterMs?: number }
  | 'silence';

export type ModbusScript = (question: Omit<ModbusQuestion, 'timeoutMs'>) => ModbusAnswer;

/** A ModbusLink whose other end is a function. Times are of the clock given, so virtual time does. */
export class ScriptedModbus implements ModbusLink {
  readonly atOnce = 1;
  /** All questions so far. */
  readonly questions: ModbusQuestion[] = [];
  /** How often opening was tried. */
  opens = 0;
  readonly #clock: Clock;
  #script: ModbusScript = () => 'silence';
  #plugged = true;
  #open = false;
  #fail: ((fault: Result<never>) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on each question is answered by what `script` says. */
  answer(script: ModbusScript): void {
    this.#script = script;
  }

  /** The link goes, until `plugIn`. */
  unplug(): void {
    this.#plugged = false;
    this.#lose('unplugged');
  }

  plugIn(): void {
    this.#plugged = true;
  }

  isOpen(): boolean {
    return this.#open;
  }

  async open(): Promise<Result<void>> {
    if (this.#open) return good(undefined);
    this.opens += 1;
    if (!this.#plugged) return faulty('port.absent', 'unplugged');
    this.#open = true;
    return good(undefined);
  }

  async read(question: ModbusQuestion, signal?: AbortSignal): Promise<Result<readonly number[]>> {
    if (this.#fail !== undefined) throw new Error('a Modbus link answers one question at a time');
    if (!this.#open) return faulty('port.absent', 'the link is not open');
    if (signal?.aborted) return faulty('aborted', 'given up');
    this.questions.push(question);
    const answer = this.#script(question);
    const giveUp = () => this.#fail?.(faulty('aborted', 'given up'));
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await new Promise((resolve) => {
        this.#fail = resolve;
        const ms = Math.min(question.timeoutMs, delayOf(answer));
        void this.#clock.sleep(ms).then(() => resolve(outcome(answer, question)));
      });
    } finally {
      this.#fail = undefined;
      signal?.removeEventListener('abort', giveUp);
    }
  }

  async close(): Promise<void> {
    this.#lose('closed');
  }

  #lose(detail: string): void {
    this.#open = false;
    this.#fail?.(faulty('port.absent', detail));
  }
}

function delayOf(answer: ModbusAnswer): number {
  if (answer === 'silence') return Number.POSITIVE_INFINITY;
  return 'afterMs' in answer ? (answer.afterMs ?? 0) : 0;
}

function outcome(answer: ModbusAnswer, question: ModbusQuestion): Result<readonly number[]> {
  if (answer === 'silence' || delayOf(answer) >= question.timeoutMs) {
    return faulty('line.silent', 'no answer');
  }
  if ('exception' in answer) return faulty('modbus.exception', `${answer.exception}`);
  if ('fault' in answer) return faulty(answer.fault, 'scripted');
  if ((answer.unit ?? question.unit) !== question.unit) {
    return faulty('modbus.unexpected', 'another unit');
  }
  if (answer.words.length !== question.quantity) {
    return faulty('modbus.unexpected', 'another number of words');
  }
  return good(answer.words);
}
