// The rules of hours and gaps of one installation: sums, dials, qualities, keys and what may follow what.

import type { Lineage } from './lineage.ts';
import type { GapEntry, HourEntry, IntervalMessage, MeterInfo } from './messages.ts';
import { OnlyStory } from './only-story.ts';
import type { RowSet } from './row-set.ts';
import type { Rule, Verdicts } from './verdicts.ts';

const HOUR_MS = 3_600_000;
/** The widest tolerance that a meter may have, where its info has not been seen (contract, S3). */
const TOLERANCE_MAX_S = 1_800;

type Known<T> = T & { readonly epoch: string; readonly sent: number };

interface HourStep extends Known<HourEntry> {
  readonly kind: 'hour';
}
interface GapStep extends Known<GapEntry> {
  readonly kind: 'gap';
}
type Told = HourStep | GapStep;

/** Where an hour or gap of the chain ends, epoch ms. */
const endOf = (one: Told): number => Date.parse((one.kind === 'hour' ? one.at : one.to) ?? '');
const startOf = (one: HourEntry): number => Date.parse(one.start);
/** I10: told by a clock that was ahead, and lying in the future since: the hours before it are not over yet. */
const isTakenBack = ({ q, rev = 0, flags }: HourEntry): boolean =>
  q === 'M' && rev > 0 && flags.includes('clock');
const dialOf = ({ unit, pow10, digits }: IntervalMessage | MeterInfo): string =>
  `${digits} digits of 10^${pow10} ${unit}`;
const keyOf = (one: Told): string => (one.kind === 'hour' ? one.start : `gap ${one.from}`);
const modulo = (a: number, m: number): number => ((a % m) + m) % m;

/** Whether it has a place in the sums: an hour with its total, a gap that is not withdrawn. */
const counts = (one: Told): boolean => (one.kind === 'hour' ? one.total : one.use) !== null;

/** By the hours: a gap is counted with the one in which it ends (I4), before it, whatever clock stamped the readings at the edge. */
function before(a: Told, b: Told): number {
  const hourOf = (one: Told) =>
    one.kind === 'hour' ? startOf(one) : Math.floor(endOf(one) / HOUR_MS) * HOUR_MS;
  const rank = (one: Told) => (one.kind === 'gap' ? endOf(one) : Number.POSITIVE_INFINITY);
  return hourOf(a) - hourOf(b) || (rank(a) < rank(b) ? -1 : 1);
}

/** One meter that stands, or stood, at one place: what was told of it, in the order in which water passed. */
export class InstallationRules {
  readonly meter: string;
  readonly inst: number;
  readonly #verdicts: Verdicts;
  readonly #rowsOf: (epoch: string) => RowSet;
  readonly #lineage: Lineage;
  readonly #told = new Map<string, Told>();
  /** Every revision of a key as each epoch first told it. */
  readonly #first = new Map<string, Told[]>();
  readonly #chain: Told[] = [];
  /** The chain before this index is found to add up, and ends with an hour. */
  #judged = 0;
  #restated = false;
  /** By epoch. */
  readonly #dials = new Map<string, string>();
  #capacity = Number.POSITIVE_INFINITY;
  #info: MeterInfo | undefined;
  readonly #described = new OnlyStory();
  readonly #describedDial = new OnlyStory();
  /** What is a breach where no restore has given the number again to another meter. */
  readonly #doubted: { readonly rule: Rule; readonly text: string }[] = [];
  #widestS: number | undefined;

  constructor(
    meter: string,
    inst: number,
    verdicts: Verdicts,
    { rowsOf, lineage }: { rowsOf: (epoch: string) => RowSet; lineage: Lineage },
  ) {
    this.meter = meter;
    this.inst = inst;
    this.#verdicts = verdicts;
    this.#rowsOf = rowsOf;
    this.#lineage = lineage;
  }

  /**
   * What the description says of it (S3), heard at `at`. When `retained`, it may be what a broker kept of an earlier life of the
   * collector: that gives way without a word. One that was sent before the first reading, and has no beginning yet, contradicts none.
   */
  describe(info: MeterInfo, at: number, retained: boolean): void {
    const { initial_read: read, installed } = info;
    const dial = dialOf(info);
    this.#verdicts.saw('I2');
    if (!this.#describedDial.take(dial, at, retained)) {
      this.#doubt('I2', `${this.#name()} is described with ${dial}, and otherwise`);
    }
    if (read !== null) {
      this.#verdicts.saw('S3');
      if (!this.#described.take(`${read} at ${installed}`, at, retained)) {
        this.#doubt('S3', `${this.#name()} began at ${read} at ${installed}, and otherwise`);
      }
    }
    this.#widestS = Math.max(this.#widestS ?? 0, info.tolerance_s);
    // The newest life counts, whichever of its messages comes last.
    const { initial_read: before = null, installed: since = null } = this.#info ?? {};
    const isNewer = read !== null && (since === null || (installed ?? '') >= since);
    if (before === null || isNewer) this.#info = info;
  }

  /** Takes the entries of a message in. */
  take(message: IntervalMessage): void {
    this.#showDial(message);
    const { epoch } = message;
    const sent = Date.parse(message.sent);
    for (const gap of message.gaps) this.#takeOne({ kind: 'gap', ...gap, epoch, sent });
    for (const hour of message.intervals) this.#takeOne({ kind: 'hour', ...hour, epoch, sent });
    if (!this.#restated) this.#judge(false);
  }

  hours(): HourEntry[] {
    return [...this.#told.values()].filter((one): one is HourStep => one.kind === 'hour');
  }

  hourAt(start: string): HourEntry | undefined {
    const told = this.#told.get(start);
    return told?.kind === 'hour' ? told : undefined;
  }

  /** What was told of an hour, every revision of it. */
  toldOf(start: string): readonly Readonly<Record<string, unknown>>[] {
    return [...this.#first].flatMap(([key, told]) =>
      key.startsWith(`${start} `) ? told.map((one) => ({ ...one })) : [],
    );
  }

  /** What only the whole shows. */
  finish(): void {
    if (this.#lineage.isRestored) this.#leaveOutUnknown();
    else for (const { rule, text } of this.#doubted) this.#verdicts.fail(rule, text);
    this.#checkAcross();
    this.#judged = this.#restated ? 0 : this.#judged;
    this.#judge(true);
    this.#checkHoles();
    this.#checkBeginnings();
    this.#checkGaps();
    this.#checkFuture();
    this.#checkDescribed();
  }

  #name(): string {
    return `${this.meter}/${this.inst}`;
  }

  #doubt(rule: Rule, text: string): void {
    this.#doubted.push({ rule, text });
  }

  #holds({ epoch, row }: Told): boolean {
    return !this.#lineage.standing(epoch, row).isVoid;
  }

  /** What came after the backup of a restored journal is not known to it: the rules are those of what it tells instead. */
  #leaveOutUnknown(): void {
    this.#told.clear();
    this.#chain.length = 0;
    const known = [...this.#first.values()].flat().filter((one) => this.#holds(one));
    for (const one of known) this.#settle(one);
    this.#restated = true;
  }

  /** I6 and I2 from one epoch to another: what both know is the same in both. */
  #checkAcross(): void {
    for (const told of this.#first.values()) {
      const [first, ...others] = told.filter((one) => this.#holds(one));
      for (const one of first ? others : []) {
        this.#checkResend(`${this.#name()} ${keyOf(one)}`, first as Told, one);
      }
    }
    const known = [...this.#first.values()].flat().filter((one) => this.#holds(one));
    const epochs = new Set(known.map(({ epoch }) => epoch));
    const dials = [...this.#dials].filter(([epoch]) => epochs.has(epoch)).map(([, dial]) => dial);
    this.#verdicts.check(
      'I2',
      new Set(dials).size <= 1,
      () => `${this.#name()} has ${dials.join(', and ')}`,
    );
  }

  #showDial(message: IntervalMessage): void {
    const dial = dialOf(message);
    const known = this.#dials.get(message.epoch) ?? dial;
    this.#dials.set(message.epoch, known);
    this.#capacity = 10 ** message.digits;
    this.#verdicts.check(
      'I2',
      dial === known,
      () => `${this.#name()} has ${dial}, before ${known}`,
    );
  }

  /** I2: what the hours are stated for is what the description says, whichever came first. */
  #checkDescribed(): void {
    const dial = [...this.#dials.values()].at(-1);
    if (dial === undefined) return;
    const said = this.#describedDial.has(dial);
    this.#verdicts.check(
      'I2',
      said,
      () => `${this.#name()} has ${dial}, and is described otherwise`,
    );
  }

  #takeOne(one: Told): void {
    const name = `${this.#name()} ${keyOf(one)}`;
    if (one.kind === 'hour') this.#checkHour(one, name);
    else {
      const ordered = Date.parse(one.from) <= Date.parse(one.to);
      this.#verdicts.check('I4', ordered, () => `${name} ends before it begins`);
      this.#checkEdges(one, name);
    }
    this.#verdicts.saw('I7');
    const rev = one.rev ?? 0;
    const key = `${keyOf(one)} ${rev}`;
    const told = this.#first.get(key) ?? [];
    const first = told.find(({ epoch }) => epoch === one.epoch);
    if (first !== undefined) return this.#checkResend(name, first, one);
    this.#first.set(key, [...told, one]);
    this.#verdicts.saw('I6');
    if (rev > 0) this.#restated = true;
    // Told by another epoch, too: held against it when all is known of the two.
    if (told.length === 0) this.#settle(one);
  }

  #settle(one: Told): void {
    const rev = one.rev ?? 0;
    const known = this.#told.get(keyOf(one));
    if (known && (known.rev ?? 0) >= rev) return;
    this.#told.set(keyOf(one), one);
    if (known) this.#remove(known);
    this.#insert(one);
  }

  /** I4: where an edge was read, or none lies between, what passed is the hour's. */
  #checkEdges({ from, to, use, why }: GapStep, name: string): void {
    if (use === null || !['bus', 'power'].includes(why)) return;
    const edge = Math.ceil(Date.parse(from) / HOUR_MS) * HOUR_MS;
    this.#verdicts.check(
      'I4',
      edge <= Date.parse(to),
      () => `${name} has no edge of an hour in it`,
    );
  }

  #checkResend(name: string, first: Told, again: Told): void {
    // Another epoch has numbers of its own for what it tells again, and each message says when it was sent.
    const own = first.epoch === again.epoch ? [] : ['epoch', 'row'];
    const fields = Object.keys(first).filter((field) => ![...own, 'sent'].includes(field));
    const of = (one: Told, field: string) => JSON.stringify(one[field as keyof Told]);
    const changed = fields.filter((field) => of(first, field) !== of(again, field));
    this.#verdicts.check(
      'I6',
      changed.length === 0,
      () => `${name} came again with another ${changed.join(', ')}`,
    );
  }

  #checkHour(hour: HourStep, name: string): void {
    const verdicts = this.#verdicts;
    const end = startOf(hour) + HOUR_MS;
    const tolerance = this.#tolerance();
    const off = hour.at === null ? 0 : Date.parse(hour.at) - end;
    const late = hour.flags.includes('clock');
    verdicts.check(
      'I1',
      (hour.read ?? 0) < this.#capacity,
      () => `${name}: read ${hour.read} is more than the dial has`,
    );
    verdicts.check(
      'I1',
      late || (off <= tolerance && off >= -HOUR_MS - tolerance),
      () => `${name} was read at ${hour.at}, outside its hour`,
    );
    verdicts.check(
      'I3',
      hour.q !== 'A' || Math.abs(off) <= tolerance,
      () => `${name} is called actual and was read at ${hour.at}`,
    );
    verdicts.check(
      'I3',
      // Both edges may have been read just outside it, and nothing in between.
      hour.q !== 'A' || hour.n > 0 || off >= 0,
      () => `${name} is called actual and has no reading`,
    );
    verdicts.check(
      'I7',
      (hour.use ?? 0) >= 0 || hour.flags.some((flag) => ['reverse', 'clock'].includes(flag)),
      () => `${name} went back by ${hour.use} and is not flagged reverse`,
    );
  }

  #insert(one: Told): void {
    if (!counts(one)) return;
    let at = this.#chain.length;
    while (at > 0 && before(one, this.#chain[at - 1] as Told) < 0) at -= 1;
    this.#chain.splice(at, 0, one);
    this.#rejudgeFrom(at);
  }

  #remove(one: Told): void {
    const at = this.#chain.indexOf(one);
    if (at < 0) return;
    this.#chain.splice(at, 1);
    this.#rejudgeFrom(at);
  }

  #rejudgeFrom(index: number): void {
    let at = Math.min(index, this.#judged);
    while (at > 0 && this.#chain[at - 1]?.kind !== 'hour') at -= 1;
    this.#judged = at;
  }

  /** I5 along the chain, as far as its rows are all there; at the end over what is missing, too. */
  #judge(whole: boolean): void {
    let passed = 0;
    for (let at = this.#judged; at < this.#chain.length; at += 1) {
      const one = this.#chain[at] as Told;
      if (one.kind === 'gap') {
        passed += one.use ?? 0;
        continue;
      }
      const last = this.#chain[this.#judged - 1];
      const settled = this.#judgeHour(one, last?.kind === 'hour' ? last : undefined, passed, whole);
      if (!settled) return;
      this.#judged = at + 1;
      passed = 0;
    }
  }

  /** True when the hour adds up, or surely does not; false while rows before it may still come. */
  #judgeHour(hour: HourStep, last: HourStep | undefined, passed: number, whole: boolean): boolean {
    const base = last ? { total: last.total, read: last.read } : this.#beginning(hour);
    if (!base) return true;
    const name = `${this.#name()} ${hour.start}`;
    const total = (base.total ?? 0) + passed + (hour.use ?? 0);
    const moved = (hour.total ?? 0) - (base.total ?? 0);
    const turned = modulo((hour.read ?? 0) - (base.read ?? 0) - moved, this.#capacity);
    const complete = !last || this.#allBetween(last, hour);
    if (hour.total !== total && !complete) return whole;
    this.#verdicts.check(
      'I5',
      hour.total === total,
      () => `${name}: total ${hour.total} is not ${base.total} + ${passed} + ${hour.use}`,
    );
    this.#verdicts.check(
      'I5',
      turned === 0,
      () => `${name}: the dial moved from ${base.read} to ${hour.read}, the total by ${moved}`,
    );
    if (complete && passed === 0) this.#checkRollover(hour, base.read ?? 0);
    return true;
  }

  /** I7: where the use of an hour takes the dial over its end, the hour says so. */
  #checkRollover({ use, flags, start }: HourStep, read: number): void {
    const passes = read + (use ?? 0) >= this.#capacity;
    const told = flags.some((flag) => flag === 'rollover' || flag === 'rollover_ambiguous');
    this.#verdicts.check(
      'I7',
      !passes || told,
      () =>
        `${this.#name()} ${start}: the dial went on from 0 and the hour is not flagged rollover`,
    );
  }

  /** Whether every row from one hour to the other has come, so that nothing can still lie between them. */
  #allBetween(one: HourStep, other: HourStep): boolean {
    if (one.epoch !== other.epoch) return this.#allAcross(one, other);
    const rows = [one.row, other.row];
    return this.#rowsOf(one.epoch).hasAll(Math.min(...rows), Math.max(...rows));
  }

  /** The same where the later one was told after a restore: all that the backup knew since, and all that was told after it. */
  #allAcross(one: HourStep, other: HourStep): boolean {
    const from = this.#lineage.restoredFrom(one.epoch, other.epoch);
    if (!from || one.row > from.known || other.row < from.own) return false;
    const isKnown = this.#rowsOf(one.epoch).hasAll(one.row, from.known);
    return isKnown && this.#rowsOf(other.epoch).hasAll(from.own, other.row);
  }

  /** Total and dial where the installation began, if this hour is known to be its first. */
  #beginning(hour: HourStep) {
    const { initial_read: read = null, installed = null } = this.#info ?? {};
    if (read === null || installed === null) return undefined;
    return startOf(hour) <= Date.parse(installed) ? { total: 0, read } : undefined;
  }

  /** I3: every hour is told, if only as missing; C6: but none of a disabled meter. */
  #checkHoles(): void {
    const hours = this.hours().sort((a, b) => startOf(a) - startOf(b)) as HourStep[];
    const disabled = [...this.#told.values()].filter(
      (one): one is GapStep => one.kind === 'gap' && one.why === 'disabled' && one.use !== null,
    );
    const excused = (from: number, to: number) =>
      disabled.some((gap) => Date.parse(gap.from) <= from && Date.parse(gap.to) >= to - HOUR_MS);
    hours.forEach((hour, index) => {
      const last = hours[index - 1];
      if (!last) return;
      const due = startOf(last) + HOUR_MS;
      const complete = this.#allBetween(last, hour);
      this.#verdicts.check(
        'I3',
        startOf(hour) === due || !complete || isTakenBack(hour) || excused(due, startOf(hour)),
        () => `${this.#name()}: no hour was told between ${last.start} and ${hour.start}`,
      );
    });
    for (const gap of disabled) {
      const inside = hours.find(
        (hour) =>
          startOf(hour) >= Date.parse(gap.from) && startOf(hour) + HOUR_MS <= Date.parse(gap.to),
      );
      this.#verdicts.check(
        'C6',
        inside === undefined || inside.q === 'M',
        () => `${this.#name()} ${inside?.start} was told while it was disabled`,
      );
    }
  }

  /** When the installation began; not a number where nobody knows: what passed before shows that the clock was ahead that said it (I10). */
  #installed(): number {
    const installed = Date.parse(this.#info?.installed ?? '');
    const isLater = [...this.#told.values()].some(
      (one) => counts(one) && endOf(one) < installed - this.#tolerance(),
    );
    return isLater ? Number.NaN : installed;
  }

  /** I3: an actual hour has a reading of its own, and the edge at which it begins was read, too. */
  #checkBeginnings(): void {
    const tolerance = this.#tolerance();
    const gaps = [...this.#told.values()].filter((one) => one.kind === 'gap' && counts(one));
    const installed = this.#installed();
    for (const hour of this.hours().filter(({ q }) => q === 'A')) {
      const name = `${this.#name()} ${hour.start}`;
      const start = startOf(hour);
      this.#verdicts.check(
        'I3',
        !(installed > start + tolerance && installed < start + HOUR_MS - tolerance),
        () => `${name} is called actual, and its installation began in it`,
      );
      const last = this.hourAt(new Date(start - HOUR_MS).toISOString().replace('.000', ''));
      const begun = last && last.q !== 'H' && last.at !== null ? Date.parse(last.at) : undefined;
      this.#verdicts.check(
        'I3',
        begun === undefined || Math.abs(begun - start) <= tolerance,
        () => `${name} is called actual and began with the reading of ${last?.at}`,
      );
      this.#verdicts.check(
        'I3',
        // What ended the hour before may be just before this one, and what ends this one just after it.
        hour.n > 0 || begun === undefined || begun < start,
        () => `${name} is called actual and has no reading since ${last?.at}`,
      );
      const across = (gap: Told, edge: number) =>
        gap.kind === 'gap' &&
        Date.parse(gap.from) < edge - tolerance &&
        Date.parse(gap.to) > edge + tolerance;
      const gap = gaps.find((one) => across(one, start) || across(one, start + HOUR_MS));
      this.#verdicts.check(
        'I3',
        gap === undefined,
        () => `${name} is called actual, and an edge of it lies in a ${gap && keyOf(gap)}`,
      );
    }
  }

  /** Within which a reading lies at an edge, in ms; the widest that was told, for the hours of before. */
  #tolerance(): number {
    return 1_000 * (this.#widestS ?? TOLERANCE_MAX_S);
  }

  #checkGaps(): void {
    const gaps = [...this.#told.values()]
      .filter((one): one is GapStep => one.kind === 'gap' && one.use !== null)
      .sort((a, b) => Date.parse(a.from) - Date.parse(b.from));
    // A reading stamped before the hour in which it counts (I10) is later than its stamp says, and so is the gap that begins there.
    const early = new Set<string>();
    for (const hour of this.hours()) {
      const isEarly = hour.at !== null && Date.parse(hour.at) < startOf(hour);
      if (isEarly && hour.flags.includes('clock')) early.add(hour.at ?? '');
    }
    gaps.forEach((gap, index) => {
      const last = gaps[index - 1];
      const apart = !last || Date.parse(last.to) <= Date.parse(gap.from) || early.has(gap.from);
      this.#verdicts.check('I4', apart, () => `${this.#name()} gap ${gap.from} overlaps another`);
    });
  }

  /** I10: what is told of an hour that was not over is corrected, or was never said. */
  #checkFuture(): void {
    const tolerance = this.#tolerance();
    for (const hour of this.hours() as HourStep[]) {
      const due = startOf(hour) + HOUR_MS - tolerance;
      this.#verdicts.check(
        'I10',
        hour.q === 'M' || hour.sent >= due || this.#isLast(hour),
        () => `${this.#name()} ${hour.start} was told at ${new Date(hour.sent).toISOString()}`,
      );
    }
  }

  /** The last hour of an installation is told when it ends (I9). */
  #isLast(hour: HourEntry): boolean {
    return hour.flags.includes('changeout') || hour.flags.includes('config');
  }
}
