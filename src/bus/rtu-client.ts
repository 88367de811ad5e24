// Modbus RTU on a wire: one question at a time, the line's silence kept, and no late answer taken for the next one's.

import type { Clock, ModbusLink, ModbusQuestion, Wire } from '../boundaries.ts';
import type { RtuAnswer, WordsAsked } from '../codec/modbus-frame.ts';
import {
  exceptionFault,
  hasShapeOf,
  RTU_LEAST_BYTES,
  RTU_MOST_BYTES,
  RTU_REQUEST_BYTES,
  rtuAnswerIn,
  rtuRequest,
  wordsOfRtu,
} from '../codec/modbus-frame.ts';
import type { FaultCode, Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import { isLineUnit } from '../domain/modbus-address.ts';
import { sometimes } from '../sometimes.ts';
import type { StrayEar } from './bus-tally.ts';
import { LineSilence } from './line-silence.ts';
import { OwedWords } from './owed-words.ts';
import { LATE_SHARE, patienceMs, restMs } from './patience.ts';
import { type TallyKey, UnitTally } from './unit-tally.ts';
import { isDue, Watch } from './watch.ts';

/**
 * Something of the shape of the answer with a wrong CRC may be noise with the answer behind it, so it is judged only when
 * the line has been silent for so long: USB adapters hand bytes over every 16 ms, slow devices pause for 30.
 */
const VERDICT_MS = 100;
/** Bytes kept while no answer is made out of them: two of the longest frames. */
const KEPT_BYTES = 2 * RTU_MOST_BYTES;
/**
 * A server of a serial line that vanished without a word looks like silent units, and the kernel goes on repeating for 15
 * minutes. After so many questions in a row without one byte heard the connection is made anew.
 */
export const SILENCES_TO_REOPEN_PEER = 3;
/** A unit that owes more answers than this is left alone until they can no longer come. */
const OWED_MAX = 4;
/** So is one that has owed some for so long: asked without a pause, what it owes would never be past. */
const DOUBT_MAX_MS = 60_000;
/** Questions beyond the number that would be enough if the words held still. */
const SPARE_QUESTIONS = 2;

export interface RtuOptions {
  readonly wire: Wire;
  /** The wire's clock. */
  readonly clock: Clock;
  /** Of the serial line, which may lie behind a server on the network: sets the pause between frames. */
  readonly baud: number;
  /** After so many questions in a row without one byte heard the wire is opened anew; absent: never. */
  readonly silencesToReopen?: number;
  /** Told of answers that answer nothing. */
  readonly ear?: StrayEar;
}

/** A link that tells what it has learned. */
export interface RtuLink extends ModbusLink {
  /** Undefined for a unit that was never asked nor heard. */
  tally(unit: number): UnitTally | undefined;
}

/**
 * A closed link over a closed wire of its own.
 *
 * An RTU answer does not say which question it answers: only its unit, function and length are checked. So what a unit
 * was asked in vain is remembered, and while so many as N answers of the awaited form may still come, words are believed
 * only when N + 1 answers brought the same, each followed by silence: one of them then answers a question of this read,
 * whatever the order in which they came. This rests on two things that no answer could prove: that a unit answers a
 * question at most once, and not later than `OwedWords` remembers it.
 */
export function createRtuLink(options: RtuOptions): RtuLink {
  return new RtuClient(options);
}

type Answer = Result<readonly number[]>;

/** A question on the wire. */
interface Asking extends WordsAsked {
  readonly timeoutMs: number;
  readonly spareMs: number | undefined;
  readonly request: Uint8Array;
  readonly written: number;
  /** Put off once, by as much as an answer may come late. */
  deadline: number;
  putOff: boolean;
  /** Bytes heard before it. */
  readonly before: number;
  /** Where the search goes on. */
  seen: number;
  echoed: boolean;
  /** What came in place of the answer, in words. */
  strange: string | null;
  /** True when what came is enough for a verdict. */
  spoilt: boolean;
  /** True while an earlier answer may be taken for this one. */
  readonly doubtful: boolean;
  readonly settle: (answer: Answer) => void;
  readonly signal: AbortSignal | undefined;
}

class RtuClient implements RtuLink {
  readonly atOnce = 1;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #silence: LineSilence;
  readonly #silencesToReopen: number;
  readonly #ear: StrayEar | undefined;
  readonly #watch: Watch;
  readonly #owed = new OwedWords();
  readonly #tallies = new Map<number, UnitTally>();
  /** Units that owe answers: since when, and until when they are left alone. At most 247. */
  readonly #doubtful = new Map<number, { readonly since: number; aloneUntil: number }>();
  readonly #kept = new Uint8Array(KEPT_BYTES);
  #length = 0;
  /** All bytes ever heard, to compare with later. */
  #heard = 0;
  /** Bytes heard up to the end of the last answer. */
  #heardByAnswer = 0;
  /** The last whole frame, and when it came. */
  #lastFrame = new Uint8Array(0);
  #lastAt = Number.NEGATIVE_INFINITY;
  #silences = 0;
  /** One listener serves all questions of a signal; it goes with the signal. */
  readonly #signals = new WeakSet<AbortSignal>();
  #busy = false;
  #asking: Asking | undefined;

  constructor({ wire, clock, baud, silencesToReopen, ear }: RtuOptions) {
    this.#wire = wire;
    this.#ear = ear;
    this.#clock = clock;
    this.#silence = new LineSilence(clock, baud);
    this.#silencesToReopen = silencesToReopen ?? Number.POSITIVE_INFINITY;
    this.#watch = new Watch(clock, () => this.#look());
    wire.onBytes((bytes) => this.#hear(bytes));
    wire.onLost(() => this.#end('the port is gone'));
  }

  isOpen(): boolean {
    return this.#wire.isOpen();
  }

  async open(): Promise<Result<void>> {
    if (!this.isOpen()) {
      this.#length = 0;
      this.#silences = 0;
    }
    return this.#wire.open();
  }

  async read(question: ModbusQuestion, signal?: AbortSignal): Promise<Answer> {
    if (this.#busy) throw new Error('an RTU line answers one question at a time');
    if (!isLineUnit(question.unit)) throw new Error(`no unit of a line is ${question.unit}`);
    if (!this.isOpen()) return faulty('port.absent', 'the link is not open');
    if (signal?.aborted) return faulty('aborted', 'given up');
    this.#busy = true;
    try {
      const asked = askedBy(question);
      // What is owed may come, and be paid, in this wait.
      await this.#silence.grace(question.unit, signal);
      const owed = this.#owed.of(asked, this.#clock.monotonicMs());
      if (owed === 0) {
        if (this.#owed.clearAt(asked.unit) < this.#clock.monotonicMs()) {
          this.#doubtful.delete(asked.unit);
        }
        return await this.#once(asked, false, signal);
      }
      return await this.#inDoubt(asked, owed, signal);
    } finally {
      this.#busy = false;
    }
  }

  tally(unit: number): UnitTally | undefined {
    return this.#tallies.get(unit);
  }

  close(): Promise<void> {
    const closed = this.#wire.close();
    this.#end('the link was closed');
    return closed;
  }

  /** Asks a unit that owes answers, or leaves it alone until it cannot pay them any more. */
  async #inDoubt(asked: Asked, owed: number, signal: AbortSignal | undefined): Promise<Answer> {
    const { unit } = asked;
    const now = this.#clock.monotonicMs();
    const doubt = this.#doubtful.get(unit) ?? { since: now, aloneUntil: now };
    this.#doubtful.set(unit, doubt);
    if (owed > OWED_MAX || now - doubt.since > DOUBT_MAX_MS) this.#leaveAlone(unit);
    if (now < doubt.aloneUntil) {
      const detail = `unit ${unit} owes ${owed} answers and is left alone`;
      return { ok: false, fault: { code: 'line.silent', detail, restMs: doubt.aloneUntil - now } };
    }
    return this.#certain(asked, owed, signal);
  }

  #leaveAlone(unit: number): void {
    const doubt = this.#doubtful.get(unit);
    if (doubt !== undefined) doubt.aloneUntil = this.#owed.clearAt(unit);
  }

  /** Words that `owed` + 1 answers brought, each followed by silence. */
  async #certain(asked: Asked, owed: number, signal: AbortSignal | undefined): Promise<Answer> {
    const times = new Map<string, number>();
    const until = this.#clock.monotonicMs() + 2 * asked.timeoutMs + (asked.spareMs ?? 0);
    for (let i = 0; i <= owed + SPARE_QUESTIONS; i += 1) {
      if (this.#clock.monotonicMs() > until) break;
      const answer = await this.#once(asked, true, signal);
      if (!isAnswer(answer)) return answer;
      this.#owed.renew(asked, this.#clock.monotonicMs());
      await this.#silence.rest(this.#patience(asked), signal);
      if (signal?.aborted) return faulty('aborted', 'given up');
      if (this.#heard - this.#heardByAnswer >= RTU_LEAST_BYTES) {
        return faulty('modbus.unexpected', 'more than one answer, and one was owed');
      }
      if (!answer.ok) return answer;
      const said = answer.value.join();
      const again = (times.get(said) ?? 0) + 1;
      if (again > owed) return answer;
      times.set(said, again);
    }
    this.#leaveAlone(asked.unit);
    const left = Math.max(0, this.#owed.clearAt(asked.unit) - this.#clock.monotonicMs());
    const detail = `${owed} answers are owed, and the words do not hold still`;
    return { ok: false, fault: { code: 'modbus.unexpected', detail, restMs: left } };
  }

  /** One question and what answers it in its time. */
  async #once(asked: Asked, doubtful: boolean, signal: AbortSignal | undefined): Promise<Answer> {
    if (!(await this.#silence.quiet(signal))) {
      return faulty('modbus.unexpected', 'the line does not fall silent');
    }
    if (signal?.aborted) return faulty('aborted', 'given up');
    if (!this.isOpen()) return faulty('port.absent', 'the port is gone');
    const written = this.#clock.monotonicMs();
    const answer = await this.#put(asked, doubtful, signal);
    if (!answer.ok && HELD.has(answer.fault.code)) await this.#hold(asked, written, signal);
    return answer;
  }

  /** What came in place of the answer came early: the line is silent for the unit's latency, within the time-out. */
  async #hold({ unit, timeoutMs }: Asked, written: number, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.monotonicMs();
    const latency = this.#tallied(unit).latencyMs(LATE_SHARE) ?? 0;
    const left = Math.min(latency, written + timeoutMs - now);
    if (left > 0) await this.#silence.rest(left, signal);
  }

  #put(asked: Asked, doubtful: boolean, signal: AbortSignal | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      const written = this.#clock.monotonicMs();
      this.#length = 0;
      const { unit, code, address, quantity, timeoutMs, spareMs } = asked;
      this.#asking = {
        unit,
        code,
        address,
        quantity,
        timeoutMs,
        spareMs,
        request: rtuRequest(asked),
        written,
        deadline: written + asked.timeoutMs,
        putOff: false,
        before: this.#heard,
        seen: 0,
        echoed: false,
        strange: null,
        spoilt: false,
        doubtful,
        settle: (answer) => {
          this.#asking = undefined;
          resolve(answer);
        },
        signal,
      };
      if (signal) this.#listen(signal);
      this.#watch.by(this.#asking.deadline);
      this.#silence.sending(RTU_REQUEST_BYTES);
      const asking = this.#asking;
      void this.#wire.write(asking.request).then(({ ok }) => {
        if (!ok && this.#asking === asking) this.#end('the port takes no request');
      });
    });
  }

  #listen(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    const giveUp = () => {
      if (this.#asking?.signal === signal) this.#fail('aborted', 'given up');
    };
    signal.addEventListener('abort', giveUp, { once: true });
  }

  #hear(bytes: Uint8Array): void {
    this.#silence.heard();
    this.#silences = 0;
    this.#heard += bytes.length;
    this.#keep(bytes);
    if (this.#asking === undefined) this.#unasked();
    else this.#search(this.#asking);
  }

  /** The last bytes heard, as many as may be of use. */
  #keep(bytes: Uint8Array): void {
    const news = bytes.length > KEPT_BYTES ? bytes.subarray(bytes.length - KEPT_BYTES) : bytes;
    const over = this.#length + news.length - KEPT_BYTES;
    if (over > 0) {
      this.#forget(over);
      if (this.#asking) this.#asking.seen = Math.max(0, this.#asking.seen - over);
    }
    this.#kept.set(news, this.#length);
    this.#length += news.length;
  }

  /** Forgets the first bytes kept. */
  #forget(count: number): void {
    this.#kept.copyWithin(0, count, this.#length);
    this.#length -= count;
  }

  #search(asking: Asking): void {
    if (!asking.echoed && this.#isEcho(asking.request)) {
      // A two-wire adapter hears itself.
      asking.echoed = true;
      this.#count(asking.unit, 'echoes');
      this.#forget(RTU_REQUEST_BYTES);
      asking.seen = 0;
    }
    for (;;) {
      const found = rtuAnswerIn(this.#kept, asking.seen, this.#length);
      if (found === undefined) break;
      asking.seen = found.end;
      if (answers(found, asking)) {
        this.#answered(asking, found);
        return;
      }
      this.#stray(found);
      asking.strange = inWords(found);
      asking.spoilt ||= found.unit === asking.unit;
    }
    asking.spoilt ||= hasShapeOf(this.#kept, asking.seen, this.#length, asking);
    // Just as many bytes as the answer has are the answer, damaged.
    const length = RTU_LEAST_BYTES + 2 * asking.quantity;
    asking.spoilt ||= asking.strange === null && this.#length === length;
    if (asking.spoilt) this.#watch.by(this.#clock.monotonicMs() + VERDICT_MS);
  }

  #isEcho(request: Uint8Array): boolean {
    return this.#length >= request.length && request.every((byte, i) => this.#kept[i] === byte);
  }

  #answered(asking: Asking, found: RtuAnswer): void {
    const { exception } = found;
    const answer: Answer =
      exception === null
        ? good(wordsOfRtu(this.#kept, found))
        : { ok: false, fault: exceptionFault(exception) };
    // An answer that may be a late one tells nothing of the unit's latency.
    if (!asking.doubtful) {
      this.#tallied(asking.unit).took(this.#clock.monotonicMs() - asking.written);
    }
    this.#count(asking.unit, exception === null ? 'answered' : 'exceptions');
    this.#tallied(asking.unit).missed = 0;
    this.#silence.answered();
    this.#remember(found.from, found.end);
    this.#forget(found.end);
    this.#heardByAnswer = this.#heard - this.#length;
    asking.settle(answer);
    this.#unasked();
  }

  /** What is heard while nothing is asked. */
  #unasked(): void {
    for (;;) {
      const found = rtuAnswerIn(this.#kept, 0, this.#length);
      if (found === undefined) return;
      this.#stray(found);
      this.#forget(found.end);
    }
  }

  /** An answer, but not the awaited one: late, or one that nobody asked for. */
  #stray({ unit, code, quantity, from, end }: RtuAnswer): void {
    const doubled = this.#isDoubled(from, end);
    this.#remember(from, end);
    // Nobody can tell whose refusal comes late, so none is taken for paid.
    if (quantity === null) return this.#count(unit, 'unasked');
    // The same once more pays nothing: the answer that is owed may still come.
    const asked = doubled ? null : this.#owed.pay({ unit, code, quantity });
    if (asked !== null) {
      this.#tallied(unit).missed = 0;
      this.#ear?.late(unit, this.#clock.monotonicMs() - asked);
      sometimes('bus: a late answer on an RTU line was refused');
      return this.#count(unit, 'late');
    }
    // What a repeater says once more is no second device.
    if (!doubled) this.#ear?.unasked(unit);
    this.#count(unit, 'unasked');
    this.#owed.unasked({ unit, code, quantity }, this.#clock.monotonicMs());
  }

  /** Whether these bytes are those of the frame right before them. */
  #isDoubled(from: number, end: number): boolean {
    const pause = this.#clock.monotonicMs() - this.#lastAt;
    if (pause > VERDICT_MS || end - from !== this.#lastFrame.length) return false;
    return this.#lastFrame.every((byte, i) => this.#kept[from + i] === byte);
  }

  #remember(from: number, end: number): void {
    this.#lastFrame = this.#kept.slice(from, end);
    this.#lastAt = this.#clock.monotonicMs();
  }

  /** Something is due: the verdict on what came, or the end of the time-out. */
  #look(): void {
    const asking = this.#asking;
    if (asking === undefined) return;
    const now = this.#clock.monotonicMs();
    if (isDue(asking.deadline, now)) {
      if (!this.#isPutOff(asking)) this.#timeOut(asking);
      return;
    }
    if (!asking.spoilt) return this.#watch.by(asking.deadline);
    const verdict = this.#silence.lastHeard() + VERDICT_MS;
    if (isDue(verdict, now)) this.#spoilt(asking);
    else this.#watch.by(Math.min(verdict, asking.deadline));
  }

  /** True, once, where an answer is still waited for though its time is up. */
  #isPutOff(asking: Asking): boolean {
    const { unit, timeoutMs, spareMs = 0, putOff } = asking;
    if (putOff) return false;
    const { missed } = this.#tallied(unit);
    const latencyMs = this.#tallied(unit).latencyMs(LATE_SHARE);
    const ms = patienceMs({ latencyMs, missed }, timeoutMs, spareMs);
    asking.putOff = true;
    asking.deadline += ms;
    if (ms > 0) this.#watch.by(asking.deadline);
    return ms > 0;
  }

  #timeOut(asking: Asking): void {
    const { strange, spoilt, echoed, deadline, written } = asking;
    if (spoilt || strange !== null) return this.#spoilt(asking);
    const heard = this.#heard - asking.before - (echoed ? RTU_REQUEST_BYTES : 0);
    // Requests that pile up in a stuck port would be sent, and answered, in one burst.
    const stuck = this.#wire.unsent() > 0;
    this.#silences += heard === 0 ? 1 : 0;
    const ms = Math.round(deadline - written);
    if (heard === 0) this.#fail('line.silent', `no answer in ${ms} ms`);
    else this.#fail('line.torn', `${heard} bytes, but no whole answer in ${ms} ms`);
    if (stuck || this.#silences >= this.#silencesToReopen) void this.close();
  }

  #spoilt({ strange }: Asking): void {
    if (strange === null) this.#fail('modbus.crc', 'the checksum is wrong');
    else this.#fail('modbus.unexpected', strange);
  }

  /** The question is given up; its answer may still come. */
  #fail(code: FaultCode, detail: string): void {
    const asking = this.#asking;
    if (asking === undefined) return;
    const { unit, timeoutMs } = asking;
    // What was looked at is not looked at again: an answer pays once.
    this.#forget(asking.seen);
    const key = TALLIED[code];
    if (key !== undefined) this.#count(unit, key);
    // Where nobody else owes an answer, the damaged one that came is this question's, and no other will come.
    const paid = code === 'modbus.crc' && this.#owed.isClear(this.#clock.monotonicMs());
    if (!paid) this.#owed.add(asking, asking.written);
    if (code === 'line.silent') this.#tallied(unit).missed += 1;
    if (!LATE.has(code)) return asking.settle(faulty(code, detail));
    const ms = restMs(this.#tallied(unit).latencyMs(LATE_SHARE), timeoutMs);
    this.#silence.spare(unit, ms);
    asking.settle({ ok: false, fault: { code, detail, restMs: ms } });
  }

  #end(detail: string): void {
    this.#watch.stop();
    this.#silence.end();
    this.#fail('port.absent', detail);
  }

  /** How long after an answer a second one would have come. */
  #patience({ unit, timeoutMs }: Asked): number {
    const latency = this.#tallied(unit).latencyMs(LATE_SHARE);
    return Math.min(timeoutMs / 2, latency === null ? timeoutMs : 2 * latency);
  }

  #count(unit: number, key: TallyKey): void {
    this.#tallied(unit).counts[key] += 1;
  }

  #tallied(unit: number): UnitTally {
    const known = this.#tallies.get(unit);
    if (known !== undefined) return known;
    const tally = new UnitTally();
    this.#tallies.set(unit, tally);
    return tally;
  }
}

type Asked = WordsAsked & {
  readonly timeoutMs: number;
  readonly spareMs: number | undefined;
};

function askedBy({ unit, table, address, quantity, timeoutMs, spareMs }: ModbusQuestion): Asked {
  return { unit, code: table === 'holding' ? 3 : 4, address, quantity, timeoutMs, spareMs };
}

/** The faults of an answer that may still be under way. */
const LATE: ReadonlySet<FaultCode> = new Set(['line.silent', 'line.torn', 'aborted']);
/** The faults of what came in place of the answer, before its time was up. */
const HELD: ReadonlySet<FaultCode> = new Set(['modbus.crc', 'modbus.unexpected']);
const TALLIED: Partial<Record<FaultCode, TallyKey>> = {
  'line.silent': 'silent',
  'line.torn': 'torn',
  'modbus.crc': 'crc',
  'modbus.unexpected': 'unexpected',
};

/** An exception is an answer too. */
function isAnswer(answer: Answer): boolean {
  return answer.ok || answer.fault.code === 'modbus.exception';
}

/** Whether `found` is of the form of the answer to `asked`. */
function answers({ unit, code, quantity }: RtuAnswer, asked: WordsAsked): boolean {
  return (
    unit === asked.unit && code === asked.code && (quantity ?? asked.quantity) === asked.quantity
  );
}

function inWords({ unit, code, quantity }: RtuAnswer): string {
  return `an answer of unit ${unit} to another question (function ${code}, ${quantity ?? 0} words)`;
}
