// Modbus devices, lines and gateways that do what real ones were seen to do, as answers to requests; one list for every client.

import { rtu, wordBytes } from '../boundaries/modbus-device.ts';

/** The words at an address: each says where it stands. */
export function wordsAt(address: number, quantity: number): number[] {
  return Array.from({ length: quantity }, (_, i) => ((address + i) * 7 + 1000) & 0xffff);
}

/** One request as a device gets it. */
export interface Heard {
  /** From 0. */
  readonly n: number;
  readonly request: Buffer;
  readonly unit: number;
  readonly address: number;
  readonly quantity: number;
  /** The whole right answer. */
  readonly answer: Buffer;
  /** One time-out of the client, in milliseconds. */
  readonly timeoutMs: number;
  /** The right answer to the same question at another address. */
  answerAt(address: number): Buffer;
  /** Speaks so long after now. */
  say(bytes: Uint8Array, afterMs?: number): void;
  /** TCP only: ends the connection. */
  hangUp(how: 'fin' | 'rst'): void;
}

export interface FaultCase {
  readonly name: string;
  /** True where bare modbus-serial was seen to hand out words of another question. */
  readonly fools: boolean;
  /** How often the client asks while the device is as it is; then the device is sound. */
  readonly reads: number;
  device(heard: Heard): void;
}

const NOISE = Buffer.of(0x55, 0xaa, 0, 0xff, 0x13);

export const RTU_FAULTS: readonly FaultCase[] = [
  {
    name: 'an answer three quarters of a time-out late',
    fools: true,
    reads: 4,
    device: ({ n, say, answer, timeoutMs }) => say(answer, (n === 0 ? 1.75 : 0.9) * timeoutMs),
  },
  {
    name: 'an answer three time-outs late',
    fools: true,
    reads: 8,
    device: ({ n, say, answer, timeoutMs }) =>
      say(answer, n < 3 ? 3.5 * timeoutMs : 0.3 * timeoutMs),
  },
  {
    name: 'every answer a little late',
    fools: true,
    reads: 6,
    device: ({ say, answer, timeoutMs }) => say(answer, 1.3 * timeoutMs),
  },
  {
    name: 'a stale frame behind the answer',
    fools: true,
    reads: 4,
    device: ({ n, say, answer, answerAt }) =>
      say(n === 0 ? Buffer.concat([answer, answerAt(777)]) : answer, 5),
  },
  {
    name: 'noise that begins like the answer',
    fools: true,
    reads: 4,
    device: ({ n, say, answer, unit }) =>
      say(n === 0 ? Buffer.concat([Buffer.of(unit, 3, 4, 1, 1, 1, 1, 0, 0), answer]) : answer, 5),
  },
  {
    name: 'noise before the answer',
    fools: false,
    reads: 4,
    device: ({ n, say, answer }) => say(n === 0 ? Buffer.concat([NOISE, answer]) : answer, 5),
  },
  {
    name: 'bytes behind the answer',
    fools: false,
    reads: 4,
    device: ({ n, say, answer }) => say(n === 0 ? Buffer.concat([answer, NOISE]) : answer, 5),
  },
  {
    name: 'the echo of a two-wire adapter',
    fools: false,
    reads: 4,
    device: ({ request, say, answer }) => {
      say(request, 1);
      say(answer, 10);
    },
  },
  {
    name: 'the answer of another unit',
    fools: false,
    reads: 3,
    device: ({ n, say, answer, unit, quantity, address }) =>
      say(
        n === 0 ? rtu(unit + 4, 3, 2 * quantity, ...wordBytes(wordsAt(address, quantity))) : answer,
      ),
  },
  {
    name: 'an answer of another length',
    fools: false,
    reads: 3,
    device: ({ n, say, answer, unit, address }) =>
      say(n === 0 ? rtu(unit, 3, 6, ...wordBytes(wordsAt(address, 3))) : answer),
  },
  {
    name: 'a wrong checksum',
    fools: false,
    reads: 3,
    device: ({ n, say, answer }) => {
      const damaged = Buffer.from(answer);
      if (n === 0) damaged[4] = (damaged[4] as number) ^ 0x10;
      say(damaged);
    },
  },
  {
    name: 'slow bytes',
    fools: false,
    reads: 2,
    device: ({ say, answer }) => {
      for (let i = 0; i < answer.length; i += 1) say(answer.subarray(i, i + 1), 8 * (i + 1));
    },
  },
  {
    name: 'half an answer, its rest with the next question',
    fools: false,
    reads: 4,
    device: ({ n, say, answer, timeoutMs }) => {
      if (n > 0) return say(answer, 5);
      say(answer.subarray(0, 4), 5);
      say(answer.subarray(4), 1.2 * timeoutMs);
    },
  },
  {
    name: 'silence',
    fools: false,
    reads: 2,
    device: () => {},
  },
];

/** An answer with another header than its own: transaction, protocol and length as given. */
function withHeader(answer: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(answer);
  changed.writeUInt16BE(value, at);
  return changed;
}

export const TCP_FAULTS: readonly FaultCase[] = [
  {
    name: 'a late answer',
    fools: false,
    reads: 4,
    device: ({ n, say, answer, timeoutMs }) => say(answer, n === 0 ? 1.5 * timeoutMs : 0),
  },
  {
    name: 'an answer 256 requests late',
    fools: true,
    reads: 260,
    device: lateBy(256),
  },
  {
    name: 'garbage before an answer',
    fools: false,
    reads: 3,
    device: ({ n, say, answer }) => say(n === 0 ? Buffer.concat([NOISE, answer]) : answer),
  },
  {
    name: 'a length that no frame has',
    fools: false,
    reads: 3,
    device: ({ n, say, answer }) => say(n === 0 ? withHeader(answer, 4, 0xfff0) : answer),
  },
  {
    name: 'another protocol',
    fools: false,
    reads: 3,
    device: ({ n, say, answerAt, answer }) => say(n === 0 ? withHeader(answerAt(5), 2, 7) : answer),
  },
  {
    name: 'another transaction',
    fools: false,
    reads: 3,
    device: ({ n, say, answer, answerAt }) =>
      say(n === 0 ? withHeader(answerAt(6), 0, 0x5555) : answer),
  },
  {
    name: 'the answer of another unit',
    fools: false,
    reads: 3,
    device: ({ n, say, answer, answerAt }) => {
      const other = answerAt(7);
      other[6] = 99;
      say(n === 0 ? other : answer);
    },
  },
  {
    name: 'half an answer and no more',
    fools: false,
    reads: 3,
    device: ({ n, say, answer }) => say(n === 0 ? answer.subarray(0, 9) : answer),
  },
  {
    name: 'a connection ended with a question under way',
    fools: false,
    reads: 3,
    device: ({ n, say, answer, hangUp }) => (n === 0 ? hangUp('fin') : say(answer)),
  },
  {
    name: 'a connection reset with a question under way',
    fools: false,
    reads: 3,
    device: ({ n, say, answer, hangUp }) => (n === 0 ? hangUp('rst') : say(answer)),
  },
  {
    name: 'a peer that says nothing more',
    fools: false,
    reads: 4,
    device: () => {},
  },
];

/** Keeps the first answer back until so many requests later, and then says it just before that one's. */
export function lateBy(requests: number): FaultCase['device'] {
  let kept: Buffer | undefined;
  return ({ n, say, answer }) => {
    if (n === 0) {
      kept = answer;
      return;
    }
    if (n === requests && kept !== undefined) say(kept);
    say(answer);
  };
}
