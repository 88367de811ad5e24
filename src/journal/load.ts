// Reads the journal's standing records into memory: installations, their facts, the next row, what is pending.

import type { Store } from '../boundaries.ts';
import {
  decodeCheckpoint,
  decodeFacts,
  decodeRow,
  decodeState,
  hintOfEntryKey,
  isOfEvent,
  isSealed,
  keys,
  pendingOf,
  seal,
  unseal,
  within,
} from '../codec/journal-record.ts';
import type { Installation } from '../domain/advance.ts';
import type { AlertWishes } from '../domain/alert-rules.ts';
import type { Acknowledged } from '../domain/entry.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';
import { ABSENT_KEY, decodeAbsent, NOTHING_ABSENT } from './absent.ts';
import type { Mark } from './mark.ts';
import { type BackupKnown, decodeMeta, encodeMeta, type Meta } from './meta.ts';
import { byInstallation, type Damaged, EVERYTHING, sealedAt, textAt } from './records.ts';
import {
  AGED_KEY,
  type KeptAnswer,
  nothingStands,
  PRESSURE_KEY,
  type Pressure,
  type Standing,
  TROUBLES_KEY,
  type TroubleTold,
  WEAR_KEY,
  type Wear,
} from './standing.ts';
import { WaitingRows } from './waiting-rows.ts';

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

async function read(store: Store, epoch: string, meta: string | undefined): Promise<Loaded> {
  const damaged: Damaged = [];
  if (epoch === '') damaged.push([keys.meta, meta ?? '']);
  const row = await textAt(store, keys.nextRow);
  const nextRow = unseal(keys.nextRow, row ?? '');
  if (typeof nextRow !== 'number') damaged.push([keys.nextRow, row ?? '']);
  const absentText = await textAt(store, ABSENT_KEY);
  const absent = absentText === undefined ? NOTHING_ABSENT : decodeAbsent(absentText);
  if (!absent) damaged.push([ABSENT_KEY, absentText ?? '']);
  const none = nothingStands(epoch);
  const standing = {
    ...none,
    states: await statesIn(store, damaged),
    facts: await byInstallation(store, 'd/', decodeFacts, damaged),
    ...(await pendingIn(store)),
    checkpoints: await byInstallation(store, 'k/', decodeCheckpoint, damaged),
    wishes: await wishesIn(store, damaged),
    pressure: (await sealedAt<Pressure>(store, PRESSURE_KEY)) ?? null,
    // One that is damaged is told anew where it stands still.
    troubles: new Map(
      Object.entries((await sealedAt<Record<string, TroubleTold>>(store, TROUBLES_KEY)) ?? {}),
    ),
    aged: (await sealedAt<EpochMs>(store, AGED_KEY)) ?? null,
    wear: (await sealedAt<Wear>(store, WEAR_KEY)) ?? null,
    ownAlarm: await ownAlarmIn(store),
    nextRow: typeof nextRow === 'number' ? nextRow : 1,
    absent: absent ?? NOTHING_ABSENT,
    // A lost record costs a sending: what is pending is sent again, and acknowledged again.
    acknowledged: (await sealedAt<Acknowledged>(store, keys.ack)) ?? none.acknowledged,
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

async function pendingIn(store: Store): Promise<Pick<Standing, 'pending' | 'waiting' | 'events'>> {
  const waiting = new WaitingRows();
  const events = new Map<number, string>();
  for await (const [key, text] of store.entries(within('p/'))) {
    const { meter, row } = pendingOf(key);
    const entryKey = hintOfEntryKey(text);
    waiting.add(meter, row, isSealed(key, text) ? entryKey : '');
    if (isOfEvent(entryKey)) events.set(row, meter);
  }
  return { pending: waiting.counts, waiting, events };
}

async function answersIn(store: Store): Promise<Map<string, EpochMs>> {
  const found: [id: string, at: EpochMs][] = [];
  for await (const [key, text] of store.entries(within('o/'))) {
    const kept = unseal(key, text) as KeptAnswer | undefined;
    if (kept) found.push([key.slice(2), kept[0]]);
  }
  return new Map(found.sort(([, a], [, b]) => a - b));
}
