// Modbus RTU and TCP through modbus-serial, guarded so that an answer is never taken for another question's.

import type { EventEmitter } from 'node:events';
import modbus from 'modbus-serial';
import type { Clock, ModbusLink, ModbusQuestion } from '../boundaries.ts';
import type { Fault, FaultCode, Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { PeerSettings, SerialSettings } from '../settings/settings.ts';
import { within } from './bounded.ts';
import { connectPeer } from './peer-socket.ts';
import { CLOSE_LIMIT_MS, OPEN_LIMIT_MS, portFault } from './port-fault.ts';
import { deviceAt, deviceGone } from './port-watch.ts';
import { LEAST_FRAME, RtuSilence } from './rtu-silence.ts';

const ModbusRTU = modbus.default;
type Client = InstanceType<typeof ModbusRTU>;

/** One opened connection with a client of its own; a client is never used for a second one. */
interface Wire {
  readonly client: Client;
  /** Bytes heard so far, to compare with later. */
  heard(): number;
  /** Present on a serial line, where nothing but silence separates answers. */
  readonly rtu?: { readonly silence: RtuSilence; forget(): void; unsent(): number };
  /** Called when the connection goes, perhaps more than once. */
  onLost(listener: () => void): void;
  release(): Promise<void>;
}

/** A closed link over the serial port of `settings`. `clock` is the wire's. */
export function createModbusRtuLink(options: {
  settings: SerialSettings;
  clock: Clock;
}): ModbusLink {
  const { settings, clock } = options;
  return new GuardedLink(clock, rtuConnector(settings, clock));
}

/** A closed link to the device or gateway at `peer`. `clock` is the wire's. */
export function createModbusTcpLink(options: { peer: PeerSettings; clock: Clock }): ModbusLink {
  const { peer, clock } = options;
  return new GuardedLink(clock, () => connectTcp(peer, clock));
}

class GuardedLink implements ModbusLink {
  readonly #clock: Clock;
  readonly #connect: () => Promise<Result<Wire>>;
  #wire: Wire | undefined;
  #closes = 0;
  #asking = false;
  /** Settles the pending question when the connection goes: the library would leave it for ever (limits 3). */
  #fail: ((fault: Fault) => void) | undefined;

  constructor(clock: Clock, connect: () => Promise<Result<Wire>>) {
    this.#clock = clock;
    this.#connect = connect;
  }

  isOpen(): boolean {
    return this.#wire !== undefined;
  }

  async open(): Promise<Result<void>> {
    if (this.isOpen()) return good(undefined);
    const closes = this.#closes;
    const connected = await this.#connect();
    if (!connected.ok) return connected;
    const wire = connected.value;
    if (closes !== this.#closes) {
      await wire.release();
      return faulty('aborted', 'closed while opening');
    }
    this.#wire = wire;
    wire.onLost(() => this.#lose(wire));
    if (!wire.client.isOpen) this.#lose(wire);
    return good(undefined);
  }

  async read(question: ModbusQuestion, signal?: AbortSignal): Promise<Answer> {
    // The library has one slot: of two questions at once, one gets the other's answer (limits 3).
    if (this.#asking) throw new Error('a Modbus link answers one question at a time');
    const wire = this.#wire;
    if (wire === undefined) return faulty('port.absent', 'the link is not open');
    this.#asking = true;
    try {
      return wire.rtu === undefined
        ? await this.#readTcp(wire, question, signal)
        : await this.#readRtu(wire, wire.rtu, question, signal);
    } finally {
      this.#asking = false;
    }
  }

  async close(): Promise<void> {
    this.#closes += 1;
    const wire = this.#wire;
    if (wire === undefined) return;
    this.#wire = undefined;
    this.#fail?.({ code: 'port.absent', detail: 'the link was closed' });
    await wire.release();
  }

  /** After anything but an answer or an exception the connection is made anew, so no late answer can reach the next. */
  async #readTcp(wire: Wire, question: ModbusQuestion, signal: AbortSignal | undefined) {
    const answer = await this.#ask(wire, question, signal);
    if (!answer.ok && answer.fault.code !== 'modbus.exception') this.#lose(wire);
    return answer;
  }

  async #readRtu(
    wire: Wire,
    rtu: NonNullable<Wire['rtu']>,
    question: ModbusQuestion,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { silence } = rtu;
    await silence.grace(question.unit, signal);
    const quiet = await silence.quiet(signal);
    if (signal?.aborted) return faulty('aborted', 'given up');
    if (this.#wire !== wire) return faulty('port.absent', 'the port is gone');
    if (!quiet) return faulty('modbus.unexpected', 'the line does not fall silent');
    if (silence.wasDisturbed()) silence.owes(question.unit, 0);
    // The library keeps what it could not use and would take it for the answer (limits 3).
    rtu.forget();
    const before = silence.bytes();
    const answer = await this.#ask(wire, question, signal);
    const believed = isAnswer(answer)
      ? await this.#believe(answer, before, silence, question, signal)
      : answer;
    silence.asked();
    if (believed.ok || isAnswer(believed)) return believed;
    const late = LATE.has(believed.fault.code);
    silence.owes(question.unit, late ? question.timeoutMs : 0);
    // Requests that pile up in a stuck port would be sent, and answered, in one burst.
    if (late && rtu.unsent() > 0) this.#lose(wire);
    return believed;
  }

  /**
   * An RTU answer is believed when it was the only one: nothing of a frame's length came with it, and none followed
   * it in its time-out where one was owed.
   */
  async #believe(
    answer: Answer,
    before: number,
    silence: RtuSilence,
    { unit, quantity, timeoutMs }: ModbusQuestion,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const answerBytes = answer.ok ? LEAST_FRAME + 2 * quantity : LEAST_FRAME;
    if (silence.isOwing(unit)) await this.#clock.sleep(timeoutMs, signal);
    else await silence.quiet(signal);
    if (signal?.aborted) return faulty('aborted', 'given up');
    silence.settled(unit);
    return silence.bytes() - before - answerBytes < LEAST_FRAME
      ? answer
      : faulty('modbus.unexpected', 'more than one answer');
  }

  #ask(wire: Wire, question: ModbusQuestion, signal: AbortSignal | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      const over = new AbortController();
      const giveUp = () => settle(faulty('aborted', 'given up'));
      const settle = (answer: Answer) => {
        if (over.signal.aborted) return;
        over.abort('over');
        this.#fail = undefined;
        signal?.removeEventListener('abort', giveUp);
        resolve(answer);
      };
      this.#fail = (fault) => settle({ ok: false, fault });
      if (signal?.aborted) return giveUp();
      signal?.addEventListener('abort', giveUp, { once: true });
      const { timeoutMs } = question;
      const before = wire.heard();
      const silence = () => silent(timeoutMs, wire.heard() - before);
      void this.#clock.sleep(timeoutMs, over.signal).then(() => settle(silence()));
      put(wire.client, question).then(
        (words) => settle(checked(words, question)),
        (error: unknown) => settle(isTimeout(error) ? silence() : refused(error)),
      );
    });
  }

  #lose(wire: Wire): void {
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    this.#fail?.({ code: 'port.absent', detail: 'the connection is gone' });
    void wire.release();
  }
}

/** Asks in one tick: the library reads the unit when the call is made (limits 3). Its own time-out frees its slot. */
async function put(client: Client, question: ModbusQuestion): Promise<readonly number[]> {
  const { unit, table, address, quantity, timeoutMs } = question;
  client.setTimeout(timeoutMs);
  client.setID(unit);
  const answer =
    table === 'holding'
      ? client.readHoldingRegisters(address, quantity)
      : client.readInputRegisters(address, quantity);
  return (await answer).data;
}

type Answer = Result<readonly number[]>;

/** An exception is an answer too, and the only one there will be. */
function isAnswer(answer: Answer): boolean {
  return answer.ok || answer.fault.code === 'modbus.exception';
}

/** The faults of an answer that may still be under way. */
const LATE: ReadonlySet<FaultCode> = new Set(['line.silent', 'line.torn', 'aborted']);

function silent(timeoutMs: number, heard: number): Result<never> {
  return heard === 0
    ? faulty('line.silent', `no answer in ${timeoutMs} ms`)
    : faulty('line.torn', `${heard} bytes, but no whole answer in ${timeoutMs} ms`);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Object && 'name' in error && error.name === 'TransactionTimedOutError';
}

function checked(words: readonly number[], question: ModbusQuestion): Result<readonly number[]> {
  return words.length === question.quantity
    ? good(words)
    : faulty('modbus.unexpected', `${words.length} words instead of ${question.quantity}`);
}

/** Names of the exceptions (Modbus application protocol 7). */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
};

/** The library's errors differ in name, in one added field and in words. */
function refused(error: unknown): Result<never> {
  const { name, message, modbusCode } = error as Partial<Error> & { modbusCode?: number };
  if (modbusCode !== undefined) {
    return faulty('modbus.exception', `${modbusCode} ${EXCEPTIONS[modbusCode] ?? 'unknown'}`);
  }
  if (name === 'PortNotOpenError') return faulty('port.absent', 'the port is gone');
  if (message === 'CRC error') return faulty('modbus.crc', 'the checksum is wrong');
  return faulty('modbus.unexpected', message ?? String(error));
}

/** What is reached of the library's RTU port, for which it has no public way. */
interface RtuPort extends EventEmitter {
  _buffer: Buffer;
  readonly _client: EventEmitter & { readonly writableLength: number };
}

/** Opens the port of `settings`, one native open at a time: another would only take a thread from the other ports. */
function rtuConnector(settings: SerialSettings, clock: Clock): () => Promise<Result<Wire>> {
  const { path, baud, dataBits, parity, stopBits } = settings;
  // Debts of units outlive the connection: a late answer crosses a reopened port.
  const silence = new RtuSilence(clock, baud);
  let stuck = false;
  return async () => {
    if (stuck) return faulty('port.failed', `${path} is stuck while opening`);
    const device = await deviceAt(path);
    const client = new ModbusRTU();
    const connected = client.connectRTUBuffered(path, {
      baudRate: baud,
      dataBits,
      parity,
      stopBits,
    });
    stuck = true;
    const opening = connected
      .then(
        () => null,
        (error: unknown) => portFault(path, error),
      )
      .finally(() => {
        stuck = false;
      });
    const gone = (signal: AbortSignal) => deviceGone(path, device, clock, signal);
    const wire = rtuWire(client, silence, clock, gone);
    const outcome = await within(clock, OPEN_LIMIT_MS, opening);
    if (outcome === null) return good(wire);
    if (outcome !== 'late') return { ok: false, fault: outcome };
    void opening.then((fault) => (fault === null ? wire.release() : undefined));
    return faulty('port.failed', `${path} did not open in ${OPEN_LIMIT_MS} ms`);
  };
}

function rtuWire(
  client: Client,
  silence: RtuSilence,
  clock: Clock,
  gone: (signal: AbortSignal) => Promise<void>,
): Wire {
  const over = new AbortController();
  const port = (client as unknown as { _port: RtuPort })._port;
  if (!Buffer.isBuffer(port._buffer)) throw new Error('another modbus-serial than the one known');
  port._client.on('data', (bytes: Buffer) => silence.heard(bytes.length));
  // The library takes its own listener off at close, and an error after that would end the process.
  port.on('error', () => {});
  client.on('error', () => {});
  return {
    client,
    heard: () => silence.bytes(),
    rtu: {
      silence,
      forget: () => {
        port._buffer = Buffer.alloc(0);
      },
      unsent: () => port._client.writableLength,
    },
    onLost: (listener) => {
      port.on('close', listener);
      port.on('error', listener);
      void gone(over.signal).then(listener);
    },
    release: async () => {
      over.abort('over');
      if (!client.isOpen) return;
      await within(clock, CLOSE_LIMIT_MS, new Promise<void>((closed) => client.close(closed)));
    },
  };
}

async function connectTcp(peer: PeerSettings, clock: Clock): Promise<Result<Wire>> {
  const connected = await connectPeer(peer, clock);
  if (!connected.ok) return connected;
  const socket = connected.value;
  let heard = 0;
  socket.on('data', (bytes) => {
    heard += bytes.length;
  });
  const client = new ModbusRTU();
  client.on('error', () => {});
  await client.linkTCP(socket, { port: peer.port }).catch(() => socket.destroy());
  return good({
    client,
    heard: () => heard,
    onLost: (listener) => socket.once('close', listener),
    release: async () => {
      socket.destroy();
    },
  });
}
