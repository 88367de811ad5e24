// Looks for devices on a wire, question by question, in as many sittings as it is given. It only reads.

import type { Clock, Line, ModbusLink, ScanRun } from '../boundaries.ts';
import { decodeFrame } from '../codec/decode.ts';
import { blocksOf } from '../codec/modbus-blocks.ts';
import { type Answers, registerIn } from '../codec/modbus-register.ts';
import { NOBODY, type Result } from '../domain/fault.ts';
import type { Framing, LineProfile, ModbusProfile, Register } from '../domain/profile.ts';
import {
  LISTEN_MS,
  type ScanFit,
  type ScanFound,
  type ScanPlan,
  type ScanProgress,
  type ScanSetting,
} from '../domain/scan.ts';

/** Opens the wire anew in given settings. Links and lines come closed. */
export interface ScanMeans {
  /** The wire's clock. */
  readonly clock: Clock;
  link(setting: ScanSetting): ModbusLink;
  line(setting: ScanSetting, framing: Framing): Line;
}

/** A port that cannot be opened so often in a row is not there. */
const OPENS_MAX = 3;
/** Devices found: a wire has fewer. What is found beyond is counted as asked and not kept. */
const FOUND_MAX = 1_000;
/** So many questions tell how long one takes. */
const FEW = 10;

/** A closed scan; `work` begins it and goes on with it. */
export function createScan(plan: ScanPlan, means: ScanMeans): ScanRun {
  return new Scan(plan, means);
}

/** What can be asked through one opening of the wire. */
interface Opened {
  readonly setting: ScanSetting;
  readonly key: string;
  readonly link?: ModbusLink;
  readonly line?: Line;
}

/** One question, in the settings in which it is put. True when something came. */
interface Step {
  readonly setting: ScanSetting;
  /** Of a line; null for Modbus. */
  readonly framing: Framing | null;
  readonly address: string | null;
  readonly put: (opened: Opened, signal: AbortSignal | undefined) => Promise<boolean>;
}

interface Question {
  readonly table: 'holding' | 'input';
  readonly address: number;
  readonly quantity: number;
}

class Scan implements ScanRun {
  readonly #plan: ScanPlan;
  readonly #means: ScanMeans;
  readonly #found: ScanFound[] = [];
  readonly #steps: Step[];
  /** Questions that answers gave rise to: they go first. */
  #next: Step[] = [];
  #asked = 0;
  #more = 0;
  #tookMs = 0;
  /** What they could have taken. */
  #worstMs = 0;
  #opensFailed = 0;
  #fault: string | null = null;
  readonly #modbus: readonly ModbusProfile[];

  constructor(plan: ScanPlan, means: ScanMeans) {
    this.#plan = plan;
    this.#means = means;
    this.#modbus = plan.profiles.filter((one) => one.transport === 'modbus');
    this.#steps = plan.settings.flatMap((setting) => this.#stepsIn(setting));
  }

  progress(): ScanProgress {
    const left = [...this.#next, ...this.#steps];
    const worst = left.reduce((sum, { setting }) => sum + this.#timeoutMs(setting), 0);
    // Nearly all stay silent for their whole time-out; behind a gateway that says so at once they do not.
    const ratio = this.#asked < FEW ? 1 : this.#tookMs / this.#worstMs;
    return {
      ...{ asked: this.#asked, of: this.#asked + left.length, found: [...this.#found] },
      left_ms: Math.round(worst * ratio),
      ...{ over: this.#fault !== null || left.length === 0, fault: this.#fault },
    };
  }

  async work(forMs: number, signal?: AbortSignal): Promise<void> {
    // Links listen to a signal for as long as it lives: each sitting has one of its own.
    const sitting = new AbortController();
    const stop = () => sitting.abort('stopped');
    signal?.addEventListener('abort', stop, { once: true });
    if (!signal?.aborted) await this.#sit(forMs, sitting.signal);
    signal?.removeEventListener('abort', stop);
  }

  async #sit(forMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#means;
    const until = clock.monotonicMs() + forMs;
    let opened: Opened | null = null;
    let heard = true;
    for (let step = this.#step(); step && !signal.aborted; step = this.#step()) {
      if (clock.monotonicMs() >= until) break;
      const at: Opened | null = await this.#opened(step, opened);
      opened = at;
      if (at === null) break;
      const began = clock.monotonicMs();
      this.#take(step);
      heard = await step.put(at, signal);
      this.#tookMs += clock.monotonicMs() - began;
      this.#worstMs += this.#timeoutMs(step.setting);
      this.#asked += 1;
    }
    // What comes late must not be heard by who uses the wire next.
    if (!heard && opened !== null) await clock.sleep(this.#timeoutMs(opened.setting), signal);
    await close(opened);
  }

  #timeoutMs({ way }: ScanSetting): number {
    return this.#plan.timeoutsMs[way];
  }

  /** The next question whose device has not been found in other settings. */
  #step(): Step | undefined {
    if (this.#fault !== null) return undefined;
    if (this.#next.length > 0) return this.#next[0];
    for (let step = this.#steps[0]; step; step = this.#steps[0]) {
      const { address, setting } = step;
      const known = this.#found.some(
        (one) => !one.garbled && one.way === setting.way && one.address === address,
      );
      if (!known || address === null) return step;
      this.#steps.shift();
    }
    return undefined;
  }

  #take(step: Step): void {
    if (this.#next[0] === step) this.#next.shift();
    else this.#steps.shift();
  }

  /** The wire in the settings of the step; null when it cannot be opened now. */
  async #opened(step: Step, before: Opened | null): Promise<Opened | null> {
    const { setting, framing } = step;
    const key = JSON.stringify([setting, framing]);
    if (before?.key === key && (before.link ?? before.line)?.isOpen()) return before;
    await close(before);
    const opened: Opened =
      framing === null
        ? { setting, key, link: this.#means.link(setting) }
        : { setting, key, line: this.#means.line(setting, framing) };
    const outcome = await (opened.link ?? opened.line)?.open();
    if (outcome?.ok) {
      this.#opensFailed = 0;
      return opened;
    }
    this.#opensFailed += 1;
    if (outcome && this.#opensFailed >= OPENS_MAX) {
      this.#fault = `${outcome.fault.code}: ${outcome.fault.detail}`;
    }
    return null;
  }

  #stepsIn(setting: ScanSetting): Step[] {
    const addresses = this.#plan.addresses[setting.way];
    if (setting.way === 'line') return this.#lineSteps(setting, addresses);
    const [first] = questionsOf(this.#modbus);
    if (first === undefined) return [];
    return addresses.map((address) => ({
      ...{ setting, framing: null, address },
      put: (opened, signal) => this.#probe(opened, address, first, signal),
    }));
  }

  // --- Modbus

  /** Any whole answer tells that there is a device, a refusal too; then it is asked what each profile asks. */
  async #probe(
    { link, setting }: Opened,
    address: string,
    first: Question,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (link === undefined) return false;
    const answer = await link.read(this.#question(setting, address, first), signal);
    if (isSpoilt(answer)) this.#garbled(setting, address);
    if (!isThere(answer)) return answer.ok || answer.fault.code === 'modbus.exception';
    const answers: Answered[] = answer.ok ? [{ question: first, words: answer.value }] : [];
    const rest = questionsOf(this.#modbus).slice(1);
    const steps = rest.map(
      (question, i): Step => ({
        ...{ setting, framing: null, address },
        put: async (opened, stop) => {
          const said = await opened.link?.read(this.#question(setting, address, question), stop);
          if (said?.ok) answers.push({ question, words: said.value });
          if (i === rest.length - 1) this.#identify(setting, address, answers);
          return said !== undefined && isThere(said);
        },
      }),
    );
    if (rest.length === 0) this.#identify(setting, address, answers);
    this.#next.push(...steps);
    return true;
  }

  #question(setting: ScanSetting, address: string, question: Question) {
    return { unit: Number(address), ...question, timeoutMs: this.#timeoutMs(setting) };
  }

  #identify(setting: ScanSetting, address: string, answers: readonly Answered[]): void {
    const fits = this.#modbus.flatMap((profile): ScanFit[] => {
      const blocks: Answers[number][] = [];
      for (const block of blocksOf(profile, 1)) {
        const same = answers.find(({ question }) => isSame(question, profile.table, block));
        if (same === undefined) return [];
        blocks.push({ block, words: same.words });
      }
      return fitOf(profile.name, registerIn(blocks, profile, profile.dial, 1));
    });
    this.#keep({ ...setting, address, fits: bestFirst(fits), garbled: false });
  }

  // --- encoders on a line

  #lineSteps(setting: ScanSetting, addresses: readonly string[]): Step[] {
    const lines = this.#plan.profiles.filter((one) => one.transport === 'line');
    return groupsOf(lines).flatMap(({ framing, request, profiles }): Step[] => {
      if (request === undefined) {
        const put: Step['put'] = (opened, signal) => this.#listen(opened, profiles, signal);
        return [{ setting, framing, address: null, put }];
      }
      return addresses.map((address) => ({
        ...{ setting, framing, address },
        put: (opened, signal) =>
          this.#ask(
            opened,
            { address, profiles, request: request.replaceAll('{address}', address) },
            signal,
          ),
      }));
    });
  }

  async #ask(
    { line, setting }: Opened,
    asked: { address: string; request: string; profiles: readonly LineProfile[] },
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (line === undefined) return false;
    const { clock } = this.#means;
    line.drain();
    if (!(await line.write(new TextEncoder().encode(asked.request))).ok) return false;
    const until = clock.monotonicMs() + this.#timeoutMs(setting);
    let spoilt = false;
    for (let left = until - clock.monotonicMs(); left > 0; left = until - clock.monotonicMs()) {
      const frame = await line.receive(left, signal);
      spoilt ||= !frame.ok && SPOILT.has(frame.fault.code);
      if (!frame.ok) break;
      // A two-wire adapter hears itself.
      if (latin1(frame.value) === asked.request.trimEnd()) continue;
      if (this.#heard(setting, asked.address, frame.value, asked.profiles)) return true;
      // A bridge may say a word of its own first.
      spoilt = true;
    }
    if (spoilt) this.#garbled(setting, asked.address);
    return spoilt;
  }

  async #listen(
    { line, setting }: Opened,
    profiles: readonly LineProfile[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { clock } = this.#means;
    const until = clock.monotonicMs() + LISTEN_MS;
    for (let left = LISTEN_MS; line && left > 0; left = until - clock.monotonicMs()) {
      const frame = await line.receive(left, signal);
      if (frame.ok) this.#heard(setting, null, frame.value, profiles);
      else if (frame.fault.code !== 'line.overlong') break;
    }
    // Who speaks by itself disturbs nobody who asks afterwards.
    return true;
  }

  /** Whether the line is one of these profiles'. */
  #heard(
    setting: ScanSetting,
    address: string | null,
    frame: Uint8Array,
    profiles: readonly LineProfile[],
  ): boolean {
    const fits = profiles.flatMap((profile) =>
      fitOf(profile.name, decodeFrame(profile, frame, profile.dial)),
    );
    if (fits.length > 0) this.#keep({ ...setting, address, fits: bestFirst(fits), garbled: false });
    return fits.length > 0;
  }

  // --- what was found

  #garbled(setting: ScanSetting, address: string): void {
    this.#keep({ ...setting, address, fits: [], garbled: true });
  }

  #keep(found: ScanFound): void {
    const isSameAs = (one: ScanFound) =>
      one.way === found.way &&
      one.baud === found.baud &&
      one.parity === found.parity &&
      one.address === found.address &&
      (found.address !== null || one.fits[0]?.id === found.fits[0]?.id);
    if (this.#found.some(isSameAs) || this.#more >= FOUND_MAX) return;
    this.#more += 1;
    this.#found.push(found);
  }
}

interface Answered {
  readonly question: Question;
  readonly words: readonly number[];
}

const SPOILT: ReadonlySet<string> = new Set([
  ...['line.torn', 'line.overlong', 'modbus.crc', 'modbus.unexpected'],
]);

function isSpoilt(answer: Result<unknown>): boolean {
  return !answer.ok && SPOILT.has(answer.fault.code);
}

function isThere(answer: Result<unknown>): boolean {
  if (answer.ok) return true;
  return answer.fault.code === 'modbus.exception' && answer.fault.why !== NOBODY;
}

function isSame(question: Question, table: string, block: Omit<Question, 'table'>): boolean {
  return (
    question.table === table &&
    question.address === block.address &&
    question.quantity === block.quantity
  );
}

/**
 * What all profiles ask, each question once. The one that most of them ask is the first, as who does not know a question
 * should refuse it, but may be silent: holding registers 0 and 1, where all profiles are looked for.
 */
function questionsOf(profiles: readonly ModbusProfile[]): readonly Question[] {
  const asked = new Map<string, { readonly question: Question; times: number }>();
  for (const profile of profiles) {
    for (const block of blocksOf(profile, 1)) {
      const question = { table: profile.table, ...block };
      const key = JSON.stringify(question);
      const known = asked.get(key) ?? { question, times: 0 };
      known.times += 1;
      asked.set(key, known);
    }
  }
  return [...asked.values()].sort((a, b) => b.times - a.times).map(({ question }) => question);
}

interface Group {
  readonly framing: Framing;
  readonly request: string | undefined;
  readonly profiles: LineProfile[];
}

/** Profiles that one question, or one listening, serves. */
function groupsOf(profiles: readonly LineProfile[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const profile of profiles) {
    const { framing, request } = profile;
    const key = JSON.stringify([framing, request]);
    const group = groups.get(key) ?? { framing, request, profiles: [] };
    group.profiles.push(profile);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** A device whose wheel stands between two digits is a device. */
function fitOf(profile: string, register: Result<Register>): ScanFit[] {
  if (register.ok) return [{ profile, digits: register.value.digits, id: register.value.id }];
  return register.fault.code === 'frame.unreadable' ? [{ profile, digits: null, id: null }] : [];
}

/** Who tells its identification is more surely what it seems; then who tells more: half of a long number is one too. */
function bestFirst(fits: readonly ScanFit[]): readonly ScanFit[] {
  const told = ({ id, digits }: ScanFit) => (id === null ? 0 : 100) + (digits?.length ?? 0);
  return [...fits].sort((a, b) => told(b) - told(a));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

async function close(opened: Opened | null): Promise<void> {
  await (opened?.link ?? opened?.line)?.close();
}
