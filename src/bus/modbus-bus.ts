// Meters on one Modbus link: asks each for the words of its profile, as many at once as the link bears.

import type { Bus, Clock, ModbusLink, ReadTarget, Register, WireTrace } from '../boundaries.ts';
import { blocksOf, type ModbusBlock } from '../codec/modbus-blocks.ts';
import { type Answers, registerIn } from '../codec/modbus-register.ts';
import type { BusSeen, BusSummary } from '../domain/bus-seen.ts';
import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import { unitAndChannel } from '../domain/modbus-address.ts';
import type { ModbusProfile } from '../domain/profile.ts';
import { BusTally } from './bus-tally.ts';
import { Reopening } from './reopening.ts';
import { asksAgain } from './turn.ts';

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
  /** The one that the link tells too; absent: one of its own. */
  readonly tally?: BusTally;
  readonly trace?: WireTrace;
}

/** What is asked in one turn. */
interface Question {
  readonly target: ReadTarget;
  readonly profile: ModbusProfile;
  readonly spareMs: number | undefined;
}

/** A bus over a link of its own. The link is opened by the first read. */
export function createModbusBus(options: ModbusBusOptions): Bus {
  return new ModbusBus(options);
}

class ModbusBus implements Bus {
  readonly atOnce: number;
  readonly #link: ModbusLink;
  readonly trace: WireTrace | undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #reopening: Reopening;
  readonly #tally: BusTally;
  #reading = 0;
  #closed = false;

  constructor(options: ModbusBusOptions) {
    this.atOnce = options.link.atOnce;
    this.#link = options.link;
    this.trace = options.trace;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#reopening = new Reopening(options);
    this.#tally = options.tally ?? new BusTally(options.clock, this.atOnce);
  }

  async read(
    target: ReadTarget,
    signal?: AbortSignal,
    spareMs?: number,
  ): Promise<Result<Register>> {
    const { profile } = target;
    if (profile.transport !== 'modbus') throw new Error(`${target.meter} does not speak Modbus`);
    if (this.#reading >= this.atOnce) throw new Error(`more than ${this.atOnce} reads at once`);
    this.#reading += 1;
    const began = this.#clock.monotonicMs();
    try {
      const question = { target, profile, spareMs };
      let register = await this.#attempt(question, false, signal);
      const took = this.#clock.monotonicMs() - began;
      // A device that must rest between two questions is not asked twice at once.
      const mayAsk = profile.minPollS === 0 && !register.ok;
      if (mayAsk && asksAgain(register, took, this.#timeoutMs)) {
        register = await this.#attempt(question, true, signal);
      }
      this.#tally.used(register, this.#clock.monotonicMs() - began);
      return register;
    } finally {
      this.#reading -= 1;
    }
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
    await this.#link.close();
    this.#reopening.rested();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#link.close();
  }

  async #attempt(
    question: Question,
    second: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Result<Register>> {
    if (!this.#link.isOpen() && !this.#closed) {
      const opened = await this.#reopening.ensure();
      if (!opened.ok) return opened;
    }
    const asked = this.#clock.monotonicMs();
    const register = await this.#ask(question, signal);
    this.#tally.ended(question.target.meter, register, this.#clock.monotonicMs() - asked, second);
    return register;
  }

  async #ask(
    { target, profile, spareMs }: Question,
    signal: AbortSignal | undefined,
  ): Promise<Result<Register>> {
    const { unit, channel } = unitAndChannel(target.address);
    this.#tally.asks(target.meter, unit);
    const answers: Answers[number][] = [];
    for (const block of questionsOf(profile, channel)) {
      if (this.#closed || signal?.aborted) return faulty('aborted', 'given up');
      const { address, quantity } = block;
      const { table } = profile;
      const asked = { unit, table, address, quantity, timeoutMs: this.#timeoutMs };
      const question = spareMs === undefined ? asked : { ...asked, spareMs };
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

/** What `blocksOf` worked out: it is asked at every poll and never changes. */
const QUESTIONS = new WeakMap<ModbusProfile, Map<number, readonly ModbusBlock[]>>();

function questionsOf(profile: ModbusProfile, channel: number): readonly ModbusBlock[] {
  const channels = QUESTIONS.get(profile) ?? new Map<number, readonly ModbusBlock[]>();
  QUESTIONS.set(profile, channels);
  const blocks = channels.get(channel) ?? blocksOf(profile, channel);
  channels.set(channel, blocks);
  return blocks;
}
