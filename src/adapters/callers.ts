// The connections of the control socket: bounded, and one that has not asked anything never keeps out one that asks.

import type { Socket } from 'node:net';

/** Room for those who let us wait, so that a caller has time to ask while others crowd in behind it. */
export const CALLERS_MAX = 64;
/** One person, a script and a monitor at a time; a flood of questions slows no poll. */
export const AT_WORK_MAX = 16;

/** Lives as long as its server. */
export class Callers {
  /** In the order in which they came. */
  readonly #waiting = new Set<Socket>();
  readonly #atWork = new Set<Socket>();

  /** Takes a new connection in, and gives up the oldest that waits for nothing of ours where there are too many. */
  add(socket: Socket): void {
    const [oldest] = this.#waiting;
    if (oldest !== undefined && this.#waiting.size + this.#atWork.size >= CALLERS_MAX) {
      // Its `close` comes later, when several more may have come.
      this.#waiting.delete(oldest);
      oldest.destroy();
    }
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
  }

  /** Its question is whole and is being answered, to the end even where the caller goes; false where too many are. */
  begin(socket: Socket): boolean {
    if (this.#atWork.size >= AT_WORK_MAX) return false;
    this.#waiting.delete(socket);
    this.#atWork.add(socket);
    return true;
  }

  /** Its answer is ready; whoever does not take it may have to go. */
  end(socket: Socket): void {
    this.#atWork.delete(socket);
    if (!socket.destroyed) this.#waiting.add(socket);
  }
}
