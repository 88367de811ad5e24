// Everything told of the hours and gaps, each telling by its epoch and revision, and which of it holds: the highest revision of
// what the collector's journal still knows.

import type { Lineage, Standing } from './contract-rules/lineage.ts';
import type { Entry } from './entries.ts';
import { keyOf, modulo } from './entries.ts';
import type { Arrival } from './ledger.ts';

/** What holds of one installation. */
interface Held {
  readonly kept: ReadonlyMap<string, Arrival>;
  /** Of an installation that a restored journal knows nothing of, and whose number it has given again. */
  readonly forgotten: readonly Arrival[];
}

interface Placed {
  readonly arrival: Arrival;
  readonly standing: Standing;
}

interface Installation {
  /** By key. */
  readonly told: Map<string, Arrival[]>;
  held: Held | undefined;
}

export const rowOf = ({ sent }: Arrival): number => Number(sent['row'] ?? 0);

/** Lives as long as its ledger. What holds does not depend on the order in which anything came. */
export class Tellings {
  readonly #lineageOf: (collector: string) => Lineage;
  readonly #installations = new Map<string, Installation>();

  constructor(lineageOf: (collector: string) => Lineage) {
    this.#lineageOf = lineageOf;
  }

  /** Everything told under the key of an entry. */
  of(entry: Entry): readonly Arrival[] {
    return this.#installation(entry).told.get(keyOf(entry)) ?? [];
  }

  add(arrival: Arrival): void {
    const installation = this.#installation(arrival.entry);
    const key = keyOf(arrival.entry);
    installation.told.set(key, [...(installation.told.get(key) ?? []), arrival]);
    installation.held = undefined;
  }

  /** Something was told of epochs: nothing is known of what holds. */
  forgetHeld(): void {
    for (const installation of this.#installations.values()) installation.held = undefined;
  }

  /** Whether the collector's journal knows of it. */
  holds(arrival: Arrival): boolean {
    return !this.#placed(arrival).standing.isVoid;
  }

  kept(): Arrival[] {
    return [...this.#installations.values()].flatMap((one) => [...this.#held(one).kept.values()]);
  }

  forgotten(): Arrival[] {
    return [...this.#installations.values()].flatMap((one) => this.#held(one).forgotten);
  }

  #installation({ meter, inst }: Entry): Installation {
    const key = `${meter}/${inst}`;
    const known = this.#installations.get(key) ?? { told: new Map(), held: undefined };
    this.#installations.set(key, known);
    return known;
  }

  #placed(arrival: Arrival): Placed {
    const { collector, epoch } = arrival;
    return { arrival, standing: this.#lineageOf(collector).standing(epoch, rowOf(arrival)) };
  }

  #held(installation: Installation): Held {
    installation.held ??= heldOf(
      [...installation.told.values()].flat().map((one) => this.#placed(one)),
    );
    return installation.held;
  }
}

function heldOf(placed: readonly Placed[]): Held {
  const known = placed.filter(({ standing }) => !standing.isVoid);
  const unknown = placed.filter(({ standing }) => standing.isVoid);
  const fates = new Map<number, Fate>();
  const fateAt = (depth: number) => {
    const fate = fates.get(depth) ?? fateOf(depth, known, unknown);
    fates.set(depth, fate);
    return fate;
  };
  const of = (fate: Fate) => unknown.filter(({ standing }) => fateAt(standing.depth) === fate);
  const only = of('only');
  const since = Math.min(...only.map(({ standing }) => standing.depth));
  // Hours that nobody read since are told again as missing: what was told of them before is more.
  const isBlank = (one: Placed) => isAfter(since, one);
  const missing = newest(known.filter((one) => isBlank(one) && one.arrival.entry.use === null));
  const kept = newest([...known.filter((one) => !isBlank(one)), ...only]);
  return {
    kept: new Map([...missing, ...kept]),
    forgotten: [...newest(of('other')).values()],
  };
}

/** Of what a restored journal does not know: told anew by it, all that is told, or of another meter than what it tells. */
type Fate = 'retold' | 'only' | 'other';

/** Told by a restored journal itself, after it left what it does not know at that depth. */
const isAfter = (depth: number, { standing }: Placed): boolean =>
  standing.isFresh && standing.depth > depth;

function fateOf(depth: number, known: readonly Placed[], unknown: readonly Placed[]): Fate {
  const later = known.filter((one) => isAfter(depth, one) && one.arrival.entry.use !== null);
  // A meter that was taken out, or was not read since: nothing else tells of its water.
  if (later.length === 0) return 'only';
  const mine = unknown.filter(({ standing }) => standing.depth === depth);
  const before = known.filter((one) => !isAfter(depth, one));
  // The first reading that it accepts brings all that passed since the backup. A meter that is gone without one has the gap only up
  // to what the backup knew.
  const isRead = later.some(({ arrival: { entry } }) => entry.kind === 'hour');
  if (!isRead && sumOf([...before, ...later]) < sumOf([...before, ...mine])) return 'only';
  if (before.length > 0) return 'retold';
  const [one, other] = [beginning(mine), beginning(later)];
  return one === undefined || other === undefined || one === other ? 'retold' : 'other';
}

const sumOf = (placed: readonly Placed[]): number =>
  [...newest(placed).values()].reduce((sum, { entry }) => sum + (entry.use ?? 0), 0);

/** What the dial showed where the installation began, by any hour of it: the same for all of them (I5). */
function beginning(placed: readonly Placed[]): number | undefined {
  for (const { arrival } of placed) {
    const { entry } = arrival;
    if (entry.kind !== 'hour' || entry.read === null || entry.total === null) continue;
    return modulo(entry.read - entry.total, 10 ** entry.digits);
  }
  return undefined;
}

/** By key the highest revision (I4, I6); of equal ones the first that came. */
function newest(placed: readonly Placed[]): Map<string, Arrival> {
  const kept = new Map<string, Arrival>();
  for (const { arrival } of placed) {
    const key = keyOf(arrival.entry);
    const before = kept.get(key);
    if (before === undefined || before.entry.rev < arrival.entry.rev) kept.set(key, arrival);
  }
  return kept;
}
