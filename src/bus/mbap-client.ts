// Modbus TCP on a wire: a bounded number of questions at once, told apart by transaction numbers that are not used twice.

import type { Clock, ModbusLink, ModbusQuestion, Wire } from '../boundaries.ts';
import type { WordsAsked } from '../codec/modbus-frame.ts';
import {
  exceptionFault,
  layMbapRequest,
  MBAP_HEAD_BYTES,
  MBAP_REQUEST_BYTES,
  mbapLength,
  pduAnswer,
} from '../codec/modbus-frame.ts';
import type { Fault, FaultCode, Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import { sometimes } from '../sometimes.ts';
import type { StrayEar } from './bus-tally.ts';
import { isDue, Watch } from './watch.ts';
import { Window } from './window.ts';

/**
 * A peer that vanished without a word looks like silent units, and the kernel goes on repeating for 15 minutes. After so
 * many time-outs in a row without one byte heard the connection is made anew.
 */
const SILENCES_TO_RECONNECT = 3;
/** Answers to no question of ours, with nothing of ours between them: the stream is out of step. */
const STRAYS_TO_RECONNECT = 3;
/** So many answers may be owed on one connection; on a new one none is. */
const OWED_MAX = 1_024;
/** Within a frame a peer that sends byte by byte pauses some tens of ms, and a segment sent again takes some hundreds. */
const PART_PAUSE_MS = 1_000;
const TRANSACTIONS = 0x1_0000;

/** Questions under way at once where nothing else is said: the most that a server need take (Messaging guide 4.2). */
export const AT_ONCE = 16;

export interface MbapOptions {
  readonly wire: Wire;
  /** The wire's clock. */
  readonly clock: Clock;
  /** How many questions may be under way at once. */
  readonly atOnce?: number;
  /** Told of answers that answer nothing. */
  readonly ear?: StrayEar;
}

/** A link that tells what it has seen. */
export interface MbapLink extends ModbusLink {
  readonly counts: Readonly<Record<MbapKey, number>>;
}

export type MbapKey =
  | 'answered'
  | 'exceptions'
  | 'unexpected'
  | 'silent'
  | 'late'
  | 'strays'
  | 'garbage';

/** A closed link over a closed wire of its own. */
export function createMbapLink(options: MbapOptions): MbapLink {
  return new MbapClient(options);
}

const NOTHING = new Uint8Array(0);

type Answer = Result<readonly number[]>;

/** A question under way. */
interface Asking extends WordsAsked {
  readonly transaction: number;
  readonly timeoutMs: number;
  readonly asked: number;
  readonly deadline: number;
  /** Others were under way when it was put. */
  readonly beside: boolean;
  readonly signal: AbortSignal | undefined;
  readonly settle: (answer: Answer) => void;
}

class MbapClient implements MbapLink {
  readonly atOnce: number;
  readonly #window: Window;
  readonly counts: Record<MbapKey, number> = {
    answered: 0,
    exceptions: 0,
    unexpected: 0,
    silent: 0,
    late: 0,
    strays: 0,
    garbage: 0,
  };
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #watch: Watch;
  readonly #ear: StrayEar | undefined;
  /** In no order: at most `atOnce`, so looking through is cheaper than a map. */
  readonly #asking: Asking[] = [];
  /** Questions given up on this connection whose answer has not come: their transactions are not used again on it. */
  readonly #owed = new Map<number, Pick<Asking, 'unit' | 'asked'>>();
  /** One listener serves all questions of a signal; it goes with the signal. */
  readonly #signals = new WeakSet<AbortSignal>();
  #transaction = 0;
  /** Requests of this turn of the event loop, written together; Node takes a Buffer as it is. */
  #requests: Buffer;
  /** The first of them. A view made for each request would cost more than all else that is done for it. */
  #first: Buffer;
  #gathered = 0;
  readonly #sendGathered = () => this.#send();
  /** The beginning of a frame whose rest has not come. */
  #part = NOTHING;
  #heardAt = Number.NEGATIVE_INFINITY;
  #silences = 0;
  #strays = 0;

  constructor({ wire, clock, atOnce = AT_ONCE, ear }: MbapOptions) {
    this.#ear = ear;
    this.atOnce = atOnce;
    this.#window = new Window(atOnce);
    this.#wire = wire;
    this.#clock = clock;
    this.#requests = Buffer.alloc(MBAP_REQUEST_BYTES * atOnce);
    this.#first = this.#requests.subarray(0, MBAP_REQUEST_BYTES);
    this.#watch = new Watch(clock, () => this.#look());
    wire.onBytes((bytes) => this.#hear(bytes));
    wire.onLost(() => this.#end({ code: 'port.absent', detail: 'the connection is gone' }));
  }

  get atOnceNow(): number {
    return this.#window.width;
  }

  isOpen(): boolean {
    return this.#wire.isOpen();
  }

  async open(): Promise<Result<void>> {
    if (!this.isOpen()) {
      this.#owed.clear();
      this.#part = NOTHING;
      this.#silences = 0;
      this.#strays = 0;
    }
    return this.#wire.open();
  }

  read(question: ModbusQuestion, signal?: AbortSignal): Promise<Answer> {
    if (!this.#wire.isOpen()) return Promise.resolve(faulty('port.absent', 'the link is not open'));
    if (signal?.aborted) return Promise.resolve(faulty('aborted', 'given up'));
    if (this.#asking.length >= this.atOnce) {
      return Promise.reject(new Error(`more than ${this.atOnce} questions at once`));
    }
    if (signal !== undefined && !this.#signals.has(signal)) this.#listen(signal);
    return new Promise((settle) => this.#put(question, signal, settle));
  }

  close(): Promise<void> {
    const closed = this.#wire.close();
    this.#end({ code: 'port.absent', detail: 'the link was closed' });
    return closed;
  }

  #put(
    { unit, table, address, quantity, timeoutMs }: ModbusQuestion,
    signal: AbortSignal | undefined,
    settle: (answer: Answer) => void,
  ): void {
    const asked = this.#clock.monotonicMs();
    // What lies there while nothing is asked nor owed is no beginning of an answer: some fill theirs up beyond their length.
    if (this.#asking.length === 0 && this.#owed.size === 0) this.#part = NOTHING;
    const transaction = this.#freeTransaction();
    const deadline = asked + timeoutMs;
    const code = table === 'holding' ? 3 : 4;
    const asking: Asking = {
      unit,
      code,
      address,
      quantity,
      timeoutMs,
      transaction,
      asked,
      deadline,
      beside: this.#asking.length > 0,
      signal,
      settle,
    };
    this.#asking.push(asking);
    // Questions that are given up before they are written leave less room than there are places.
    if (this.#gathered === this.#requests.length) this.#send();
    layMbapRequest(this.#requests, this.#gathered, transaction, asking);
    this.#gathered += MBAP_REQUEST_BYTES;
    // A question alone goes at once. What is asked besides goes out in one write when no promise is left to run, as one
    // may ask more.
    if (this.#asking.length === 1) this.#send();
    else if (this.#gathered === MBAP_REQUEST_BYTES) process.nextTick(this.#sendGathered);
    this.#watch.by(deadline);
  }

  /** The next number that no answer under way could bear. */
  #freeTransaction(): number {
    do {
      this.#transaction = (this.#transaction + 1) % TRANSACTIONS;
    } while (this.#isInUse(this.#transaction));
    return this.#transaction;
  }

  #isInUse(transaction: number): boolean {
    return this.#owed.has(transaction) || this.#find(transaction) !== undefined;
  }

  #find(transaction: number): Asking | undefined {
    for (const asking of this.#asking) if (asking.transaction === transaction) return asking;
    return undefined;
  }

  #remove(asking: Asking): void {
    const last = this.#asking.pop();
    if (last === undefined || last === asking) return;
    const at = this.#asking.indexOf(asking);
    if (at >= 0) this.#asking[at] = last;
    else this.#asking.push(last);
  }

  #send(): void {
    const bytes = this.#gathered;
    this.#gathered = 0;
    if (bytes === 0) return;
    const isOne = bytes === MBAP_REQUEST_BYTES;
    void this.#wire.write(isOne ? this.#first : this.#requests.subarray(0, bytes));
    if (this.#wire.unsent() === 0) return;
    // What the driver has not taken yet must not be written over.
    this.#requests = Buffer.alloc(this.#requests.length);
    this.#first = this.#requests.subarray(0, MBAP_REQUEST_BYTES);
  }

  #hear(chunk: Uint8Array): void {
    const now = this.#clock.monotonicMs();
    const pause = now - this.#heardAt;
    this.#heardAt = now;
    this.#silences = 0;
    let bytes = chunk;
    if (this.#part.length > 0) {
      // A frame whose rest never came would end with the beginning of the next.
      if (pause > PART_PAUSE_MS) return this.#outOfStep('an answer that broke off');
      bytes = new Uint8Array(this.#part.length + chunk.length);
      bytes.set(this.#part);
      bytes.set(chunk, this.#part.length);
    }
    let at = 0;
    for (;;) {
      const length = mbapLength(bytes, at, bytes.length);
      if (length === null) return this.#outOfStep('what came is no Modbus');
      if (length === 0 || at + length > bytes.length) break;
      this.#take(bytes, at, at + length);
      at += length;
      // Taking one may have ended the connection.
      if (this.#strays >= STRAYS_TO_RECONNECT) return this.#outOfStep('answers to nothing asked');
    }
    // Less than one frame, as longer ones are none.
    this.#part = at === bytes.length ? NOTHING : new Uint8Array(bytes.subarray(at));
  }

  /** A whole frame between `at` and `end`. */
  #take(bytes: Uint8Array, at: number, end: number): void {
    const transaction = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const asking = this.#find(transaction);
    if (asking === undefined) {
      const owed = this.#owed.get(transaction);
      if (owed !== undefined) {
        this.#owed.delete(transaction);
        // Not the unit that it names: some always say 0 or 255.
        const now = this.#clock.monotonicMs();
        this.#ear?.late(owed.unit, now - owed.asked);
        this.#window.late(owed.unit, owed.asked, now);
        this.counts.late += 1;
        sometimes('bus: a late answer on TCP was refused');
        this.#strays = 0;
      } else {
        this.#ear?.unasked(bytes[at + MBAP_HEAD_BYTES] as number);
        this.counts.strays += 1;
        this.#strays += 1;
      }
      return;
    }
    this.#strays = 0;
    this.#remove(asking);
    const said = pduAnswer(bytes, at + MBAP_HEAD_BYTES, end, asking);
    this.#window.inTime(asking.unit, asking.beside || this.#asking.length > 0);
    if (Array.isArray(said)) {
      this.counts.answered += 1;
      asking.settle(good(said));
    } else if (typeof said === 'string') {
      this.counts.unexpected += 1;
      asking.settle(faulty('modbus.unexpected', said));
    } else if ('exception' in said) {
      this.counts.exceptions += 1;
      asking.settle({ ok: false, fault: exceptionFault(said.exception) });
    }
  }

  /** There is no way to find the next frame: the connection is made anew. */
  #outOfStep(detail: string): void {
    this.counts.garbage += 1;
    this.#drop({ code: 'modbus.unexpected', detail });
  }

  #look(): void {
    const now = this.#clock.monotonicMs();
    let next = Number.POSITIVE_INFINITY;
    for (const asking of [...this.#asking]) {
      if (!this.#asking.includes(asking)) continue;
      if (isDue(asking.deadline, now)) this.#timeOut(asking);
      else next = Math.min(next, asking.deadline);
    }
    if (this.#asking.length > 0) this.#watch.by(next);
  }

  #timeOut(asking: Asking): void {
    const timeoutMs = Math.round(asking.timeoutMs);
    this.counts.silent += 1;
    if (this.#isBrokenOff(asking)) {
      // Its rest will not come, and what comes instead would be read from the middle.
      const heard = `${this.#part.length} bytes, but no whole answer in ${timeoutMs} ms`;
      return this.#drop({ code: 'line.torn', detail: heard });
    }
    if (this.#strays > 0) this.#giveUp(asking, 'modbus.unexpected', 'an answer to nothing asked');
    else this.#giveUp(asking, 'line.silent', `no answer in ${timeoutMs} ms`);
    if (this.#heardAt < asking.asked) this.#silences += 1;
    else if (asking.beside || this.#asking.length > 0) {
      this.#window.silent(asking.unit, asking.asked, this.#clock.monotonicMs());
    }
    const silent = this.#silences >= SILENCES_TO_RECONNECT || this.#wire.unsent() > 0;
    if (silent || this.#owed.size > OWED_MAX) {
      this.#drop({ code: 'port.absent', detail: 'the peer fell silent' });
    }
  }

  /** Whether part of an answer lies there whose rest is not under way: of this question, or of one given up before. */
  #isBrokenOff({ transaction }: Asking): boolean {
    const [high, low] = this.#part;
    if (high === undefined) return false;
    const whose = low === undefined ? transaction : (high << 8) | low;
    return whose === transaction || this.#find(whose) === undefined;
  }

  #giveUp(asking: Asking, code: FaultCode, detail: string): void {
    this.#remove(asking);
    this.#owed.set(asking.transaction, asking);
    asking.settle(faulty(code, detail));
  }

  #listen(signal: AbortSignal): void {
    this.#signals.add(signal);
    const giveUp = () => {
      for (const asking of [...this.#asking]) {
        if (asking.signal === signal) this.#giveUp(asking, 'aborted', 'given up');
      }
    };
    signal.addEventListener('abort', giveUp, { once: true });
  }

  #drop(fault: Fault): void {
    void this.#wire.close();
    this.#end(fault);
  }

  #end(fault: Fault): void {
    this.#watch.stop();
    this.#gathered = 0;
    const all = this.#asking.splice(0);
    for (const { settle } of all) settle({ ok: false, fault });
  }
}
