// The buses of a hostile world: the collector's real line, RTU and MBAP disciplines over wires on which everything can go wrong.

import { Random } from '../../simulator/random.ts';
import type { Bus, Clock, Wire } from '../../src/boundaries.ts';
import { BusTally } from '../../src/bus/bus-tally.ts';
import { createLineBus } from '../../src/bus/line-bus.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import type { BusSettings } from '../../src/settings/settings.ts';
import { type Device, PacedWire, RTU_SPEECH } from '../fakes/paced-wire.ts';
import { type ScriptedBytes, ScriptedLine } from '../fakes/scripted-line.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { bodyOf, type Place } from './street.ts';

const BAUD = 9_600;
const CHANNELS_AT_ONCE = 16;

/** What goes wrong on a whole bus; shares are of its answers. */
export interface BusIlls {
  unplugged: number;
  /** The port takes what is written and nothing comes, until it is opened again. */
  stuck: boolean;
  /** Bits turned over. */
  damaged: number;
  /** Noise before the answer, two answers in one, an answer in two pieces, one without its end. */
  noise: number;
  glued: number;
  split: number;
  torn: number;
  /** Bytes without end. */
  endless: number;
  /** The adapter hears itself. */
  echo: number;
  /** Later than the time-out. */
  late: number;
  /** MBAP: another transaction or unit than was asked. */
  misnumbered: number;
}

export const newBusIlls = (): BusIlls => ({
  ...{ unplugged: 0, stuck: false, damaged: 0, noise: 0, glued: 0, split: 0, torn: 0 },
  ...{ endless: 0, echo: 0, late: 0, misnumbered: 0 },
});

/** What a bus needs of its world. */
export interface Surroundings {
  readonly seed: number;
  readonly ills: BusIlls;
  trueNow(): number;
  wallNow(): number;
  /** The place that an address of this bus belongs to. */
  placeAt(address: string): Place | undefined;
  /** Something of the faults struck an answer. */
  fired(id: string): void;
  onOpen(unplug: () => void): void;
}

/** A bus as the daemon opens it, over a simulated wire. */
export function openBus(settings: BusSettings, clock: Clock, around: Surroundings): Bus {
  const chance = new Random(`${around.seed}/${settings.bus}/${around.trueNow()}`);
  const { timeoutMs, reopenMaxMs } = settings;
  const atOnce = settings.type === 'modbus-tcp' ? CHANNELS_AT_ONCE : 1;
  const tally = new BusTally(clock, atOnce);
  const common = { clock, timeoutMs, reopenMaxMs, tally, random: () => chance.next() };
  const ends = { clock, chance, timeoutMs, around };
  if (settings.type === 'line-serial' || settings.type === 'line-tcp') {
    return createLineBus({ line: encoderLine(ends), ...common });
  }
  if (settings.type === 'modbus-rtu') {
    const link = createRtuLink({ wire: rtuWire(ends), clock, baud: BAUD, ear: tally });
    return createModbusBus({ link, ...common });
  }
  const link = createMbapLink({ wire: mbapWire(ends), clock, atOnce, ear: tally });
  return createModbusBus({ link, ...common });
}

interface Ends {
  readonly clock: Clock;
  readonly chance: Random;
  readonly timeoutMs: number;
  readonly around: Surroundings;
}

/** An answer later than its time-out, but not so late that nobody could know it any more. */
const lateMs = ({ chance, timeoutMs }: Ends) => chance.between(1.02, 2.4) * timeoutMs;

function encoderLine(ends: Ends): ScriptedLine {
  const { clock, around } = ends;
  const line = new ScriptedLine(clock);
  line.answer((request) => spoilLine(ends, request, speak(ends, request)));
  around.onOpen(() => (around.ills.unplugged > 0 ? line.unplug() : line.plugIn()));
  return line;
}

/** What the encoder at the asked address says; null: nothing. */
function speak({ around, chance }: Ends, request: string): { text: string; late: boolean } | null {
  const place = around.placeAt(request.slice(1, -1));
  if (!place || place.ills.silent > 0) return null;
  const late = place.ills.late > 0 && chance.chance(0.5);
  const { ills } = place;
  const isStranger = ills.strangers > 0 || (ills.shared > 0 && place.strangersTurn);
  if (ills.shared > 0) place.strangersTurn = !place.strangersTurn;
  const source = place.wired;
  const body = bodyOf(source);
  const { digits } = body.dial;
  const own = isStranger ? body.registerOf(Math.floor(10 ** digits / 3)) : shownBy(place, around);
  const id = isStranger ? '99990000' : (body.registerId ?? '');
  let dial = String(own).padStart(digits, '0');
  if (ills.unreadable > 0) {
    const wheel = chance.whole(0, digits - 1);
    dial = `${dial.slice(0, wheel)}?${dial.slice(wheel + 1)}`;
  }
  if (ills.misshapen > 0) dial = digits === 4 ? `0${dial}` : dial.slice(1);
  return { text: digits === 4 ? `R${dial}${id}\r` : `V;RB${dial};IB${id}\r`, late };
}

/** The register that goes out at this place now. */
function shownBy(place: Place, around: Surroundings): number {
  const body = bodyOf(place.wired);
  const at = around.trueNow();
  // What cannot be read as a dial was not served as one.
  if (place.ills.unreadable > 0 || place.ills.misshapen > 0) {
    return body.registerAt(at);
  }
  return body.serve(at, around.wallNow()).register;
}

function spoilLine(
  ends: Ends,
  request: string,
  said: { readonly text: string; readonly late: boolean } | null,
): ScriptedBytes[] {
  const { around, chance } = ends;
  const { ills } = around;
  if (ills.stuck) return [];
  const out: ScriptedBytes[] = [];
  if (ills.echo > 0) out.push({ bytes: request, afterMs: 2 });
  if (strikes(ends, 'endless', 'F29')) {
    const noise = 'U'.repeat(4_000);
    return [...out, ...[0, 200, 400].map((ms) => ({ bytes: noise, afterMs: 100 + ms }))];
  }
  if (said === null) return out;
  let { text } = said;
  if (strikes(ends, 'damaged', 'F26')) text = damage(ends, request, text);
  if (strikes(ends, 'noise', 'F26n')) text = `\u00ff\u0013?${text}`;
  if (strikes(ends, 'torn', 'F27t')) text = text.slice(0, chance.whole(1, text.length - 2));
  if (strikes(ends, 'glued', 'F27g')) text += text;
  const isLate = said.late || strikes(ends, 'late', 'F27');
  const afterMs = isLate ? lateMs(ends) : chance.between(60, 300);
  if (strikes(ends, 'split', 'F27s')) {
    const at = chance.whole(1, text.length - 1);
    const second = { bytes: text.slice(at), afterMs: afterMs + chance.between(1, 90) };
    return [...out, { bytes: text.slice(0, at), afterMs }, second];
  }
  return [...out, { bytes: text, afterMs }];
}

type Share = Exclude<keyof BusIlls, 'unplugged' | 'stuck' | 'echo'>;

function strikes({ around, chance }: Ends, share: Share, id: string): boolean {
  if (around.ills[share] <= 0 || !chance.chance(around.ills[share])) return false;
  around.fired(id);
  return true;
}

/**
 * One of the lower seven bits of a character is turned over. Without a check sum a digit may become another one; where
 * the dial shows that very number about this time, it is no invention, and is noted as shown.
 */
function damage({ chance, around }: Ends, request: string, text: string): string {
  const at = chance.whole(0, text.length - 1);
  const turned = String.fromCharCode(text.charCodeAt(at) ^ (1 << chance.whole(0, 6)));
  const spoilt = text.slice(0, at) + turned + text.slice(at + 1);
  const place = around.placeAt(request.slice(1, -1));
  const dial = /^(?:V;RB(\d{8});|R(\d{4}))/.exec(spoilt);
  if (place && dial && place.wired === place) {
    noteIfPassed(place, Number(dial[1] ?? dial[2]), around);
  }
  return spoilt;
}

/** A meter may have gone unread for so long, and whatever its dial passed since is no invention. */
const UNREAD_MS = 12 * 3_600_000;

function noteIfPassed(place: Place, register: number, around: Surroundings): void {
  const body = bodyOf(place);
  const at = around.trueNow();
  const span = 2_000 * place.settings.pollS;
  const counts = [at - UNREAD_MS, at - span, at, at + span].map((when) => body.countAt(when));
  for (let count = Math.min(...counts); count <= Math.max(...counts); count += 1) {
    if (body.registerOf(count) !== register) continue;
    body.note(count, at, around.wallNow());
    return;
  }
}

function rtuWire(ends: Ends): Wire {
  const { clock, chance, around } = ends;
  const devices = {
    get: (unit: number) => deviceOf(ends, unit),
  } as unknown as ReadonlyMap<number, Device>;
  const options = {
    ...{ clock, speech: RTU_SPEECH, baud: BAUD, chance, devices },
    get damaged() {
      return around.ills.damaged;
    },
  };
  const paced = new PacedWire(options);
  around.onOpen(() => {
    if (around.ills.unplugged > 0) paced.pull();
  });
  let damaged = 0;
  const tell = () => {
    for (; damaged < paced.tally.damaged; damaged += 1) around.fired('F26m');
  };
  return {
    isOpen: () => paced.isOpen(),
    open: async () =>
      around.ills.unplugged > 0 ? faulty('port.absent', 'unplugged') : paced.open(),
    write: async (bytes) => {
      tell();
      return around.ills.stuck ? good(undefined) : paced.write(bytes);
    },
    unsent: () => paced.unsent(),
    onBytes: (listener) => paced.onBytes(listener),
    onLost: (listener) => paced.onLost(listener),
    close: () => paced.close(),
  };
}

function deviceOf(ends: Ends, unit: number): Device | undefined {
  const { around, chance } = ends;
  const place = around.placeAt(String(unit));
  if (!place) return undefined;
  return () => {
    const pdu = pduOf(ends, place);
    if (pdu === null) return null;
    const isLate = (place.ills.late > 0 && chance.chance(0.5)) || strikes(ends, 'late', 'F33');
    const afterMs = isLate ? lateMs(ends) : chance.between(5, 50);
    return { answer: Uint8Array.of(unit, ...pdu), afterMs };
  };
}

/** The answer without its framing: function, then words or the exception; null: nothing. */
function pduOf({ around }: Ends, place: Place): number[] | null {
  const { ills, wired } = place;
  if (ills.silent > 0) return null;
  if (ills.exceptions > 0 || ills.unreadable > 0) {
    around.fired('F35');
    return [0x83, [2, 4, 6, 11][place.ills.exceptions % 4] as number];
  }
  const register = shownBy(place, around);
  const words = bodyOf(wired).dial.digits === 4 ? [register] : [register >>> 16, register & 0xffff];
  return [3, 2 * words.length, ...words.flatMap((word) => [word >> 8, word & 0xff])];
}

/** Bytes before the PDU: transaction, protocol, length, unit. */
const MBAP = 7;
const REQUEST = MBAP + 5;

/** TCP keeps the order: nothing comes between two pieces of a frame, and nothing of one connection on the next. */
class Stream {
  readonly #wire: ScriptedWire;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();

  constructor(wire: ScriptedWire, clock: Clock) {
    this.#wire = wire;
    this.#clock = clock;
  }

  async send(pieces: readonly Uint8Array[], afterMs: number, pauseMs = 0): Promise<void> {
    const link = this.#wire.opens;
    await this.#clock.sleep(afterMs);
    this.#last = this.#last.then(async () => {
      for (const [i, piece] of pieces.entries()) {
        if (i > 0) await this.#clock.sleep(pauseMs);
        if (link === this.#wire.opens) this.#wire.say(piece);
      }
    });
  }
}

function mbapWire(ends: Ends): Wire {
  const { clock, around } = ends;
  const wire = new ScriptedWire(clock);
  const stream = new Stream(wire, clock);
  wire.device((bytes) => {
    if (around.ills.stuck) return;
    for (let at = 0; at + REQUEST <= bytes.length; at += REQUEST) {
      answerMbap(ends, stream, bytes.subarray(at, at + REQUEST));
    }
  });
  around.onOpen(() =>
    around.ills.unplugged > 0 ? wire.unplug('peer.unreachable') : wire.plugIn(),
  );
  return {
    isOpen: () => wire.isOpen(),
    // A connection that was half open is not so any more once it is made anew.
    open: async () => {
      if (!wire.isOpen()) around.ills.stuck = false;
      return wire.open();
    },
    write: (bytes) => wire.write(bytes),
    unsent: () => wire.unsent(),
    onBytes: (listener) => wire.onBytes(listener),
    onLost: (listener) => wire.onLost(listener),
    close: () => wire.close(),
  };
}

function answerMbap(ends: Ends, stream: Stream, request: Uint8Array): void {
  const { around, chance } = ends;
  const unit = request[6] ?? 0;
  const place = around.placeAt(String(unit));
  const pdu = place && pduOf(ends, place);
  if (!place || !pdu) return;
  const frame = Uint8Array.of(...request.subarray(0, 4), 0, pdu.length + 1, unit, ...pdu);
  if (strikes(ends, 'misnumbered', 'F34')) {
    const wrong = chance.chance(0.5) ? 1 : 6;
    frame[wrong] = ((frame[wrong] ?? 0) + chance.whole(1, 200)) & 0xff;
  }
  const isLate = (place.ills.late > 0 && chance.chance(0.5)) || strikes(ends, 'late', 'F33');
  const afterMs = isLate ? lateMs(ends) : chance.between(1, 30);
  if (strikes(ends, 'noise', 'F36g')) {
    const noise = { length: chance.whole(1, 40) };
    void stream.send([Uint8Array.from(noise, () => chance.whole(0, 255))], afterMs);
  } else if (strikes(ends, 'split', 'F36s')) {
    const at = chance.whole(1, frame.length - 1);
    const pieces = [frame.subarray(0, at), frame.subarray(at)];
    void stream.send(pieces, afterMs, chance.between(0.1, 60));
  } else if (strikes(ends, 'glued', 'F36d')) {
    void stream.send([Uint8Array.of(...frame, ...frame)], afterMs);
  } else void stream.send([frame], afterMs);
}
