// Keeps what a head-end keeps of the collectors' messages: entries and events by their keys, rows, states, births, meter infos.

import { Lineage } from './contract-rules/lineage.ts';
import { RowSet, rangesOf } from './contract-rules/row-set.ts';
import type { Conflict, Dial, Entry, HourEntry, Installation, MeterEvent } from './entries.ts';
import { iso, keyOf } from './entries.ts';
import { Tellings } from './tellings.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An entry with the message fields that belong to it, as it arrived. */
export interface Arrival {
  readonly collector: string;
  readonly epoch: string;
  readonly entry: Entry;
  /** Every field of the entry as sent, with the dial it is stated for. */
  readonly sent: Fields;
}

/**
 * What is kept, a line of the head-end's store. `again`: an entry that changed nothing when it came, and may be all that is left
 * when its collector was restored. `row`: a row that came and added nothing to what is kept.
 */
export type Line =
  | ({ readonly type: 'entry' } & Arrival)
  | ({ readonly type: 'again' } & Arrival)
  | { readonly type: 'event'; readonly collector: string; readonly event: Fields }
  | {
      readonly type: 'row';
      readonly collector: string;
      readonly epoch: string;
      readonly row: number;
    }
  | { readonly type: 'info'; readonly meter: string; readonly info: Fields | null };

/** How many of what came; `restated` replaced an older `rev`, `stale` came after a newer one. */
export interface Counts {
  messages: number;
  entries: number;
  resends: number;
  restated: number;
  stale: number;
  conflicts: number;
  events: number;
  malformed: number;
}

/** What a collector last said of itself. */
export interface CollectorState {
  readonly state: string;
  readonly session: string;
}

const TOPIC = /^watermeter-v1\/[^/]+\/([^/]+)\/up\/(?:meter\/([^/]+)\/)?([a-z]+)$/;

function parseFields(payload: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(payload);
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isFields(one: unknown): one is Fields {
  return typeof one === 'object' && one !== null && !Array.isArray(one);
}

/** Epoch ms of an ISO 8601 text in UTC; undefined for anything else. */
function instant(one: unknown): number | undefined {
  if (typeof one !== 'string' || !one.endsWith('Z')) return undefined;
  const at = Date.parse(one);
  return Number.isNaN(at) ? undefined : at;
}

const isRow = (one: unknown): one is number => Number.isSafeInteger(one) && (one as number) >= 1;
const isNumberOrNull = (one: unknown): one is number | null =>
  one === null || typeof one === 'number';

function dialOf({ digits, unit, pow10 }: Fields): Dial | undefined {
  if (typeof digits !== 'number' || typeof unit !== 'string' || typeof pow10 !== 'number') {
    return undefined;
  }
  return { digits, unit, pow10 };
}

/** The meter, installation, dial and revision that every entry needs; undefined when one is missing. */
function placeOf(message: Fields, sent: Fields) {
  const { meter, inst } = message;
  const dial = dialOf(message);
  const rev = sent['rev'] ?? 0;
  if (typeof meter !== 'string' || typeof inst !== 'number') return undefined;
  if (dial === undefined || typeof rev !== 'number') return undefined;
  return { meter, inst, ...dial, rev };
}

function hourFrom(message: Fields, sent: Fields): Entry | undefined {
  const place = placeOf(message, sent);
  const start = instant(sent['start']);
  const at = sent['at'] === null ? null : instant(sent['at']);
  const { read, total, use, q } = sent;
  if (place === undefined || start === undefined || at === undefined) return undefined;
  if (!isNumberOrNull(read) || !isNumberOrNull(total) || !isNumberOrNull(use)) return undefined;
  if (typeof q !== 'string') return undefined;
  return { kind: 'hour', ...place, start, read, at, total, use, q };
}

function gapFrom(message: Fields, sent: Fields): Entry | undefined {
  const place = placeOf(message, sent);
  const from = instant(sent['from']);
  const to = instant(sent['to']);
  const { use, why } = sent;
  if (place === undefined || from === undefined || to === undefined) return undefined;
  if (!isNumberOrNull(use) || typeof why !== 'string') return undefined;
  return { kind: 'gap', ...place, from, to, use, why };
}

/** The entries of an `interval` message; undefined when it, or one of them, is not what the contract says. */
function arrivalsOf(collector: string, message: Fields): Arrival[] | undefined {
  const epoch = String(message['epoch']);
  const { intervals, gaps = [], unit, pow10, digits, len } = message;
  if (message['v'] !== 1 || message['type'] !== 'interval' || len !== 3600) return undefined;
  if (!Array.isArray(intervals) || !Array.isArray(gaps)) return undefined;
  const arrivals: Arrival[] = [];
  const take = (fields: unknown, read: (message: Fields, sent: Fields) => Entry | undefined) => {
    const entry = isFields(fields) ? read(message, fields) : undefined;
    if (!isFields(fields) || entry === undefined) return false;
    arrivals.push({ collector, epoch, entry, sent: { ...fields, unit, pow10, digits } });
    return true;
  };
  const whole =
    intervals.every((fields) => take(fields, hourFrom)) &&
    gaps.every((fields) => take(fields, gapFrom));
  return whole ? arrivals : undefined;
}

/** The fields in which a resend differs from the first sending; fields added later are no contradiction (I6). */
function differences(first: Fields, second: Fields): string[] {
  return Object.keys(first).filter(
    (field) => JSON.stringify(first[field]) !== JSON.stringify(second[field]),
  );
}

/** An encoder may be named later: that is no other beginning. */
function beginsAlike(one: Installation, other: Installation): boolean {
  const nameless = (place: Installation) => JSON.stringify({ ...place, registerId: null });
  return nameless(one) === nameless(other);
}

/** A conflict, and between which entries it is; none where it is about the installation itself. */
interface Suspected extends Conflict {
  readonly collector: string;
  readonly between: readonly Arrival[];
}

/** What the head-end knows. It has no life of its own: messages go in by `take`, `kept` tells of each new entry. */
export class Ledger {
  readonly #counts = {
    messages: 0,
    entries: 0,
    resends: 0,
    restated: 0,
    stale: 0,
    events: 0,
    malformed: 0,
  };
  readonly #suspected: Suspected[] = [];
  readonly states = new Map<string, CollectorState>();
  readonly births = new Map<string, Fields>();
  readonly infos = new Map<string, Fields>();
  readonly #lineages = new Map<string, Lineage>();
  readonly #tellings = new Tellings((collector) => this.#lineageOf(collector));
  readonly #newest = new Map<string, HourEntry>();
  readonly #installations = new Map<string, { place: Installation; live: boolean }>();
  readonly #events = new Map<string, Fields>();
  readonly #rows = new Map<string, Map<string, RowSet>>();
  readonly #epochs = new Map<string, string>();
  readonly #kept: (line: Line) => void;
  #restoring = false;

  constructor(kept: (line: Line) => void = () => undefined) {
    this.#kept = kept;
  }

  /** Takes one message. `retained` is true for one that the broker kept from earlier. */
  take(topic: string, payload: string, retained = false): void {
    this.#counts.messages += 1;
    const [, collector, meter, kind] = TOPIC.exec(topic) ?? [];
    const cleared = payload === '';
    const message = parseFields(payload);
    if (collector === undefined || (message === undefined && !cleared)) {
      this.#counts.malformed += 1;
      return;
    }
    if (meter === undefined) this.#takeOwn(collector, kind, message);
    else if (kind === 'interval') this.#takeIntervals(collector, meter, message);
    else if (kind === 'info') this.#takeInfo(collector, meter, message, retained);
    else if (kind === 'event') this.#takeEvent(collector, message);
  }

  /** Takes a line of the store in again; it is not told as kept. */
  restore(line: Line): void {
    if (line.type === 'entry' || line.type === 'again') this.#settle(line);
    else if (line.type === 'event') this.#settleEvent(line.collector, line.event);
    else if (line.type === 'row') this.rowsOf(line.collector, line.epoch).add(line.row);
    else {
      this.#restoring = true;
      this.#takeInfo('', line.meter, line.info ?? undefined, true);
      this.#restoring = false;
    }
  }

  /** The rows of a collector's epoch that have come. */
  rowsOf(collector: string, epoch: string): RowSet {
    const epochs = this.#rows.get(collector) ?? new Map<string, RowSet>();
    const rows = epochs.get(epoch) ?? new RowSet();
    this.#rows.set(collector, epochs.set(epoch, rows));
    return rows;
  }

  /** The epoch that each collector is in. */
  epochs(): ReadonlyMap<string, string> {
    return this.#epochs;
  }

  /** Every message of every event, in the order in which they came. */
  events(): Fields[] {
    return [...this.#events.values()];
  }

  /** What the collectors told of their meters, each message once. */
  meterEvents(): MeterEvent[] {
    return [...this.#events.values()].flatMap(({ meter, inst, code, phase, at }) => {
      const when = instant(at);
      if (typeof meter !== 'string' || typeof inst !== 'number' || when === undefined) return [];
      return [{ meter, inst, code: String(code), phase: String(phase), at: when }];
    });
  }

  get counts(): Counts {
    return { ...this.#counts, conflicts: this.conflicts.length };
  }

  /** Arrivals that contradict another one. What a restored journal does not know of contradicts nothing that it tells. */
  get conflicts(): readonly Conflict[] {
    return this.#suspected
      .filter(({ collector, between }) =>
        between.length === 0
          ? !this.#lineageOf(collector).isRestored
          : between.every((one) => this.#tellings.holds(one)),
      )
      .map(({ meter, inst, what }) => ({ meter, inst, what }));
  }

  /** What is kept, as it arrived: the highest `rev` of every hour and gap. */
  arrivals(): Arrival[] {
    return this.#tellings.kept();
  }

  /**
   * What was told of installations that a restored collector knows nothing of, where it has given their numbers again: water that
   * nobody else tells of.
   */
  forgotten(): Arrival[] {
    return this.#tellings.forgotten();
  }

  /** What is kept: the highest `rev` of every hour, and of every gap not withdrawn, by meter and time. */
  entries(): Entry[] {
    const time = (entry: Entry): number => (entry.kind === 'hour' ? entry.start : entry.from);
    return this.arrivals()
      .map(({ entry }) => entry)
      .filter((entry) => entry.kind === 'hour' || entry.use !== null)
      .sort((a, b) => a.meter.localeCompare(b.meter) || a.inst - b.inst || time(a) - time(b));
  }

  installations(): Installation[] {
    return [...this.#installations.values()].map(({ place }) => place);
  }

  /** The newest hour of a meter. */
  latest(meter: string): HourEntry | undefined {
    return this.#newest.get(meter);
  }

  #lineageOf(collector: string): Lineage {
    const known = this.#lineages.get(collector) ?? new Lineage();
    this.#lineages.set(collector, known);
    return known;
  }

  /** Keeps an entry by its key: the highest `rev` wins, an equal one must be the same (I4, I6). Says what it was. */
  #settle(arrival: Arrival): 'entry' | 'again' | 'known' {
    const { collector, epoch, entry, sent } = arrival;
    this.#hearEpoch(collector, epoch);
    const row = sent['row'];
    if (isRow(row)) this.rowsOf(collector, epoch).add(row);
    const told = this.#tellings.of(entry);
    const equal = told.filter(({ entry: { rev } }) => rev === entry.rev);
    this.#compare(arrival, equal);
    const isKnown = equal.some((one) => one.epoch === epoch && one.collector === collector);
    if (!isKnown) this.#tellings.add(arrival);
    const others = told.filter((one) => this.#tellings.holds(one));
    const rev = Math.max(-1, ...others.map((one) => one.entry.rev));
    if (rev > entry.rev) this.#counts.stale += 1;
    else if (rev === entry.rev || isKnown) this.#counts.resends += 1;
    else if (told.length > 0) this.#counts.restated += 1;
    else this.#counts.entries += 1;
    if (isKnown) return 'known';
    if (rev >= entry.rev) return 'again';
    const newest = this.#newest.get(entry.meter);
    if (entry.kind === 'hour' && (newest === undefined || entry.start >= newest.start)) {
      this.#newest.set(entry.meter, entry);
    }
    return 'entry';
  }

  /** Holds an entry against those of the same key and `rev`, first against one of its own epoch. */
  #compare(arrival: Arrival, equal: readonly Arrival[]): void {
    const { epoch, entry, sent, collector } = arrival;
    const own = equal.filter((one) => one.epoch === epoch);
    for (const before of own.length > 0 ? own : equal) {
      // Another epoch has numbers of its own for what it tells again.
      const fields = differences(
        before.sent,
        before.epoch === epoch ? sent : { ...sent, row: before.sent['row'] },
      );
      if (fields.length === 0) continue;
      const what = `${keyOf(entry)} came again with another ${fields.join()}`;
      const between = [before, arrival];
      this.#suspected.push({ collector, meter: entry.meter, inst: entry.inst, what, between });
    }
  }

  /** Keeps one entry, and tells of it; of one that adds nothing only its row, if that is new. */
  #keep(arrival: Arrival): void {
    const { collector, epoch, sent } = arrival;
    const row = sent['row'];
    const known = !isRow(row) || this.rowsOf(collector, epoch).has(row);
    const type = this.#settle(arrival);
    if (type !== 'known') this.#kept({ type, ...arrival });
    else if (!known) this.#kept({ type: 'row', collector, epoch, row });
  }

  /** Birth says which epoch a collector is in; before one was heard, its rows do. */
  #hearEpoch(collector: string, epoch: string): void {
    if (!this.births.has(collector)) this.#epochs.set(collector, epoch);
  }

  #takeEvent(collector: string, message: Fields | undefined): void {
    if (message === undefined || !isRow(message['row']) || typeof message['epoch'] !== 'string') {
      this.#counts.malformed += 1;
      return;
    }
    const fresh = this.#settleEvent(collector, message);
    if (fresh) this.#kept({ type: 'event', collector, event: message });
  }

  #settleEvent(collector: string, event: Fields): boolean {
    const epoch = String(event['epoch']);
    const row = Number(event['row']);
    this.#hearEpoch(collector, epoch);
    const rows = this.rowsOf(collector, epoch);
    rows.add(row);
    // Rows that retention dropped can never come: they are not asked for (A3).
    const { data } = event;
    if (event['code'] === 'journal.loss' && isFields(data)) {
      for (const [from, to] of rangesOf(data['rows'])) rows.addRange(from, to);
    }
    if (this.#lineageOf(collector).take(event)) this.#tellings.forgetHeld();
    const key = `${collector}/${epoch}/${row}`;
    const fresh = !this.#events.has(key);
    if (fresh) {
      this.#counts.events += 1;
      this.#events.set(key, event);
    }
    return fresh;
  }

  #takeOwn(collector: string, kind: string | undefined, message: Fields | undefined): void {
    if (kind === 'event') return this.#takeEvent(collector, message);
    if (kind === 'birth' && message !== undefined) this.births.set(collector, message);
    if (kind === 'birth' && typeof message?.['epoch'] === 'string') {
      this.#epochs.set(collector, message['epoch']);
      if (this.#lineageOf(collector).live(message['epoch'])) this.#tellings.forgetHeld();
    }
    if (kind !== 'state' || message === undefined) return;
    const state = String(message['state']);
    const session = String(message['session']);
    const known = this.states.get(collector);
    // A late will of an old session overrules nothing (S1).
    if (state === 'lost' && known !== undefined && known.session !== session) return;
    this.states.set(collector, { state, session });
  }

  #takeIntervals(collector: string, meter: string, message: Fields | undefined): void {
    const arrivals = message && arrivalsOf(collector, message);
    const mine = message?.['meter'] === meter && message['collector'] === collector;
    if (arrivals === undefined || !mine) {
      this.#counts.malformed += 1;
      return;
    }
    for (const arrival of arrivals) this.#keep(arrival);
  }

  #takeInfo(
    collector: string,
    meter: string,
    message: Fields | undefined,
    retained: boolean,
  ): void {
    if (message === undefined) {
      const known = this.infos.delete(meter);
      if (known && !this.#restoring) this.#kept({ type: 'info', meter, info: null });
      return;
    }
    const { inst, initial_read: initialRead } = message;
    const dial = dialOf(message);
    const installed = instant(message['installed']);
    if (message['meter'] !== meter || typeof inst !== 'number' || dial === undefined) {
      this.#counts.malformed += 1;
      return;
    }
    const news = JSON.stringify(this.infos.get(meter)) !== JSON.stringify(message);
    this.infos.set(meter, message);
    if (news && !this.#restoring) this.#kept({ type: 'info', meter, info: message });
    // Before its first reading a meter has no beginning to tell of.
    if (typeof initialRead !== 'number' || installed === undefined) return;
    const id = message['register_id'];
    const named = typeof id === 'string' ? { registerId: id } : {};
    const place = { meter, inst, ...dial, initialRead, installed, ...named };
    this.#install(collector, place, retained);
  }

  #install(collector: string, place: Installation, retained: boolean): void {
    const { meter, inst } = place;
    const key = `${meter}/${inst}`;
    const known = this.#installations.get(key);
    // What the broker kept may be of an earlier collector; what is said now counts.
    if (known === undefined || (!known.live && !retained)) {
      this.#installations.set(key, { place, live: !retained });
    } else if (!retained && !beginsAlike(known.place, place)) {
      const { initialRead: read, installed: at } = known.place;
      const what = `began at ${read}, ${iso(at)}; now said to differ`;
      this.#suspected.push({ collector, meter, inst, what, between: [] });
      // After a restore the number is given again.
      if (place.installed > at) this.#installations.set(key, { place, live: true });
    } else if (!retained && place.registerId !== known.place.registerId) {
      this.#installations.set(key, { place, live: true });
    }
  }
}
