// The rules of one collector's own words: states and sessions, births, rows and epochs, answers to commands.

import { isDeepStrictEqual } from 'node:util';
import { EventRules } from './event-rules.ts';
import type { InstallationRules } from './installation-rules.ts';
import { Lineage } from './lineage.ts';
import type {
  Ack,
  Birth,
  CollectorState,
  Command,
  CommandAnswer,
  EventMessage,
  Health,
  IntervalMessage,
  MeterInfo,
  Scorecard,
} from './messages.ts';
import { GRACE_MS } from './patience.ts';
import { ResendRules } from './resend-rules.ts';
import { type Range, RowSet, rangesOf } from './row-set.ts';
import { SessionRules } from './session-rules.ts';
import type { Verdicts } from './verdicts.ts';

const HOUR_MS = 3_600_000;
/** A command is at most so long (C2). */
const COMMAND_BYTES_MAX = 8 * 1024;

/** Commands that only look (contract, C3). */
const READS =
  /^(?:ping|birth|meter\.list|read|replay|billing\.read|events\.list|config\.get|diag\.bus|time\.get)$/;

/** An answer that says that nothing was done: the id may have been done before, or be done later. */
const REFUSED: readonly string[] = [
  ...['bad_request', 'unknown_command', 'expired', 'forbidden', 'conflict'],
];

interface Epoch {
  readonly rows: RowSet;
  /** What each row holds. */
  readonly content: Map<number, string>;
  /** Rows of messages that broke their schema: they came, and hold nothing. */
  readonly spoilt: RowSet;
  /** Rows that the collector says it has lost (A3). */
  readonly lost: RowSet;
  /** Rows that were away when a higher one came, and when that was. */
  readonly away: { range: Range; at: number }[];
  /** Time in the first message heard: what was made before it may have been sent before, too. */
  since: number;
  /** When what the highest row holds was over. */
  made: number;
}

/** What a birth says of the commands that are allowed. */
interface Allowing {
  readonly sent: number;
  readonly commands: readonly string[];
}

/** Everything that one collector says, but for the hours and gaps themselves. */
export class CollectorRules {
  readonly events: EventRules;
  readonly lineage = new Lineage();
  readonly #verdicts: Verdicts;
  readonly #sessions: SessionRules;
  readonly #resends: ResendRules;
  #ack: Ack | undefined;
  readonly #epochs = new Map<string, Epoch>();
  readonly #born = new Set<string>();
  readonly #infos = new Map<string, MeterInfo>();
  readonly #answers = new Map<string, CommandAnswer>();
  readonly #days = new Map<string, string>();
  readonly #births: Allowing[] = [];
  /** By id: what was asked for. */
  readonly #commands = new Map<string, { expires: number; isLarge: boolean }>();
  readonly #executed: { name: string; at: number; heard: Allowing | undefined }[] = [];
  /** When something of the collector was last heard. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #asked: { epoch: string; range: Range; at: number }[] = [];

  /** `isAcknowledged`: a head-end says that it acknowledges the rows of this utility. */
  constructor(verdicts: Verdicts, isAcknowledged: () => boolean) {
    this.#verdicts = verdicts;
    this.events = new EventRules(verdicts);
    this.#sessions = new SessionRules(verdicts);
    this.#resends = new ResendRules(verdicts, () => this.#ack !== undefined || isAcknowledged());
  }

  epoch(name: string): Epoch {
    const known = this.#epochs.get(name);
    if (known) return known;
    const epoch = {
      ...{ rows: new RowSet(), spoilt: new RowSet(), lost: new RowSet() },
      ...{ content: new Map(), away: [], since: Number.NaN, made: Number.NaN },
    };
    this.#epochs.set(name, epoch);
    return epoch;
  }

  takeState(state: CollectorState, at: number): void {
    this.#sessions.takeState(state, at);
    this.#resends.occasion(at);
  }

  takeBirth(birth: Birth, bytes: number, at: number): void {
    this.#verdicts.check('S2', bytes <= 32 * 1024, () => `birth has ${bytes} bytes`);
    this.#born.add(birth.epoch);
    this.#births.push({ sent: Date.parse(birth.sent), commands: birth.commands });
    this.lineage.live(birth.epoch);
    this.#sessions.takeBirth(birth, at);
  }

  takeInfo(info: MeterInfo): void {
    const key = `${info.meter} ${info.rev}`;
    const known = this.#infos.get(key);
    this.#verdicts.check(
      'S3',
      known === undefined || isDeepStrictEqual(known, info),
      () => `info of ${info.meter} changed and its rev ${info.rev} did not`,
    );
    this.#infos.set(key, info);
  }

  takeHealth(health: Health): void {
    for (const { bus, polls, ok } of health.buses) {
      this.#verdicts.check(
        'S4',
        ok <= polls,
        () => `bus ${bus}: ${ok} of ${polls} polls were good`,
      );
    }
    this.#verdicts.saw('S4');
  }

  takeScorecard(scorecard: Scorecard): void {
    const { day, reads } = scorecard;
    // A day is told again after a restart: by its hours as they are by then, some of them restated since.
    const told = `${day} ${scorecard.sent}`;
    const known = this.#days.get(told);
    const same = known === undefined || known === JSON.stringify(scorecard);
    this.#verdicts.check('S5', reads.made <= reads.due, () => `${day}: more reads made than due`);
    const { day_1: one, day_3: three } = scorecard.success;
    this.#verdicts.check(
      'S5',
      one === null || three === null || one <= three,
      () => `${day}: more meters were read in a day than in three`,
    );
    this.#verdicts.check('S5', same, () => `two scorecards of ${told} differ`);
    this.#days.set(told, JSON.stringify(scorecard));
  }

  takeEvent(event: EventMessage, at: number): void {
    const { id, phase, code } = event;
    const made = Date.parse(event.at);
    const content = `event ${id} ${code} ${phase}`;
    this.#takeRow(event.epoch, event.row, content, { at, sent: made + 1, made });
    this.#resends.take(event.epoch, [event.row], { at, sent: Number.NaN, asked: false });
    this.events.take(event);
    this.#checkOrigin(event);
    this.lineage.take(event as unknown as Readonly<Record<string, unknown>>);
    if (code !== 'journal.loss') return;
    this.#verdicts.check(
      'A3',
      Array.isArray(event.data['rows']) &&
        rangesOf(event.data['rows']).length === event.data['rows'].length,
      () => `journal.loss ${id} does not say which rows`,
    );
    for (const [from, to] of rangesOf(event.data['rows']))
      this.epoch(event.epoch).lost.addRange(from, to);
  }

  /** E3: after a restore a head-end must know what its collector does not: all of it is said, and of an epoch of before. */
  #checkOrigin({ code, id, epoch, data }: EventMessage): void {
    const { backup_epoch: backup, backup_rows: rows, backup_at: made } = data;
    if (code !== 'journal.repaired' || [backup, rows, made].every((one) => one === undefined)) {
      return;
    }
    const isWhole =
      typeof backup === 'string' &&
      backup !== epoch &&
      Number.isSafeInteger(rows) &&
      Number(rows) >= 0 &&
      !Number.isNaN(Date.parse(String(made)));
    this.#verdicts.check(
      'E3',
      isWhole,
      () => `journal.repaired ${id} does not say up to where its backup knew`,
    );
  }

  takeRows(message: IntervalMessage, at: number): void {
    const { epoch, meter, inst, cause } = message;
    const sent = Date.parse(message.sent);
    const place = `${meter}/${inst}`;
    for (const { row, start, rev = 0 } of message.intervals) {
      const made = Date.parse(start) + HOUR_MS;
      this.#takeRow(epoch, row, `${place} hour ${start} rev ${rev}`, { at, sent, made });
    }
    for (const { row, from, to, rev = 0 } of message.gaps) {
      const made = Date.parse(to);
      this.#takeRow(epoch, row, `${place} gap ${from} rev ${rev}`, { at, sent, made });
    }
    const all = [...message.gaps, ...message.intervals].map(({ row }) => row);
    this.#resends.take(epoch, all, { at, sent, asked: cause === 'replay' });
    if (cause !== 'backfill' || message.intervals.length < 2) return;
    const rows = message.intervals.map(({ row }) => row);
    this.#verdicts.check(
      'A4',
      rows.every((row, i) => i === 0 || (rows[i - 1] as number) < row),
      () => `a backfill of ${place} is not oldest first`,
    );
  }

  /** Rows of a message that is not as it should be: they came, and are not asked for. */
  spoil(epoch: string, rows: readonly number[]): void {
    for (const row of rows) this.epoch(epoch).spoilt.add(row);
  }

  /** The head-end came, with a new session (A2). */
  takeHeadEnd(at: number): void {
    this.#resends.occasion(at);
  }

  takeAck(ack: Ack, at: number): void {
    if (isDeepStrictEqual(this.#ack, ack)) return;
    this.#resends.occasion(at);
    // The newest rules, in whatever order they come.
    if (this.#ack && Date.parse(this.#ack.sent) > Date.parse(ack.sent)) return;
    this.#ack = ack;
    const { epoch, row, missing } = ack;
    const before = this.#asked.filter((one) => one.epoch === epoch);
    const since = ([from, to]: Range) =>
      before.find(({ range: [first, last] }) => first <= from && to <= last)?.at ?? at;
    // One beyond the highest row ever sent settles nothing, and asks for nothing.
    const counts = row <= this.epoch(epoch).rows.top();
    this.#asked = counts ? missing.map((range) => ({ epoch, range, at: since(range) })) : [];
  }

  /** A1: what was asked for came again, as far as there was time for it. */
  #checkAsked(now: number | null): void {
    const until = Math.min(now ?? this.#heardAt, this.#heardAt);
    for (const { epoch, range, at } of this.#asked.filter((one) => until - one.at >= GRACE_MS)) {
      const said = 'were asked for again and did not come';
      this.#checkRange(epoch, range, said, this.#resends.cameSince(epoch, at));
    }
  }

  /** A command on its way to the collector. */
  takeCommand({ id, name, issued, expires }: Command, bytes: number, at: number): void {
    const ordered = Date.parse(issued) <= Date.parse(expires);
    this.#verdicts.check('C2', ordered, () => `command ${id} expires before it was issued`);
    if (name === 'replay') this.#resends.occasion(at);
    this.#commands.set(id, { expires: Date.parse(expires), isLarge: bytes > COMMAND_BYTES_MAX });
  }

  takeAnswer(answer: CommandAnswer, heardAt: number): void {
    this.#verdicts.saw('C1');
    const { id, name, status, code } = answer;
    if (name === 'replay') this.#resends.occasion(heardAt);
    if (id === null || (status !== 'done' && status !== 'error')) return;
    if (status === 'error' && REFUSED.includes(code)) return;
    this.#checkRefusable(answer);
    const known = this.#answers.get(id);
    this.#verdicts.check(
      'C2',
      known === undefined || isDeepStrictEqual({ ...known, at: '' }, { ...answer, at: '' }),
      () => `command ${id} was answered twice and differently`,
    );
    this.#answers.set(id, answer);
    // Repeated, it says nothing of what is allowed by now.
    if (status !== 'done' || name === null || known?.status === 'done') return;
    this.#executed.push({ name, at: Date.parse(answer.at), heard: this.#births.at(-1) });
  }

  /** C2: what is too large or over is refused. What takes long may have begun in time. */
  #checkRefusable({ id, status, at }: CommandAnswer): void {
    const command = this.#commands.get(id ?? '');
    if (command === undefined || status !== 'done' || this.#answers.has(id ?? '')) return;
    const isOver = Date.parse(at) - command.expires >= GRACE_MS;
    this.#verdicts.check(
      'C2',
      !command.isLarge && !isOver,
      () => `command ${id} was executed though it ${isOver ? 'was over' : 'is too large'}`,
    );
  }

  /** C3: what was done was allowed by the birth of then, or by one that crossed it on the way. */
  #checkAllowed(): void {
    const births = [...this.#births].sort((a, b) => a.sent - b.sent);
    for (const { name, at, heard } of this.#executed) {
      const before = births.findLast(({ sent }) => sent <= at);
      const after = births.find(({ sent }) => sent > at);
      const isKnown = heard !== undefined || before !== undefined;
      const isAllowed = [heard, before, after].some((birth) => birth?.commands.includes(name));
      this.#verdicts.check(
        'C3',
        isAllowed || !isKnown,
        () => `${name} was executed and is not among the commands of birth`,
      );
    }
  }

  /** C5: what was billed is what that hour says. */
  checkBilling(find: (meter: string, inst: number) => InstallationRules | undefined): void {
    for (const { name, status, data } of this.#answers.values()) {
      if (name !== 'billing.read' || status !== 'done') continue;
      const { meter, inst, start } = data;
      const told = find(String(meter), Number(inst))?.toldOf(String(start)) ?? [];
      // The hour may have been restated since.
      const meant = told.filter(({ rev = 0 }) => !('rev' in data) || rev === data['rev']);
      const [wrong = []] = meant
        .map((hour) =>
          ['read', 'q', 'total'].filter(
            (field) => field in data && JSON.stringify(data[field]) !== JSON.stringify(hour[field]),
          ),
        )
        .sort((a, b) => a.length - b.length);
      if (meant.length === 0) continue;
      this.#verdicts.check(
        'C5',
        wrong.length === 0,
        () => `billing.read of ${meter} ${start} has another ${wrong.join(', ')} than the hour`,
      );
    }
  }

  /** What only the whole shows. `now`: rows that have been away long enough by then are holes; null: all are. */
  finish(now: number | null): void {
    const due = (at: number) => now === null || now - at >= GRACE_MS;
    for (const [name, epoch] of this.#epochs) {
      this.#verdicts.check(
        'A1',
        this.#born.size === 0 || this.#born.has(name),
        () => `no birth has told of epoch ${name}`,
      );
      for (const { range } of epoch.away.filter(({ at }) => due(at))) {
        this.#checkRange(name, range, 'never came');
      }
    }
    this.#checkAsked(now);
    this.#sessions.finish(now);
    this.#resends.finish();
    this.#checkAllowed();
    this.#checkExecuted();
  }

  /** C4: what was done is told as an event. */
  #checkExecuted(): void {
    for (const [id, { name, status }] of this.#answers) {
      if (status !== 'done' || name === null || READS.test(name)) continue;
      this.#verdicts.check(
        'C4',
        this.events.wasExecuted(id, name),
        () => `${name} (${id}) was executed without a command.executed that says by whom`,
      );
    }
  }

  #takeRow(
    name: string,
    row: number,
    content: string,
    { at, sent, made }: { at: number; sent: number; made: number },
  ): void {
    this.#heardAt = Math.max(this.#heardAt, at);
    const epoch = this.epoch(name);
    if (epoch.rows.top() === 0) epoch.since = sent;
    const known = epoch.content.get(row);
    this.#verdicts.check(
      'A1',
      known === undefined || known === content,
      () => `row ${row} of ${name} holds ${known} and ${content}`,
    );
    epoch.content.set(row, content);
    const top = epoch.rows.top();
    // Whoever heard row 1, or something made since, heard all that follows.
    const whole = epoch.rows.has(1) || epoch.made >= epoch.since;
    if (top > 0 && row > top + 1 && whole) epoch.away.push({ range: [top + 1, row - 1], at });
    if (row > top) epoch.made = made;
    epoch.rows.add(row);
  }

  #checkRange(
    name: string,
    [from, to]: Range,
    what: string,
    came = (row: number) => this.epoch(name).rows.has(row),
  ): void {
    const { spoilt, lost } = this.epoch(name);
    const away: number[] = [];
    for (let row = from; row <= to; row += 1) {
      if (!came(row) && !spoilt.has(row) && !lost.has(row)) away.push(row);
    }
    const said = away.length > 3 ? `${away[0]} to ${away.at(-1)}` : away.join(', ');
    this.#verdicts.check('A1', away.length === 0, () => `rows ${said} of ${name} ${what}`);
  }
}
