// Meters on one Modbus link: asks each for the words of its profile, as many at once as the link bears.

import type {
  Bus,
  Clock,
  ModbusLink,
  ModbusQuestion,
  ReadTarget,
  Register,
  WireTrace,
} from '../boundaries.ts';
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

/** What is asked of one meter: worked out once, asked at every poll. */
interface Asked {
  readonly unit: number;
  readonly channel: number;
  readonly questions: readonly { readonly block: ModbusBlock; readonly question: ModbusQuestion }[];
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
  /** A target changes only when another meter stands there, and is another object then. */
  readonly #asked = new WeakMap<ReadTarget, Asked>();
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

  get atOnceNow(): number {
    return this.#link.atOnceNow ?? this.atOnce;
  }

  async read(target: ReadTarget, signal?: AbortSignal, spareMs = 0): Promise<Result<Register>> {
    const { profile } = target;
    if (profile.transport !== 'modbus') throw new Error(`${target.meter} does not speak Modbus`);
    if (this.#reading >= this.atOnce) throw new Error(`more than ${this.atOnce} reads at once`);
    this.#reading += 1;
    const began = this.#clock.monotonicMs();
    try {
      let register = await this.#attempt(target, profile, spareMs, false, signal);
      const took = this.#clock.monotonicMs() - began;
      // A device that must rest between two questions is not asked twice at once.
      const mayAsk = profile.minPollS === 0 && !register.ok && !this.#reopening.isPausing();
      if (mayAsk && asksAgain(register, took, this.#timeoutMs)) {
        register = await this.#attempt(target, profile, spareMs, true, signal);
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
    target: ReadTarget,
    profile: ModbusProfile,
    spareMs: number,
    second: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Result<Register>> {
    if (!this.#link.isOpen()) {
      const opened = await this.#open();
      if (!opened.ok) return opened;
    }
    const began = this.#clock.monotonicMs();
    const { unit, channel, questions } = this.#askedOf(target, profile);
    this.#tally.asks(target.meter, unit);
    const answers: Answers[number][] = [];
    let register: Result<Register> | undefined;
    for (const { block, question } of questions) {
      if (this.#isOver(signal)) register = faulty('aborted', 'given up');
      if (register !== undefined) break;
      const asked = patiently(question, spareMs);
      const { opening } = this.#reopening;
      let words = await this.#link.read(asked, signal);
      if (isLost(words)) words = await this.#askAnew(asked, opening, words, signal);
      if (isAnswer(words)) this.#reopening.served();
      // A register from half of its words would be a guess.
      if (words.ok) answers.push({ block, words: words.value });
      else register = words;
    }
    register ??= registerOf(answers, profile, target, channel);
    this.#tally.ended(target.meter, register, this.#clock.monotonicMs() - began, second);
    return register;
  }

  /**
   * Words that were asked for through an opening that was lost: some gateways close after each answer, whatever was asked besides.
   * So long as they answer anybody, the link is opened and they are asked again, for a time-out.
   */
  async #askAnew(
    question: ModbusQuestion,
    opening: number,
    lost: Result<readonly number[]>,
    signal: AbortSignal | undefined,
  ): Promise<Result<readonly number[]>> {
    const until = this.#clock.monotonicMs() + question.timeoutMs;
    let words = lost;
    let through = opening;
    while (isLost(words) && this.#reopening.hasServed(through)) {
      if (this.#closed || this.#clock.monotonicMs() >= until) break;
      const opened = await this.#open();
      if (!opened.ok) return opened;
      through = this.#reopening.opening;
      words = await this.#link.read(question, signal);
    }
    return words;
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#closed || signal?.aborted === true;
  }

  #open(): Promise<Result<void>> {
    return this.#closed ? CLOSED : this.#reopening.ensure();
  }

  #askedOf(target: ReadTarget, profile: ModbusProfile): Asked {
    const known = this.#asked.get(target);
    if (known !== undefined) return known;
    const { unit, channel } = unitAndChannel(target.address);
    const { table } = profile;
    const questions = blocksOf(profile, channel).map((block) => ({
      block,
      question: { unit, table, ...block, timeoutMs: this.#timeoutMs },
    }));
    const asked = { unit, channel, questions };
    this.#asked.set(target, asked);
    return asked;
  }
}

const CLOSED: Promise<Result<void>> = Promise.resolve(faulty('aborted', 'given up'));

function isAnswer(words: Result<unknown>): boolean {
  return words.ok || words.fault.code === 'modbus.exception';
}

function isLost(words: Result<unknown>): boolean {
  return !words.ok && words.fault.code === 'port.absent';
}

/** Most polls have time to spare; a spread costs ten times as much (V8). */
function patiently(question: ModbusQuestion, spareMs: number): ModbusQuestion {
  if (spareMs === 0) return question;
  const { unit, table, address, quantity, timeoutMs } = question;
  return { unit, table, address, quantity, timeoutMs, spareMs };
}

function registerOf(
  answers: Answers,
  profile: ModbusProfile,
  target: ReadTarget,
  channel: number,
): Result<Register> {
  const register = registerIn(answers, profile, target.dial, channel);
  return register.ok ? identified(register.value, target, profile) : register;
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
