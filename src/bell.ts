// A bell that waiting code listens for: rung once, it wakes whoever waits or the next who comes.

export class Bell {
  #rung = false;
  #waiting: (() => void)[] = [];

  ring(): void {
    this.#rung = true;
    if (this.#waiting.length === 0) return; // It is rung for each of thousands of rows a second.
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when the bell was rung since the last wait, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    this.#rung = false;
  }
}
