// The least that a Modbus RTU master must do, over a wire: the stand-in for the line discipline where a test needs only its timing.

import { crc16 } from '../../simulator/modbus-slave.ts';
import type { Clock, ModbusLink, ModbusQuestion } from '../../src/boundaries.ts';
import { replyIn } from '../../src/codec/modbus-reply.ts';
import type { Result } from '../../src/domain/fault.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import { type Wire, withCrc } from './paced-wire.ts';

/** 3.5 characters of 11 bits at 9600 baud, and the grain of a timer. */
const SILENCE_MS = 4.02;

export class PlainRtu implements ModbusLink {
  readonly #wire: Wire;
  readonly #clock: Clock;
  #bytes: number[] = [];
  #heardAt = 0;
  #settle: ((outcome: Result<readonly number[]>) => void) | null = null;
  #asked: ModbusQuestion | null = null;
  /** Until when a unit may still send an answer that nobody waits for. */
  readonly #owes = new Map<number, number>();

  constructor(wire: Wire, clock: Clock) {
    this.#wire = wire;
    this.#clock = clock;
    wire.onBytes((bytes) => this.#hear(bytes));
    wire.onLost(() => this.#settle?.(faulty('port.absent', 'gone')));
  }

  isOpen(): boolean {
    return this.#wire.isOpen();
  }

  open(): Promise<Result<void>> {
    return this.#wire.open();
  }

  close(): Promise<void> {
    this.#settle?.(faulty('port.absent', 'closed'));
    return this.#wire.close();
  }

  async read(question: ModbusQuestion, signal?: AbortSignal): Promise<Result<readonly number[]>> {
    const { unit, timeoutMs } = question;
    await this.#quiet(Math.max(this.#owes.get(unit) ?? 0, this.#heardAt + SILENCE_MS));
    this.#owes.delete(unit);
    if (signal?.aborted) return faulty('aborted', 'given up');
    this.#bytes = [];
    this.#asked = question;
    const answered = new Promise<Result<readonly number[]>>((resolve) => {
      this.#settle = resolve;
    });
    const over = new AbortController();
    const written = await this.#wire.write(withCrc(requestOf(question)));
    if (!written.ok) return written;
    void this.#clock.sleep(timeoutMs, over.signal).then(() => {
      this.#settle?.(faulty(this.#bytes.length > 0 ? 'line.torn' : 'line.silent', 'no answer'));
    });
    const outcome = await answered;
    this.#settle = null;
    this.#asked = null;
    over.abort('settled');
    const now = this.#clock.monotonicMs();
    if (!outcome.ok)
      this.#owes.set(unit, now + (outcome.fault.code === 'modbus.crc' ? 0 : timeoutMs));
    this.#heardAt = Math.max(this.#heardAt, now);
    return outcome;
  }

  async #quiet(until: number): Promise<void> {
    for (;;) {
      const left = Math.max(until, this.#heardAt + SILENCE_MS) - this.#clock.monotonicMs();
      if (left <= 0) return;
      await this.#clock.sleep(left);
    }
  }

  #hear(bytes: Uint8Array): void {
    this.#heardAt = this.#clock.monotonicMs();
    if (!this.#asked) return;
    this.#bytes.push(...bytes);
    const { unit, table, quantity } = this.#asked;
    const refused = (this.#bytes[1] ?? 0) > 0x80;
    const length = refused ? 5 : 5 + 2 * quantity;
    if (this.#bytes.length < length) return;
    const frame = Uint8Array.from(this.#bytes.slice(0, length));
    if (crc16(frame) === 0 && frame[0] !== unit) {
      this.#bytes = this.#bytes.slice(length); // Another unit's late answer.
      return;
    }
    const reply = replyIn(frame, { function: table === 'holding' ? 3 : 4, quantity });
    this.#settle?.(reply.ok ? good(reply.value.words) : reply);
  }
}

function requestOf({ unit, table, address, quantity }: ModbusQuestion): Uint8Array {
  const code = table === 'holding' ? 3 : 4;
  return Uint8Array.of(unit, code, address >> 8, address & 0xff, quantity >> 8, quantity & 0xff);
}
