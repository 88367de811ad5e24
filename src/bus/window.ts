// How many questions may be under way at once on a connection: fewer where they get into each other's way.

/** Units whose answers went astray at one width, before it is halved: this share of it, and never one unit alone. */
const ASTRAY_SHARE = 4;
const ASTRAY_LEAST = 2;
/** Silences tell of the width from one for so many answers on. */
const MANY_SHARE = 3;
/** A unit that is silent so often in a row is not there, whatever the width. */
const SILENCES_COUNTED = 2;
/** So many answers in time for each place, without one astray, and what went astray before them is forgotten. */
const CLEAN_FIRST = 8;
/** The longest that is waited so before another place is tried, where wider was too wide again and again. */
const CLEAN_MOST = 512;

/**
 * A gateway puts all it is asked on one slow line, so the last of many answers comes after its time-out; and some take one question
 * at a time and drop what comes with it. Either way the same units answer when fewer are asked. One slow or silent unit does
 * not make the others wait.
 */
export class Window {
  readonly most: number;
  #width: number;
  /** Since when questions were put at this width. Times are monotonic milliseconds of the wire. */
  #since = Number.NEGATIVE_INFINITY;
  readonly #astray = new Set<number>();
  readonly #silences = new Map<number, number>();
  /** Since the last change, or since what went astray was forgotten. */
  #answered = 0;
  #unanswered = 0;
  #clean = 0;
  #needed = CLEAN_FIRST;

  constructor(most: number) {
    this.most = most;
    this.#width = most;
  }

  get width(): number {
    return this.#width;
  }

  /** `unit`, asked beside others or alone, answered in its time. */
  inTime(unit: number, beside: boolean): void {
    this.#silences.delete(unit);
    // One alone says nothing of how many are too many.
    if (!beside && this.#width > 1) return;
    this.#answered += 1;
    this.#clean += 1;
    if (this.#clean % (CLEAN_FIRST * this.#width) === 0) this.#forget();
    if (this.#width >= this.most || this.#clean < this.#needed * this.#width) return;
    this.#width += 1;
    this.#clean = 0;
    this.#forget();
  }

  /** What `unit` was asked at `asked` was answered after its time-out. */
  late(unit: number, asked: number, now: number): void {
    this.#silences.delete(unit);
    this.#stray(unit, asked, now);
  }

  /** `unit`, asked at `asked` beside others, was silent for its whole time-out while others were heard. */
  silent(unit: number, asked: number, now: number): void {
    const silences = (this.#silences.get(unit) ?? 0) + 1;
    this.#silences.set(unit, silences);
    this.#unanswered += 1;
    // Where few are silent, they are dead or cut off.
    const isMany = MANY_SHARE * this.#unanswered >= this.#answered;
    if (silences <= SILENCES_COUNTED && isMany) this.#stray(unit, asked, now);
  }

  #stray(unit: number, asked: number, now: number): void {
    this.#clean = 0;
    // What was asked before tells of the width before.
    if (asked < this.#since) return;
    this.#astray.add(unit);
    const enough = Math.max(ASTRAY_LEAST, Math.ceil(this.#width / ASTRAY_SHARE));
    if (this.#width === 1 || this.#astray.size < enough) return;
    this.#width = Math.floor(this.#width / 2);
    this.#since = now;
    this.#needed = Math.min(CLEAN_MOST, this.#needed * 2);
    this.#forget();
  }

  #forget(): void {
    this.#astray.clear();
    this.#answered = 0;
    this.#unanswered = 0;
  }
}
