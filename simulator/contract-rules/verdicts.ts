// The numbered rules of the contract, and what a run of messages showed of each: kept, broken, or not seen.

/** Every numbered rule in short, and what the contract says without a number: topics and payloads. */
export const RULES = {
  topics: 'topic, QoS and retain are those of the table; names match the payload',
  payload: 'payloads are JSON of version 1, with the fields that every message has',
  I1: 'hours begin on the UTC hour; `read` is the dial at their end',
  I2: 'counts are whole; digits, unit and pow10 never change within an installation',
  I3: 'quality says what was measured; nothing is zero-filled or left out',
  I4: 'a gap tells from when to when, how much and why, and overlaps no other',
  I5: 'uses and gaps add up to the totals, and agree with the dial',
  I6: 'an hour or gap sent again is the same in every field; a restated one has a higher rev',
  I7: 'flags are those of the contract',
  I8: 'one meter, at most 168 entries and 32 KB in a message, with its cause',
  I9: 'a change-out shows in two entries of one hour; a place belongs to one collector',
  I10: 'no hour is told before it is over',
  S1: 'state carries its session; no late will of an old session',
  S2: 'birth tells what the collector is, holds and allows',
  S3: 'info tells what stands at the place; rev names its content',
  S4: 'health tells how the collector fares',
  S5: 'a scorecard a day, whose numbers agree',
  E1: 'an event has one id from raise to clear, and each message a row of its own',
  E2: 'event codes are those of the contract',
  E3: 'an event carries its evidence',
  A1: 'rows count without holes within an epoch that birth has told; what is asked for again comes',
  A2: 'without acknowledgement the oldest message alone is sent again',
  A3: 'rows dropped by retention are told',
  A4: 'a backlog comes oldest first',
  C1: 'answers carry a code of the contract',
  C2: 'an id is executed once and its answer repeated',
  C3: 'only the commands that birth allows are executed',
  C4: 'what was operated or configured raises command.executed',
  C5: 'billing.read equals the entry of that hour',
  C6: 'a disabled meter publishes no hours',
} as const;

export type Rule = keyof typeof RULES;

export interface Breach {
  readonly rule: Rule;
  readonly text: string;
  /** Of the message that showed it; null for what only the whole shows. */
  readonly topic: string | null;
  readonly at: number | null;
}

export interface Verdict {
  readonly rule: Rule;
  readonly outcome: 'passed' | 'failed' | 'not seen';
  /** How often it was checked, and found broken. */
  readonly checked: number;
  readonly broken: number;
  readonly breaches: readonly Breach[];
}

/** Breaches of one rule that are kept; the rest are counted. */
const KEPT = 20;

/** Where the checks write down what they saw. `onBreach` hears of each breach once. */
export class Verdicts {
  readonly #checked = new Map<Rule, number>();
  readonly #broken = new Map<Rule, number>();
  readonly #breaches = new Map<Rule, Breach[]>();
  readonly #onBreach: (breach: Breach) => void;
  #message: { topic: string; at: number } | null = null;

  constructor(onBreach: (breach: Breach) => void = () => undefined) {
    this.#onBreach = onBreach;
  }

  /** The message that what follows is about; null: the whole. */
  about(message: { topic: string; at: number } | null): void {
    this.#message = message;
  }

  /** Something to which `rule` applies was looked at. */
  saw(rule: Rule): void {
    this.#checked.set(rule, (this.#checked.get(rule) ?? 0) + 1);
  }

  fail(rule: Rule, text: string): void {
    this.#broken.set(rule, (this.#broken.get(rule) ?? 0) + 1);
    const { topic = null, at = null } = this.#message ?? {};
    const breach = { rule, text, topic, at };
    const kept = this.#breaches.get(rule) ?? [];
    if (kept.length < KEPT) kept.push(breach);
    this.#breaches.set(rule, kept);
    this.#onBreach(breach);
  }

  /** `saw`, and `fail` where `holds` is false. */
  check(rule: Rule, holds: boolean, text: () => string): void {
    this.saw(rule);
    if (!holds) this.fail(rule, text());
  }

  broken(): number {
    return [...this.#broken.values()].reduce((sum, one) => sum + one, 0);
  }

  all(): Verdict[] {
    return (Object.keys(RULES) as Rule[]).map((rule) => {
      const checked = this.#checked.get(rule) ?? 0;
      const broken = this.#broken.get(rule) ?? 0;
      const outcome = broken > 0 ? 'failed' : checked > 0 ? 'passed' : 'not seen';
      return { rule, outcome, checked, broken, breaches: this.#breaches.get(rule) ?? [] };
    });
  }
}
