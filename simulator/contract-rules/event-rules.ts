// The rules of events: one id from raise to clear, a row for each message, evidence in each.

import type { EventMessage } from './messages.ts';
import type { Verdicts } from './verdicts.ts';

const PHASES = { raise: 0, update: 1, clear: 2 } as const;

/** What never changes over the life of an alarm. */
const identityOf = ({ code, meter, inst, since }: EventMessage): string =>
  JSON.stringify([code, meter ?? null, inst ?? null, since]);

const isNamed = (by: unknown): boolean => typeof by === 'string' && by !== '';

/** The events of one collector. */
export class EventRules {
  readonly #verdicts: Verdicts;
  readonly #alarms = new Map<string, EventMessage[]>();
  /** By id of the command: its name, where it is told who gave it. */
  readonly #executed = new Map<string, unknown>();

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  take(event: EventMessage): void {
    this.#verdicts.saw('E2');
    // What a clear may add, its raise has told.
    const evidence = event.phase === 'clear' || Object.keys(event.data).length > 0;
    this.#verdicts.check('E3', evidence, () => `event ${event.id} (${event.code}) has no evidence`);
    if (event.code === 'command.executed' && isNamed(event.data['by'])) {
      this.#executed.set(String(event.data['id']), event.data['name']);
    }
    const known = this.#alarms.get(event.id) ?? [];
    const again = known.find((one) => one.row === event.row && one.epoch === event.epoch);
    if (again === undefined) this.#alarms.set(event.id, [...known, event]);
    else {
      this.#verdicts.check(
        'E1',
        JSON.stringify(again) === JSON.stringify(event),
        () => `row ${event.row} of event ${event.id} came again with another content`,
      );
      return;
    }
    const [first] = known;
    this.#verdicts.check(
      'E1',
      first === undefined || identityOf(first) === identityOf(event),
      () => `event id ${event.id} is used for ${first?.code} and for ${event.code}`,
    );
    this.#checkOrder(event, known);
  }

  /** C4: who did it, and what, was told. */
  wasExecuted(id: string, name: string): boolean {
    return this.#executed.get(id) === name;
  }

  /** Rows tell the order in which messages were made, in whatever order they come. */
  #checkOrder(event: EventMessage, known: readonly EventMessage[]): void {
    for (const other of known.filter((one) => one.epoch === event.epoch)) {
      const [early, late] = other.row < event.row ? [other, event] : [event, other];
      const follows =
        late.phase !== 'raise' &&
        early.phase !== 'clear' &&
        PHASES[early.phase] <= PHASES[late.phase];
      this.#verdicts.check(
        'E1',
        follows,
        () => `event ${event.id}: ${late.phase} (row ${late.row}) after ${early.phase}`,
      );
    }
  }
}
