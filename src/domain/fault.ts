// Every operating fault the collector knows, what it means for the next try, and the result type that carries it.

/**
 * What to do after a fault: `now` a second try may help at once, `next-poll` wait for the next turn,
 * `never` only a person can mend it (a setting, a right).
 */
export type Retry = 'now' | 'next-poll' | 'never';

/** Code of every operating fault, with its consequence. The README lists the same codes; a test compares. */
export const FAULTS = {
  'port.absent': 'next-poll',
  'port.denied': 'never',
  'port.failed': 'next-poll',
  'peer.unreachable': 'next-poll',
  'line.silent': 'now',
  'line.overlong': 'now',
  'line.torn': 'now',
  'frame.malformed': 'now',
  'frame.unreadable': 'now',
  'frame.wrong_id': 'next-poll',
  'modbus.crc': 'now',
  'modbus.exception': 'next-poll',
  'modbus.unexpected': 'now',
  'register.digits': 'never',
  'register.unit': 'never',
  'register.precision': 'next-poll',
  'register.stale': 'next-poll',
  'store.locked': 'never',
  'store.failed': 'next-poll',
  'store.newer': 'never',
  'upstream.offline': 'next-poll',
  'upstream.refused': 'never',
  'upstream.silent': 'next-poll',
  'upstream.untrusted': 'never',
  aborted: 'next-poll',
} as const satisfies Record<string, Retry>;

export type FaultCode = keyof typeof FAULTS;

/** A fault as a value: a code for programs, a detail in plain words for people. */
export interface Fault {
  readonly code: FaultCode;
  readonly detail: string;
  /** Finer than the code, for programs: what TLS, the system, the broker or a Modbus device named as the reason. */
  readonly why?: string;
  /** Identification of the encoder that answered, with `frame.wrong_id`. */
  readonly id?: string;
  /** The meter is better left alone for so many milliseconds of the wire: its late answer may be under way. */
  readonly restMs?: number;
}

/** Why a device refuses: it is at something else, and will be there soon. */
export const BUSY = 'busy';
/** Why a gateway refuses: nobody answers behind it. */
export const NOBODY = 'nobody';

/** The outcome of anything the world can spoil. Exceptions are left for our own bugs. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** A good outcome. */
export function good<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** A fault of the given code; `detail` says what was seen, in words. */
export function faulty(code: FaultCode, detail: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code, detail } };
}

/** What stands for an answer of a journal that is closed just now: it says nothing of what is in it. */
export const JOURNAL_CLOSED = 'the journal is not open';

/** Thrown by an iteration over a store whose medium failed before the end: what came so far is not all. */
export class StoreLost extends Error {
  readonly fault: Fault;

  constructor(detail: string) {
    super(detail);
    this.name = 'StoreLost';
    this.fault = { code: 'store.failed', detail };
  }
}
