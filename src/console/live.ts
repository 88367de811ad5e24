// Live events: one look at `status` for all who watch, given to each as fast as they read, the newest only.

import type { Clock, Commands } from '../boundaries.ts';
import { HEARTBEAT_MS, LIVE_MS, LIVE_SHARE, STREAMS_MAX, STREAMS_OF_ONE_MAX } from './limits.ts';

interface News {
  readonly number: number;
  /** Without what changes by itself. */
  readonly like: string;
  readonly text: string;
}

/** Somebody who watches. */
class Stream {
  readonly of: string;
  /** Whether who watches may still. */
  readonly isWelcome: () => Promise<boolean>;
  readonly #over = new AbortController();
  #wake: () => void = () => undefined;

  constructor(of: string, isWelcome: () => Promise<boolean>) {
    this.of = of;
    this.isWelcome = isWelcome;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  wake(): void {
    this.#wake();
  }

  end(): void {
    this.#over.abort('over');
    this.#wake();
  }

  /** Resolves when it is woken, at the end, or when it is time for a sign of life. */
  async news(clock: Clock): Promise<void> {
    if (this.isOver) return;
    const heard = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, clock.sleep(HEARTBEAT_MS, heard.signal)]);
    heard.abort('woken');
  }
}

const encoder = new TextEncoder();

/** An event, not a comment: pages must see it to know that the stream lives. */
const BEAT = 'event: beat\ndata: 0\n\n';

/** Lives as long as the console. Nothing is looked at while nobody watches. */
export class LiveEvents {
  readonly #commands: Commands;
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  readonly #over = new AbortController();
  #newest: News | undefined;
  /** The newest is of this watch: what was seen when somebody last watched is not what is. */
  #isFresh = false;
  #looking = false;

  /** `clock` is the wire's. */
  constructor(commands: Commands, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
  }

  get streams(): number {
    return this.#streams.size;
  }

  close(): void {
    this.#over.abort('closing');
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  /** The answer to `GET /api/live`; null when too many others watch. `seen` is the id of the event that was seen last. */
  open(of: string, seen: string | null, isWelcome: () => Promise<boolean>): Response | null {
    const own = [...this.#streams].filter((one) => one.of === of);
    // A phone that lost its way comes again before its old stream is known to be dead.
    if (own.length >= STREAMS_OF_ONE_MAX && own[0]) this.#end(own[0]);
    if (this.#streams.size >= STREAMS_MAX || this.#over.signal.aborted) return null;
    const stream = new Stream(of, isWelcome);
    this.#streams.add(stream);
    void this.#look();
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' };
    return new Response(this.#bodyFor(stream, seen), { headers });
  }

  #bodyFor(stream: Stream, seen: string | null): ReadableStream<Uint8Array> {
    let sent = this.#newest && seen === this.#idOf(this.#newest) ? this.#newest.number : 0;
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          // Where it broke off, the browser comes again after three seconds.
          controller.enqueue(encoder.encode('retry: 3000\n\n'));
        },
        // Asked only when what was given is read: a reader that dawdles gets the newest, and nothing piles up.
        pull: async (controller) => {
          if (sent === (this.#told()?.number ?? 0)) await stream.news(this.#clock);
          if (stream.isOver) return controller.close();
          const news = this.#told();
          const isNew = news !== undefined && news.number !== sent;
          controller.enqueue(encoder.encode(isNew ? this.#eventOf(news) : BEAT));
          sent = news?.number ?? sent;
        },
        cancel: () => this.#end(stream),
      },
      { highWaterMark: 1 },
    );
  }

  #told(): News | undefined {
    return this.#isFresh ? this.#newest : undefined;
  }

  /** Of another start of the collector, another id: what it sent is sent anew. */
  #idOf({ number }: News): string {
    return `${this.#clock.boot.slice(0, 8)}-${number}`;
  }

  #eventOf(news: News): string {
    return `id: ${this.#idOf(news)}\nevent: status\ndata: ${news.text}\n\n`;
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    stream.end();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#isFresh = false;
    while (this.#streams.size > 0 && !this.#over.signal.aborted) {
      const began = this.#clock.monotonicMs();
      await this.#ask();
      const took = this.#clock.monotonicMs() - began;
      await this.#clock.sleep(Math.max(LIVE_MS, took / LIVE_SHARE), this.#over.signal);
      for (const stream of [...this.#streams]) {
        if (!(await stream.isWelcome().catch(() => false))) this.#end(stream);
      }
    }
    this.#looking = false;
  }

  async #ask(): Promise<void> {
    const answer = await this.#commands.run('status', {}).catch(() => null);
    // A page that goes on hearing beats takes what it shows for what is.
    if (!answer?.ok) {
      for (const stream of [...this.#streams]) this.#end(stream);
      return;
    }
    const like = JSON.stringify({ ...(answer.data as object), now: null });
    const isSame = like === this.#newest?.like;
    if (isSame && this.#isFresh) return;
    const number = (this.#newest?.number ?? 0) + 1;
    if (!isSame) this.#newest = { number, like, text: JSON.stringify(answer.data) };
    this.#isFresh = true;
    for (const stream of this.#streams) stream.wake();
  }
}
