// How the epochs of one collector follow each other, and what of them its journal does not know of any more: what it told after
// the backup from which it was restored.

type Fields = Readonly<Record<string, unknown>>;

/** Where an epoch comes from: the epoch before it, up to that row. */
interface Origin {
  readonly epoch: string;
  readonly rows: number;
  readonly at: number;
  /** Row of the event that says so: after a restore the new epoch has copies out of the backup below it. */
  readonly row: number;
}

/** Where something told stands: `depth` counts the epochs from the first one that still hold; what is void left them there. */
export interface Standing {
  readonly isVoid: boolean;
  readonly depth: number;
  /** Told by the journal of its epoch itself, not copied into it from a backup. */
  readonly isFresh: boolean;
}

const HOLDS: Standing = { isVoid: false, depth: 0, isFresh: false };

/** Lives as long as its collector is heard; the order in which it hears of epochs does not matter. */
export class Lineage {
  readonly #origins = new Map<string, Origin>();
  #living: string | undefined;
  /** By root of a tree of epochs: up to which row each of its epochs holds, in the order of their lives. */
  #paths: Map<string, Map<string, { rows: number; depth: number }>> | undefined;

  /** Takes an event in; true when it told of an origin that was not known. */
  take(event: Fields): boolean {
    const origin = originIn(event);
    const known = origin && this.#origins.get(origin.of);
    // A later epoch may tell of it again; a restore gives lower numbers, a repair the same.
    if (!origin || (known && known.row >= origin.row)) return false;
    this.#origins.set(origin.of, origin);
    this.#paths = undefined;
    return true;
  }

  /** The epoch in which the collector says it is; the last one that comes rules. True when that changes anything. */
  live(epoch: string): boolean {
    const isNews = this.#living !== epoch;
    this.#living = epoch;
    if (isNews) this.#paths = undefined;
    return isNews;
  }

  /** Where a restored epoch goes on from: the row up to which its backup knew of `epoch`, and the first row of its own. */
  restoredFrom(epoch: string, restored: string): { known: number; own: number } | undefined {
    const origin = this.#origins.get(restored);
    if (origin?.epoch !== epoch || origin.rows === Number.POSITIVE_INFINITY) return undefined;
    return { known: origin.rows, own: origin.row };
  }

  /** A restore was told of. */
  get isRestored(): boolean {
    return [...this.#origins.values()].some(({ rows }) => rows !== Number.POSITIVE_INFINITY);
  }

  standing(epoch: string, row: number): Standing {
    if (this.#origins.size === 0) return HOLDS;
    this.#paths ??= this.#walked();
    const path = this.#paths.get(this.#root(epoch));
    if (!path) return HOLDS;
    const here = path.get(epoch);
    if (here && row <= here.rows) {
      const { depth } = here;
      return { isVoid: false, depth, isFresh: row > this.#copiedIn(epoch) };
    }
    return { isVoid: true, depth: this.#leavesAt(epoch, path), isFresh: false };
  }

  /** The rows of an epoch up to this one are copies out of a backup. A journal that was only repaired keeps its rows' numbers. */
  #copiedIn(epoch: string): number {
    for (const one of this.#upwards(epoch)) {
      const origin = this.#origins.get(one);
      if (origin && origin.rows !== Number.POSITIVE_INFINITY) return origin.row;
    }
    return 0;
  }

  /** The depth at which an epoch that does not hold, or no longer, has left those that do. */
  #leavesAt(epoch: string, path: ReadonlyMap<string, { depth: number }>): number {
    for (const one of this.#upwards(epoch)) {
      const on = path.get(one);
      if (on) return on.depth;
    }
    return 0;
  }

  /** An epoch and all from which it comes. One that is said to come from itself comes from nowhere. */
  #upwards(epoch: string): string[] {
    const all: string[] = [];
    let next: string | undefined = epoch;
    while (next !== undefined && !all.includes(next)) {
      all.push(next);
      next = this.#origins.get(next)?.epoch;
    }
    return all;
  }

  #root(epoch: string): string {
    return this.#upwards(epoch).at(-1) ?? epoch;
  }

  /** From the newest epoch of each tree back to its root. */
  #walked(): Map<string, Map<string, { rows: number; depth: number }>> {
    const newest = new Map<string, string>();
    // One from which another comes is none, whatever the clocks showed.
    const left = new Set([...this.#origins.values()].map(({ epoch }) => epoch));
    const byTime = [...this.#origins].sort(
      ([one, a], [other, b]) => Number(left.has(other)) - Number(left.has(one)) || a.at - b.at,
    );
    for (const [epoch] of byTime) newest.set(this.#root(epoch), epoch);
    // What the collector says of itself rules, whatever its clock showed at a restore.
    const living = this.#living;
    if (living !== undefined && this.#origins.has(living)) newest.set(this.#root(living), living);
    return new Map([...newest].map(([root, epoch]) => [root, this.#pathOf(epoch)]));
  }

  #pathOf(newest: string): Map<string, { rows: number; depth: number }> {
    const epochs = this.#upwards(newest);
    const path = new Map<string, { rows: number; depth: number }>();
    let rows = Number.POSITIVE_INFINITY;
    epochs.forEach((epoch, index) => {
      path.set(epoch, { rows, depth: epochs.length - index });
      rows = this.#origins.get(epoch)?.rows ?? Number.POSITIVE_INFINITY;
    });
    return path;
  }
}

/** What a `journal.repaired` says of an epoch and the one before it; undefined where it says nothing of one. */
function originIn(event: Fields): (Origin & { readonly of: string }) | undefined {
  const { code, data, at, row } = event;
  if (code !== 'journal.repaired' || typeof data !== 'object' || data === null) return undefined;
  const said = data as Fields;
  const { backup_epoch: backup, backup_rows: rows, epoch_before: before, new_epoch: of } = said;
  if (typeof of !== 'string') return undefined;
  const own = { of, at: Date.parse(String(at)) || 0, row: Number(row) };
  if (typeof backup === 'string' && Number.isSafeInteger(rows)) {
    return { epoch: backup, rows: Number(rows), ...own };
  }
  if (typeof before !== 'string') return undefined;
  return { epoch: before, rows: Number.POSITIVE_INFINITY, ...own };
}
