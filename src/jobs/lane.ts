// A bounded number of things under way at once.

/** Whoever got a place leaves it once. One caller waits at a time, and waits no more once `signal` aborts. */
export class Lane {
  readonly #places: number;
  #isOver: boolean;
  #taken = 0;
  #wake: (() => void) | undefined;
  #bug: { readonly error: unknown } | undefined;

  constructor(places: number, signal: AbortSignal) {
    this.#places = places;
    this.#isOver = signal.aborted;
    const end = () => {
      this.#isOver = true;
      this.#tell();
    };
    signal.addEventListener('abort', end, { once: true });
  }

  /** Takes a place at once where there is one. Throws what `fail` was told. */
  take(): boolean {
    this.#throwBug();
    if (this.#taken >= this.#places && !this.#isOver) return false;
    this.#taken += 1;
    return true;
  }

  /** Resolves when there is a place (or at the end), and takes it. Rejects with what `fail` was told. */
  async place(): Promise<void> {
    while (!this.take()) await this.#change();
  }

  leave(): void {
    this.#taken -= 1;
    this.#tell();
  }

  /** A bug of ours in what was under way: whoever waits next is told. */
  fail(error: unknown): void {
    this.#bug ??= { error };
    this.leave();
  }

  /** Resolves when nothing is under way, or at the end. */
  async empty(): Promise<void> {
    while (this.#taken > 0 && !this.#isOver) await this.#change();
    this.#throwBug();
  }

  #throwBug(): void {
    if (this.#bug) throw this.#bug.error;
  }

  /** Wakes who waits, once: a promise that is resolved again takes longer than all else in here. */
  #tell(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
