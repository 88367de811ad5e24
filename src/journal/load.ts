// Reads the journal's standing records into memory: installations, their facts, the next row, what is pending.

import type { Store } from '../boundaries.ts';
import {
  decodeCheckpoint,
  decodeFacts,
  decodeRow,
  decodeState,
  hintOfEntryKey,
  isOfEvent,
  keys,
  pendingOf,
  seal,
  unseal,
  within,
} from '../codec/journal-record.ts';
import type { Installation } from '../domain/advance.ts';
import type { AlertWishes } from '../domain/alert-rules.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type { Acknowledged } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';
import { ABSENT_KEY, type Absent, decodeAbsent, NOTHING_ABSENT } from './absent.ts';
import type { Mark } from './mark.ts';
import { byInstallation, type Damaged, EVERYTHING, sealedAt, textAt } from './records.ts';

export interface Standing {
  /** Empty while none is proved. */
  readonly epoch: string;
  readonly nextRow: number;
  readonly states: Map<string, Installation>;
  /** All installations' facts by `meter/inst`. */
  readonly facts: Map<string, InstallationFacts>;
  /** Rows pending by meter. */
  readonly pending: Map<string, number>;
  /** Meters of the pending rows that are events, by their numbers: these go before all others (A4). */
  readonly events: Map<number, string>;
  acknowledged: Acknowledged;
  /** When each command was answered, by its id, oldest first. */
  readonly answers: Map<string, EpochMs>;
  /** Increments of installations that have ended, by `meter/inst`. */
  readonly ends: Map<string, number>;
  /** The highest installation of a meter that may ever have been told. */
  readonly highest: Map<string, number>;
  readonly absent: Absent;
  /** What is left of what was thinned, by `meter/inst`. */
  readonly checkpoints: Map<string, Checkpoint>;
  /** What commands said of alerts, by meter; of all under no name. */
  readonly wishes: Map<string, AlertWishes>;
  /** The journal took up too much room when it was written last. */
  readonly pressure: Pressure | null;
  /** Troubles of the collector itself that stand, by what they are about. */
  readonly troubles: ReadonlyMap<string, TroubleTold>;
  /** What the disk had borne of the day when an hour was written last. */
  readonly wear: Wear | null;
  /** How far retention has come; null: it never looked. */
  readonly aged: EpochMs | null;
  /** The highest number of what the collector told of itself that is still held. */
  readonly ownAlarm: number;
}

export interface Loaded {
  readonly standing: Standing;
  /** The store was empty. */
  readonly isNew: boolean;
  /** It was restored from a backup: more may have been told than it knows of. */
  readonly restored: boolean;
  /** What that backup knew; absent where nobody wrote it down. */
  readonly backup?: BackupKnown;
  /** Standing records that are damaged, by key. */
  readonly damaged: readonly (readonly [key: string, text: string])[];
}

const NOTHING_ACKNOWLEDGED: Acknowledged = {
  ...{ epoch: '', required: false, row: 0, missing: [], sent: 0 },
};

export function nothingStands(epoch: string): Standing {
  return {
    epoch,
    nextRow: 1,
    states: new Map(),
    facts: new Map(),
    pending: new Map(),
    events: new Map(),
    acknowledged: NOTHING_ACKNOWLEDGED,
    answers: new Map(),
    ends: new Map(),
    highest: new Map(),
    absent: NOTHING_ABSENT,
    checkpoints: new Map(),
    wishes: new Map(),
    pressure: null,
    troubles: new Map(),
    wear: null,
    aged: null,
    ownAlarm: 0,
  };
}

/**
 * Loads what stands in the store; a new store, where no `mark` says that there was one, first gets its epoch. `store.failed` when
 * it belongs to another collector; throws StoreLost when it cannot be read. What is damaged is left out and named.
 */
export async function loadStanding(
  store: Store,
  collector: string,
  newEpoch: () => string,
  mark: Mark | undefined,
): Promise<Result<Loaded>> {
  const meta = await textAt(store, keys.meta);
  if (meta === undefined && mark === undefined && (await isEmpty(store))) {
    return await create(store, collector, newEpoch());
  }
  const found = decodeMeta(meta);
  const owner = found?.collector ?? mark?.collector ?? collector;
  if (owner !== collector) {
    return faulty('store.failed', `this journal belongs to collector ${owner}`);
  }
  return good(await read(store, found?.epoch ?? '', meta));
}

/** A `journal.pressure` that stands: its number, its messages, since when. */
export interface Pressure {
  readonly alarm: number;
  readonly messages: number;
  readonly since: EpochMs;
}

/** A trouble as it was told: its number, since when. */
export interface TroubleTold {
  readonly alarm: number;
  readonly since: EpochMs;
}

/** Bytes sent to the disk on a UTC day, counted from 1970. */
export interface Wear {
  readonly day: number;
  readonly bytes: number;
}

export const WEAR_KEY = 'a/wear';
export const PRESSURE_KEY = 'a/pressure';
export const TROUBLES_KEY = 'a/troubles';
/** How far retention has come. */
export const AGED_KEY = 'a/aged';

/** What names a journal. */
export interface Meta {
  readonly epoch: string;
  readonly collector: string;
  /** The version from which it is being brought up to date. */
  readonly from?: number;
  /** It was restored from a backup and has not been opened since. */
  readonly restored?: boolean;
  /** What that backup knew. */
  readonly backup?: BackupKnown;
}

/** Up to where a backup knows what was told: the highest row of its epoch, and when it was made. */
export interface BackupKnown {
  readonly epoch: string;
  readonly rows: number;
  readonly at: EpochMs;
}

export const encodeMeta = (meta: Meta): string => seal(keys.meta, meta);

export const decodeMeta = (text: string | undefined): Meta | undefined =>
  unseal(keys.meta, text ?? '') as Meta | undefined;

async function isEmpty(store: Store): Promise<boolean> {
  for await (const _ of store.entries({ ...EVERYTHING, limit: 1 })) return false;
  return true;
}

async function create(store: Store, collector: string, epoch: string): Promise<Result<Loaded>> {
  const written = await store.write([
    { key: keys.meta, value: encodeMeta({ epoch, collector }) },
    { key: keys.nextRow, value: seal(keys.nextRow, 1) },
  ]);
  if (!written.ok) return written;
  return good({ standing: nothingStands(epoch), isNew: true, restored: false, damaged: [] });
}

type Told = Readonly<Record<string, TroubleTold>>;

async function read(store: Store, epoch: string, meta: string | undefined): Promise<Loaded> {
  const damaged: Damaged = [];
  if (epoch === '') damaged.push([keys.meta, meta ?? '']);
  const row = await textAt(store, keys.nextRow);
  const nextRow = unseal(keys.nextRow, row ?? '');
  if (typeof nextRow !== 'number') damaged.push([keys.nextRow, row ?? '']);
  const absentText = await textAt(store, ABSENT_KEY);
  const absent = absentText === undefined ? NOTHING_ABSENT : decodeAbsent(absentText);
  if (!absent) damaged.push([ABSENT_KEY, absentText ?? '']);
  const standing = {
    ...nothingStands(epoch),
    states: await statesIn(store, damaged),
    facts: await byInstallation(store, 'd/', decodeFacts, damaged),
    ...(await pendingIn(store)),
    checkpoints: await byInstallation(store, 'k/', decodeCheckpoint, damaged),
    wishes: await wishesIn(store, damaged),
    pressure: (await sealedAt<Pressure>(store, PRESSURE_KEY)) ?? null,
    // One that is damaged is told anew where it stands still.
    troubles: new Map(Object.entries((await sealedAt<Told>(store, TROUBLES_KEY)) ?? {})),
    aged: (await sealedAt<EpochMs>(store, AGED_KEY)) ?? null,
    wear: (await sealedAt<Wear>(store, WEAR_KEY)) ?? null,
    ownAlarm: await ownAlarmIn(store),
    nextRow: typeof nextRow === 'number' ? nextRow : 1,
    absent: absent ?? NOTHING_ABSENT,
    // A lost record costs a sending: what is pending is sent again, and acknowledged again.
    acknowledged: (await sealedAt<Acknowledged>(store, keys.ack)) ?? NOTHING_ACKNOWLEDGED,
    answers: await answersIn(store),
  };
  return { standing, isNew: false, damaged, ...originOf(decodeMeta(meta)) };
}

function originOf(meta: Meta | undefined): Pick<Loaded, 'restored' | 'backup'> {
  const { restored = false, backup } = meta ?? {};
  return { restored, ...(backup && { backup }) };
}

/** A journal that was restored numbers its rows anew, and holds events under the numbers of rows of before. */
async function ownAlarmIn(store: Store): Promise<number> {
  for await (const [key, text] of store.entries({ ...within('e//'), reverse: true })) {
    // A damaged key could claim any number.
    const event = decodeRow(key, text);
    if (event?.kind === 'event') return event.alarm;
  }
  return 0;
}

async function statesIn(store: Store, damaged: Damaged): Promise<Map<string, Installation>> {
  const states = new Map<string, Installation>();
  for await (const [key, text] of store.entries(within('s/'))) {
    const meter = key.slice(2);
    const around = await textAt(store, keys.circumstances(meter));
    const state = decodeState(meter, text, around);
    if (state) states.set(meter, state);
    else damaged.push([key, text]);
  }
  return states;
}

async function wishesIn(store: Store, damaged: Damaged): Promise<Map<string, AlertWishes>> {
  const wishes = new Map<string, AlertWishes>();
  for await (const [key, text] of store.entries(within('u/'))) {
    const found = unseal(key, text) as AlertWishes | undefined;
    if (found) wishes.set(key.slice(2), found);
    else damaged.push([key, text]);
  }
  return wishes;
}

async function pendingIn(store: Store): Promise<Pick<Standing, 'pending' | 'events'>> {
  const pending = new Map<string, number>();
  const events = new Map<number, string>();
  for await (const [key, text] of store.entries(within('p/'))) {
    const { meter, row } = pendingOf(key);
    pending.set(meter, (pending.get(meter) ?? 0) + 1);
    if (isOfEvent(hintOfEntryKey(text))) events.set(row, meter);
  }
  return { pending, events };
}

/** An answer as it is kept: when it was given, and what it says. */
export type KeptAnswer = readonly [at: EpochMs, text: string];

async function answersIn(store: Store): Promise<Map<string, EpochMs>> {
  const found: [id: string, at: EpochMs][] = [];
  for await (const [key, text] of store.entries(within('o/'))) {
    const kept = unseal(key, text) as KeptAnswer | undefined;
    if (kept) found.push([key.slice(2), kept[0]]);
  }
  return new Map(found.sort(([, a], [, b]) => a - b));
}
