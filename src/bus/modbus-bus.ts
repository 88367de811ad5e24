// Meters on one Modbus link: asks one at a time for the words of its register.

import type { Bus, Clock, ModbusLink, ReadTarget, Register } from '../boundaries.ts';
import { countsOf, wordsOf } from '../codec/modbus-words.ts';
import type { Result } from '../domain/fault.ts';
import { good } from '../domain/fault.ts';
import type { ModbusProfile } from '../domain/profile.ts';
import { Reopening } from './reopening.ts';
import { Turns } from './turn.ts';

export interface ModbusBusOptions {
  readonly link: ModbusLink;
  /** The wire's clock. */
  readonly clock: Clock;
  /** How long one meter may stay silent. */
  readonly timeoutMs: number;
  /** Ceiling of the pause between two tries to open the link. */
  readonly reopenMaxMs: number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/** A bus over a link of its own. The link is opened by the first read. */
export function createModbusBus(options: ModbusBusOptions): Bus {
  return new ModbusBus(options);
}

class ModbusBus implements Bus {
  readonly #link: ModbusLink;
  readonly #timeoutMs: number;
  readonly #reopening: Reopening;
  readonly #turns: Turns;

  constructor(options: ModbusBusOptions) {
    this.#link = options.link;
    this.#timeoutMs = options.timeoutMs;
    this.#reopening = new Reopening(options);
    this.#turns = new Turns(options.clock, options.timeoutMs);
  }

  async read(target: ReadTarget, signal?: AbortSignal): Promise<Result<Register>> {
    const { profile } = target;
    if (profile.transport !== 'modbus') throw new Error(`${target.meter} does not speak Modbus`);
    return this.#turns.take((ended) => this.#attempt(target, profile, ended), signal);
  }

  link(): { open: boolean; detail: string } {
    return this.#reopening.state();
  }

  async close(): Promise<void> {
    this.#turns.close();
    await this.#link.close();
  }

  async #attempt(
    target: ReadTarget,
    profile: ModbusProfile,
    signal: AbortSignal,
  ): Promise<Result<Register>> {
    const opened = await this.#reopening.ensure();
    if (!opened.ok) return opened;
    const question = {
      unit: Number(target.address),
      table: profile.table,
      address: profile.address,
      // Both words in one question: asked one by one, a carry in between would tear the number.
      quantity: wordsOf(profile),
      timeoutMs: this.#timeoutMs,
    };
    const words = await this.#link.read(question, signal);
    if (!words.ok) return words;
    const register = countsOf(words.value, profile, target.dial);
    // A device behind Modbus words sends no identification of its encoder.
    return register.ok ? good({ register: register.value, id: null }) : register;
  }
}
