// A bounded number of things under way at once.

/** Whoever got a place leaves it once. One caller waits at a time, and waits no more once `signal` aborts. */
export class Lane {
  readonly #places: number;
  readonly #signal: AbortSignal;
  #taken = 0;
  #wake: (() => void) | undefined;
  #bug: { readonly error: unknown } | undefined;

  constructor(places: number, signal: AbortSignal) {
    this.#places = places;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** Resolves when there is a place (or at the end), and takes it. Rejects with what `fail` was told. */
  async place(): Promise<void> {
    while (this.#taken >= this.#places && !this.#signal.aborted) await this.#change();
    this.#throwBug();
    this.#taken += 1;
  }

  leave(): void {
    this.#taken -= 1;
    this.#wake?.();
  }

  /** A bug of ours in what was under way: whoever waits next is told. */
  fail(error: unknown): void {
    this.#bug ??= { error };
    this.leave();
  }

  /** Resolves when nothing is under way, or at the end. */
  async empty(): Promise<void> {
    while (this.#taken > 0 && !this.#signal.aborted) await this.#change();
    this.#throwBug();
  }

  #throwBug(): void {
    if (this.#bug) throw this.#bug.error;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
