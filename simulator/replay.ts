// Answers as a recorded trace of a wire tells: each question it knows with the answer that was recorded, after the recorded gaps.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileSentence } from './file-words.ts';
import { makeFolder } from './folders.ts';
import { answerPdu, crc16 } from './modbus-slave.ts';
import { type Port, plugPseudoTerminal, plugTcp, type Service } from './ports.ts';

/** A piece of bytes as it went over the wire, as one line of the trace has it. */
interface Piece {
  readonly atMs: number;
  readonly dir: 'tx' | 'rx';
  readonly bytes: Buffer;
}

/** What was said after a question, and how long after it. */
type Answer = readonly { readonly bytes: Buffer; readonly afterMs: number }[];

/** What to say to a question; each time the next of its answers, then the first again. */
interface Known {
  readonly question: Buffer;
  readonly answers: Answer[];
  next: number;
}

/** Largest trace that is read: an hour of a busy wire. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes kept while they are no question yet: longer than any of an encoder or Modbus device. */
const UNHEARD_MAX = 1024;
/** Pause before a device that speaks by itself begins anew. */
const ANEW_MS = 1000;
/** Header of Modbus TCP up to what its length counts; a question to read words, whole. */
const MBAP = 6;
const MBAP_QUESTION = 12;
/** What the length of an answer counts: unit, function and one byte more at the least, 254 at the most. */
const MBAP_LEAST = 3;
const MBAP_MOST = 254;
/** A question to read words on a serial line, CRC and all. */
const RTU_QUESTION = 8;
const READS: ReadonlySet<number> = new Set([3, 4]);
/** Of a device nothing is known but that it is there: it has none of the words that nobody asked it for (exception 2). */
const NO_WORDS = { has: () => false, latch: () => null };

/** The pieces of an NDJSON trace, or what is wrong with it, in words. */
export function parseTrace(text: string): readonly Piece[] | { problem: string } {
  const pieces: Piece[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const piece = parsePiece(line);
    if (piece === null) return { problem: `Line ${i + 1} is no piece of a trace.` };
    pieces.push(piece);
  }
  return pieces.length === 0 ? { problem: 'There is nothing in the trace.' } : pieces;
}

function parsePiece(line: string): Piece | null {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(line);
  } catch {
    return null;
  }
  const { at_us: at, dir, hex } = raw ?? {};
  if (typeof at !== 'number' || (dir !== 'tx' && dir !== 'rx')) return null;
  if (typeof hex !== 'string' || !/^([0-9a-fA-F]{2})*$/.test(hex)) return null;
  return { atMs: at / 1000, dir, bytes: Buffer.from(hex, 'hex') };
}

/** True when every question of the trace is one of Modbus TCP: no RTU question has its length there. */
function isMbap(pieces: readonly Piece[]): boolean {
  const asked = pieces.filter(({ dir }) => dir === 'tx');
  return asked.length > 0 && asked.every(({ bytes }) => mbapQuestions(bytes) !== null);
}

/** The whole questions in one write, which may hold several; null when it is none of Modbus TCP. */
function mbapQuestions(bytes: Buffer): Buffer[] | null {
  const questions: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MBAP_QUESTION) {
    const question = bytes.subarray(at, at + MBAP_QUESTION);
    const whole = question.length === MBAP_QUESTION && question.readUInt16BE(2) === 0;
    if (!whole || question.readUInt16BE(4) !== MBAP_QUESTION - MBAP) return null;
    questions.push(question);
  }
  return questions;
}

/** Whether these bytes are a whole question to read words on a serial line. */
function isRtuQuestion(bytes: Buffer): boolean {
  return bytes.length === RTU_QUESTION && READS.has(bytes[1] ?? 0) && crc16(bytes) === 0;
}

/** The units of which the trace holds an answer; a question that was never recorded is refused by them, as by a device. */
function unitsIn(known: ReadonlyMap<string, Known>, unitOf: (question: Buffer) => number | null) {
  const answering = [...known.values()].filter(({ answers }) =>
    answers.some(({ length }) => length > 0),
  );
  return new Set(answering.map(({ question }) => unitOf(question)));
}

/** Questions with what followed each of them up to the next. */
function rawAnswers(pieces: readonly Piece[]): Map<string, Known> {
  const known = new Map<string, Known>();
  let asked: Piece | undefined;
  let answer: { bytes: Buffer; afterMs: number }[] = [];
  for (const piece of pieces) {
    if (piece.dir === 'rx') {
      if (asked) answer.push({ bytes: piece.bytes, afterMs: piece.atMs - asked.atMs });
      continue;
    }
    asked = piece;
    answer = [];
    remember(known, piece.bytes, answer);
  }
  return known;
}

/** Questions without their transaction, with the answers that bore the same transaction. */
function mbapAnswers(pieces: readonly Piece[]): Map<string, Known> {
  const known = new Map<string, Known>();
  const asked = new Map<number, { answer: { bytes: Buffer; afterMs: number }[]; atMs: number }>();
  let heard = Buffer.alloc(0);
  for (const { dir, bytes, atMs } of pieces) {
    if (dir === 'tx') {
      for (const question of mbapQuestions(bytes) ?? []) {
        const answer: { bytes: Buffer; afterMs: number }[] = [];
        remember(known, question.subarray(2), answer);
        asked.set(question.readUInt16BE(0), { answer, atMs });
      }
      continue;
    }
    heard = inStep(Buffer.concat([heard, bytes]));
    while (heard.length >= MBAP && heard.length >= MBAP + heard.readUInt16BE(4)) {
      const frame = heard.subarray(0, MBAP + heard.readUInt16BE(4));
      heard = inStep(heard.subarray(frame.length));
      const of = asked.get(frame.readUInt16BE(0));
      of?.answer.push({ bytes: frame, afterMs: atMs - of.atMs });
    }
  }
  return known;
}

/**
 * From where an answer of Modbus TCP may begin: a trace that was switched on in the middle of one begins with its tail, and what a
 * lost connection broke off has none.
 */
function inStep(heard: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  for (let at = 0; at + MBAP <= heard.length; at += 1) {
    if (isBegun(heard.subarray(at))) return heard.subarray(at);
  }
  return heard.subarray(Math.max(0, heard.length - MBAP + 1));
}

/** Whether these bytes, of which there are at least those of the header, may be an answer's first. */
function isBegun(bytes: Buffer): boolean {
  const length = bytes.readUInt16BE(4);
  if (bytes.readUInt16BE(2) !== 0 || length < MBAP_LEAST || length > MBAP_MOST) return false;
  const code = bytes[MBAP + 1];
  const count = bytes[MBAP + 2];
  if (code === undefined || count === undefined || code >= 0x80) return true;
  return count > 0 && count % 2 === 0 && count <= length - MBAP_LEAST;
}

function remember(known: Map<string, Known>, question: Buffer, answer: Answer): void {
  const key = question.toString('hex');
  const before = known.get(key) ?? { question, answers: [], next: 0 };
  before.answers.push(answer);
  known.set(key, before);
}

function nextAnswer(known: Known): Answer {
  const answer = known.answers[known.next % known.answers.length] ?? [];
  known.next += 1;
  return answer;
}

/** A service with timers that end with the conversation. */
function spoken(
  begin: (
    say: (answer: Answer, change?: (bytes: Buffer) => Buffer) => void,
  ) => (chunk: Buffer) => void,
): Service {
  return (send) => {
    const timers = new Set<NodeJS.Timeout>();
    const hear = begin((answer, change = (bytes) => bytes) => {
      for (const { bytes, afterMs } of answer) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          send(change(bytes));
        }, afterMs);
        timers.add(timer);
      }
    });
    return {
      receive: (chunk) => hear(Buffer.from(chunk)),
      end: () => {
        for (const timer of timers) clearTimeout(timer);
      },
    };
  };
}

/** Finds questions wherever they begin: what stands before one is noise. */
function rawService(known: ReadonlyMap<string, Known>): Service {
  const longestFirst = [...known.values()].sort((a, b) => b.question.length - a.question.length);
  const units = unitsIn(known, (question) =>
    isRtuQuestion(question) ? (question[0] ?? null) : null,
  );
  return spoken((say) => {
    let heard = Buffer.alloc(0);
    const find = () => {
      for (const one of longestFirst) {
        const at = heard.indexOf(one.question);
        if (at >= 0) return { answer: () => nextAnswer(one), end: at + one.question.length };
      }
      return refusable();
    };
    const refusable = () => {
      for (let end = RTU_QUESTION; end <= heard.length; end += 1) {
        const question = heard.subarray(end - RTU_QUESTION, end);
        if (!isRtuQuestion(question) || !units.has(question[0] ?? null)) continue;
        return { answer: () => [{ bytes: rtuRefusal(question), afterMs: 0 }], end };
      }
      return null;
    };
    return (chunk) => {
      heard = Buffer.concat([heard, chunk]).subarray(-UNHEARD_MAX);
      for (let found = find(); found !== null; found = find()) {
        heard = heard.subarray(found.end);
        say(found.answer());
      }
    };
  });
}

function rtuRefusal(question: Buffer): Buffer {
  const refusal = answerPdu(question.subarray(1, -2), NO_WORDS);
  const frame = Buffer.concat([question.subarray(0, 1), refusal, Buffer.alloc(2)]);
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
  return frame;
}

/** Answers bear the transaction of their question now, not the recorded one. */
function mbapService(known: ReadonlyMap<string, Known>): Service {
  // Behind transaction, protocol and length.
  const units = unitsIn(known, (question) => question[MBAP - 2] ?? null);
  return spoken((say) => {
    let heard = Buffer.alloc(0);
    return (chunk) => {
      heard = Buffer.concat([heard, chunk]).subarray(-UNHEARD_MAX);
      while (heard.length >= MBAP && heard.length >= MBAP + heard.readUInt16BE(4)) {
        const frame = heard.subarray(0, MBAP + heard.readUInt16BE(4));
        heard = heard.subarray(frame.length);
        const one = known.get(frame.subarray(2).toString('hex'));
        if (one) {
          say(nextAnswer(one), (bytes) => Buffer.concat([frame.subarray(0, 2), bytes.subarray(2)]));
        } else if (units.has(frame[MBAP] ?? null) && READS.has(frame[MBAP + 1] ?? 0)) {
          say([{ bytes: mbapRefusal(frame), afterMs: 0 }]);
        }
      }
    };
  });
}

function mbapRefusal(question: Buffer): Buffer {
  const refusal = answerPdu(question.subarray(MBAP + 1), NO_WORDS);
  const frame = Buffer.concat([question.subarray(0, MBAP + 1), refusal]);
  frame.writeUInt16BE(frame.length - MBAP, MBAP - 2);
  return frame;
}

/** A device that was never asked says what it said, over and over. */
function speakingService(pieces: readonly Piece[]): Service {
  const first = pieces[0]?.atMs ?? 0;
  const said = pieces.map(({ bytes, atMs }) => ({ bytes, afterMs: atMs - first }));
  const lengthMs = (said.at(-1)?.afterMs ?? 0) + ANEW_MS;
  return (send) => {
    const conversation = spoken((say) => {
      say(said);
      return () => undefined;
    });
    let now = conversation(send);
    const timer = setInterval(() => {
      now.end();
      now = conversation(send);
    }, lengthMs);
    return {
      receive: () => undefined,
      end: () => {
        clearInterval(timer);
        now.end();
      },
    };
  };
}

/** What the trace tells, as a device on a wire. */
export function replayService(pieces: readonly Piece[]): {
  readonly service: Service;
  readonly kind: 'Modbus TCP' | 'a line' | 'a device that speaks by itself';
  readonly questions: number;
} {
  if (!pieces.some(({ dir }) => dir === 'tx')) {
    const kind = 'a device that speaks by itself';
    return { service: speakingService(pieces), kind, questions: 0 };
  }
  const mbap = isMbap(pieces);
  const known = mbap ? mbapAnswers(pieces) : rawAnswers(pieces);
  const service = mbap ? mbapService(known) : rawService(known);
  return { service, kind: mbap ? 'Modbus TCP' : 'a line', questions: known.size };
}

export interface PluggedTrace {
  readonly port: Port;
  readonly place: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly kind: string;
  readonly questions: number;
}

/** Why a trace is not served, and what to do about it; `isTrace`: there is none in that file. */
export interface Unplugged {
  readonly problem: string;
  readonly hint: string;
  readonly isTrace: boolean;
}

function noTrace(problem: string): Unplugged {
  const hint = 'It is a file that "meter-collector bus trace BUS --out FILE" wrote.';
  return { problem, hint, isTrace: true };
}

/** Serves a trace on `folder`/replay, a pseudo-terminal, or on a TCP port; in words why not. */
export async function plugTrace(options: {
  readonly file: string;
  readonly folder: string;
  readonly tcpPort?: number | undefined;
}): Promise<PluggedTrace | Unplugged> {
  const { file, folder, tcpPort } = options;
  const told = tracedIn(file);
  if ('problem' in told) return told;
  const { service, ...what } = told;
  try {
    if (tcpPort !== undefined) {
      const port = await plugTcp(tcpPort, service, 0);
      return { port, place: { host: '127.0.0.1', port: port.number }, ...what };
    }
    await makeFolder(folder);
    const path = join(folder, 'replay');
    return { port: plugPseudoTerminal(path, service, 0), place: { path }, ...what };
  } catch (error) {
    const hint =
      tcpPort === undefined
        ? `Is ${folder} a folder that this user may write to?`
        : 'Give another with --tcp-port; 0 takes a free one.';
    const problem = `The trace cannot be served: ${(error as Error).message}.`;
    return { problem, hint, isTrace: false };
  }
}

/** What a file tells, as a device on a wire; in words why it tells nothing. */
function tracedIn(file: string): ReturnType<typeof replayService> | Unplugged {
  try {
    const text = readFileSync(file);
    if (text.length > FILE_BYTES_MAX) return noTrace(`${file} is larger than any trace.`);
    const pieces = parseTrace(text.toString('latin1'));
    return 'problem' in pieces ? noTrace(`${file}: ${pieces.problem}`) : replayService(pieces);
  } catch (error) {
    return noTrace(fileSentence(error) ?? `${file} cannot be read: ${(error as Error).message}.`);
  }
}
