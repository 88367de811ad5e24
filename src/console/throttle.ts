// How often a sign-in may fail: by address and by account, so that guessing is slow and nobody is locked out for ever.

import type { Clock } from '../boundaries.ts';
import {
  ACCOUNT_FAILURES_MAX,
  FAILURES_AGAIN_MAX,
  FAILURES_MAX,
  FAILURES_WINDOW_MS,
  FORGIVEN_MS,
  LOCK_MAX_MS,
  LOCK_MS,
  REMEMBERED_MAX,
} from './limits.ts';

interface Tries {
  /** When each of the last ones began; those that succeed are taken out. */
  failed: number[];
  /** Those that `until` is the price of: they come back where the one that filled the measure was a good one. */
  paid: number[];
  /** How often it was locked, and until when. */
  locks: number;
  until: number;
  last: number;
}

/** What has been seen, the longest unheard forgotten first. */
class Remembered {
  readonly #map = new Map<string, Tries>();

  of(key: string): Tries {
    const found = this.#map.get(key) ?? { failed: [], paid: [], locks: 0, until: 0, last: 0 };
    this.#map.delete(key);
    this.#map.set(key, found);
    const [oldest] = this.#map.keys();
    if (this.#map.size > REMEMBERED_MAX && oldest !== undefined) this.#map.delete(oldest);
    return found;
  }
}

/**
 * An address fails 10 times a minute, then waits a minute, and twice as long each time it goes on, up to a quarter of an
 * hour; a wait is not drawn out by trying. An account bears 10 failures a minute before addresses that failed with it
 * wait, and 30 before all do but those its owner came from: an attacker elsewhere does not keep the owner out.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #addresses = new Remembered();
  readonly #accounts = new Remembered();
  readonly #pairs = new Remembered();
  readonly #owners = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait, or 0 and the try has begun: it counts as failed until `succeed`. */
  begin(address: string, user: string): number {
    const now = this.#clock.monotonicMs();
    const from = this.#addresses.of(networkOf(address));
    if (now - from.last > FORGIVEN_MS) from.locks = 0;
    if (from.until > now) return from.until - now;
    const account = this.#accounts.of(user);
    const pair = this.#pairs.of(`${networkOf(address)} ${user}`);
    for (const tries of [from, account, pair]) forget(tries, now);
    const wait = this.#waitForAccount(account, pair, address, user, now);
    if (wait > 0) return wait;
    for (const tries of [from, account, pair]) {
      tries.failed.push(now);
      tries.last = now;
    }
    const most = from.locks === 0 ? FAILURES_MAX : FAILURES_AGAIN_MAX;
    if (from.failed.length >= most) {
      from.until = now + Math.min(LOCK_MAX_MS, LOCK_MS * 2 ** from.locks);
      from.locks += 1;
      from.paid = from.failed;
      from.failed = [];
    }
    return 0;
  }

  /** The try that began last for these was a good one. */
  succeed(address: string, user: string): void {
    const network = networkOf(address);
    const from = this.#addresses.of(network);
    if (from.failed.length > 0) from.failed.pop();
    else if (from.until > 0) {
      // It was the one that filled the measure: the others failed nevertheless, whoever has an account of their own.
      from.until = 0;
      from.locks = Math.max(0, from.locks - 1);
      from.failed = from.paid.slice(0, -1);
    }
    this.#accounts.of(user).failed.pop();
    this.#pairs.of(`${network} ${user}`).failed = [];
    this.#owners.add(`${network} ${user}`);
    const [oldest] = this.#owners;
    if (this.#owners.size > REMEMBERED_MAX && oldest !== undefined) this.#owners.delete(oldest);
  }

  #waitForAccount(account: Tries, pair: Tries, address: string, user: string, now: number): number {
    const isOwner = this.#owners.has(`${networkOf(address)} ${user}`);
    const most = isOwner
      ? Number.POSITIVE_INFINITY
      : pair.failed.length > 0
        ? FAILURES_MAX
        : ACCOUNT_FAILURES_MAX;
    if (account.failed.length < most) return 0;
    return (account.failed[0] ?? now) + FAILURES_WINDOW_MS - now;
  }
}

function forget(tries: Tries, now: number): void {
  tries.failed = tries.failed.filter((at) => now - at < FAILURES_WINDOW_MS).slice(-100);
}

/** Whoever has one address of IPv6 has 2^64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}
