// Reads the journal's standing records into memory: installations, their facts, the next row, what is pending.

import type { Store } from '../boundaries.ts';
import {
  decodeFacts,
  decodeState,
  keys,
  pendingOf,
  seal,
  unseal,
  within,
} from '../codec/journal-record.ts';
import type { Installation } from '../domain/advance.ts';
import type { Acknowledged } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { faulty, good, type Result, StoreLost } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';

export interface Standing {
  readonly epoch: string;
  readonly nextRow: number;
  readonly states: Map<string, Installation>;
  /** All installations' facts by `meter/inst`. */
  readonly facts: Map<string, InstallationFacts>;
  /** Rows pending by meter. */
  readonly pending: Map<string, number>;
  acknowledged: Acknowledged;
  /** When each command was answered, by its id, oldest first. */
  readonly answers: Map<string, EpochMs>;
}

/**
 * Loads what stands in the store; a new store first gets its epoch. `store.failed` when a record is damaged
 * or the store belongs to another collector.
 */
export async function loadStanding(
  store: Store,
  collector: string,
  newEpoch: () => string,
): Promise<Result<Standing>> {
  try {
    const meta = await store.get(keys.meta);
    if (!meta.ok) return meta;
    if (meta.value === undefined) {
      // Writing to what lost its name would number rows and installations from 1 again.
      for await (const _ of store.entries({ from: ' ', to: '~', limit: 1 })) {
        return faulty('store.failed', 'the record that names this journal is missing');
      }
      return await create(store, collector, newEpoch());
    }
    const found = unseal(keys.meta, meta.value) as { epoch: string; collector: string } | undefined;
    if (!found) return faulty('store.failed', 'the record that names this journal is damaged');
    if (found.collector !== collector) {
      return faulty('store.failed', `this journal belongs to collector ${found.collector}`);
    }
    return await read(store, found.epoch);
  } catch (error) {
    if (error instanceof StoreLost) return faulty('store.failed', error.message);
    throw error;
  }
}

const NOTHING_ACKNOWLEDGED: Acknowledged = { required: false, row: 0, missing: [], sent: 0 };

async function create(store: Store, collector: string, epoch: string): Promise<Result<Standing>> {
  const written = await store.write([
    { key: keys.meta, value: seal(keys.meta, { epoch, collector }) },
    { key: keys.nextRow, value: seal(keys.nextRow, 1) },
  ]);
  if (!written.ok) return written;
  return good({
    epoch,
    nextRow: 1,
    states: new Map(),
    facts: new Map(),
    pending: new Map(),
    acknowledged: NOTHING_ACKNOWLEDGED,
    answers: new Map(),
  });
}

async function read(store: Store, epoch: string): Promise<Result<Standing>> {
  const row = await store.get(keys.nextRow);
  if (!row.ok) return row;
  const nextRow = unseal(keys.nextRow, row.value ?? '');
  if (typeof nextRow !== 'number') return faulty('store.failed', 'the row counter is damaged');
  const states = new Map<string, Installation>();
  for await (const [key, text] of store.entries(within('s/'))) {
    const meter = key.slice(2);
    const around = await store.get(keys.circumstances(meter));
    if (!around.ok) return around;
    const state = decodeState(meter, text, around.value);
    if (!state) return faulty('store.failed', `the state of meter ${meter} is damaged`);
    states.set(meter, state);
  }
  const facts = new Map<string, InstallationFacts>();
  for await (const [key, text] of store.entries(within('d/'))) {
    const found = decodeFacts(key, text);
    if (!found) return faulty('store.failed', `the facts in ${key} are damaged`);
    facts.set(`${found.meter}/${found.inst}`, found);
  }
  const odd = partless(states, facts);
  if (odd) return faulty('store.failed', `the state or the facts of meter ${odd} are missing`);
  const pending = new Map<string, number>();
  for await (const [key] of store.entries(within('p/'))) {
    const { meter } = pendingOf(key);
    pending.set(meter, (pending.get(meter) ?? 0) + 1);
  }
  const acknowledged = await acknowledgedIn(store);
  const answers = await answersIn(store);
  return good({ epoch, nextRow, states, facts, pending, acknowledged, answers });
}

async function answersIn(store: Store): Promise<Map<string, EpochMs>> {
  const found: [id: string, at: EpochMs][] = [];
  for await (const [key, text] of store.entries(within('k/'))) {
    const kept = unseal(key, text) as KeptAnswer | undefined;
    if (kept) found.push([key.slice(2), kept[0]]);
  }
  return new Map(found.sort(([, a], [, b]) => a - b));
}

/** An answer as it is kept: when it was given, and what it says. */
export type KeptAnswer = readonly [at: EpochMs, text: string];

/** What the head-end said last. A lost record costs a sending: what is pending is sent again, and acknowledged again. */
async function acknowledgedIn(store: Store): Promise<Acknowledged> {
  const kept = await store.get(keys.ack);
  if (!kept.ok) throw new StoreLost(kept.fault.detail);
  return (unseal(keys.ack, kept.value ?? '') as Acknowledged | undefined) ?? NOTHING_ACKNOWLEDGED;
}

/** A meter whose state or present facts the medium lost; the two are always written together. */
function partless(
  states: ReadonlyMap<string, Installation>,
  facts: ReadonlyMap<string, InstallationFacts>,
): string | undefined {
  const stateless = [...facts.values()].find(({ meter }) => !states.has(meter));
  if (stateless) return stateless.meter;
  return [...states].find(([meter, { inst }]) => !facts.has(`${meter}/${inst}`))?.[0];
}
