// Meters on one Modbus link: asks one at a time for the words of its profile.

import type { Bus, Clock, ModbusLink, ReadTarget, Register } from '../boundaries.ts';
import { blocksOf } from '../codec/modbus-blocks.ts';
import { type Answers, registerIn } from '../codec/modbus-register.ts';
import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import { unitAndChannel } from '../domain/modbus-address.ts';
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
    const { unit, channel } = unitAndChannel(target.address);
    const answers: Answers[number][] = [];
    for (const block of blocksOf(profile, channel)) {
      const question = { unit, table: profile.table, ...block, timeoutMs: this.#timeoutMs };
      const words = await this.#link.read(question, signal);
      // A register from half of its words would be a guess.
      if (!words.ok) return words;
      answers.push({ block, words: words.value });
    }
    const register = registerIn(answers, profile, target.dial, channel);
    return register.ok ? identified(register.value, target, profile) : register;
  }
}

/** A device that sends no identification cannot be told from another; one that does must send the right one. */
function identified(
  register: Register,
  { registerId }: ReadTarget,
  profile: ModbusProfile,
): Result<Register> {
  if (registerId === undefined || profile.id === undefined || register.id === registerId) {
    return good(register);
  }
  return faulty('frame.wrong_id', `${register.id ?? 'none'} instead of ${registerId}`);
}
