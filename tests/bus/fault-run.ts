// Runs a client against a faulty device: what it handed out, whether any of it was wrong, and whether it came to itself.

import type { ModbusLink } from '../../src/boundaries.ts';
import { rtu, wordBytes } from '../boundaries/modbus-device.ts';
import { type FaultCase, type Heard, wordsAt } from './faulty-devices.ts';

/** A client's way to ask: the words, or what went wrong. It opens again by itself what was lost. */
export interface Client {
  ask(unit: number, address: number, quantity: number): Promise<readonly number[] | string>;
  /** Lets a time-out pass, as between two polls. */
  rest(): Promise<void>;
}

export interface Outcome {
  /** Words that do not stand where they were asked for. */
  readonly wrong: string[];
  readonly faults: string[];
  /** Questions until a right answer, once the device was sound again; null when there was none. */
  readonly recovered: number | null;
}

const UNIT = 1;
const QUANTITY = 2;
const RECOVERY_MAX = 12;

/** Asks as often as the case says, then until the sound device is read. */
export async function runCase(
  { reads }: FaultCase,
  client: Client,
  device: { heal(): void },
): Promise<Outcome> {
  const wrong: string[] = [];
  const faults: string[] = [];
  const ask = async (address: number) => {
    const answer = await client.ask(UNIT, address, QUANTITY);
    if (typeof answer === 'string') faults.push(answer);
    else if (answer.join() !== wordsAt(address, QUANTITY).join())
      wrong.push(`${address}: ${answer}`);
    else return true;
    return false;
  };
  for (let i = 0; i < reads; i += 1) await ask(10 + 3 * i);
  device.heal();
  for (let i = 1; i <= RECOVERY_MAX; i += 1) {
    await client.rest();
    if (await ask(2000 + 3 * i)) return { wrong, faults, recovered: i };
  }
  return { wrong, faults, recovered: null };
}

/** Makes one of our links a client. */
export function clientOf(
  link: ModbusLink,
  timeoutMs: number,
  sleep: (ms: number) => Promise<void>,
): Client {
  return {
    rest: () => sleep(timeoutMs),
    ask: async (unit, address, quantity) => {
      const opened = await link.open();
      if (!opened.ok) return opened.fault.code;
      const question = { unit, table: 'holding', address, quantity, timeoutMs } as const;
      const answer = await link.read(question);
      return answer.ok ? answer.value : answer.fault.code;
    },
  };
}

/** The bytes of requests and answers of one framing. */
export interface Framing {
  readonly requestBytes: number;
  /** Where the unit stands. */
  readonly at: number;
  answer(request: Buffer, words: readonly number[]): Buffer;
}

export const RTU: Framing = {
  requestBytes: 8,
  at: 0,
  answer: (request, words) =>
    rtu(request.readUInt8(0), request.readUInt8(1), 2 * words.length, ...wordBytes(words)),
};

export const MBAP: Framing = {
  requestBytes: 12,
  at: 6,
  answer: (request, words) => {
    const pdu = [request.readUInt8(6), request.readUInt8(7), 2 * words.length, ...wordBytes(words)];
    const head = Buffer.from(request.subarray(0, 6));
    head.writeUInt16BE(pdu.length, 4);
    return Buffer.concat([head, Buffer.from(pdu)]);
  },
};

/** Gives each whole request to the case's device, and to a sound one once healed. */
export function deviceOf(
  fault: FaultCase['device'],
  framing: Framing,
  timeoutMs: number,
): {
  hear(bytes: Uint8Array, say: Heard['say'], hangUp?: Heard['hangUp']): void;
  heal(): void;
} {
  let kept = Buffer.alloc(0);
  let n = 0;
  let sound = false;
  const answer = (request: Buffer, say: Heard['say'], hangUp: Heard['hangUp']) => {
    const address = request.readUInt16BE(framing.at + 2);
    const quantity = request.readUInt16BE(framing.at + 4);
    const answerAt = (at: number) => framing.answer(request, wordsAt(at, quantity));
    const right = answerAt(address);
    if (sound) return say(right);
    const unit = request.readUInt8(framing.at);
    fault({
      ...{ n, request, unit, address, quantity, timeoutMs },
      ...{ answer: right, answerAt, say, hangUp },
    });
    n += 1;
  };
  return {
    hear: (bytes, say, hangUp = () => {}) => {
      kept = Buffer.concat([kept, bytes]);
      const { requestBytes } = framing;
      for (; kept.length >= requestBytes; kept = kept.subarray(requestBytes)) {
        answer(Buffer.from(kept.subarray(0, requestBytes)), say, hangUp);
      }
    },
    heal: () => {
      sound = true;
    },
  };
}
