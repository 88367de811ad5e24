// Opens the store and proves what stands in it against its own hours and against the mark; what does not hold is mended or told.

import type { Store, Vault } from '../boundaries.ts';
import type { AlarmCode, EventEntry, Evidence, Severity } from '../domain/alarms.ts';
import { good, type Result, StoreLost } from '../domain/fault.ts';
import { newInstallation } from '../domain/installation.ts';
import { resumeInstallation } from '../domain/resume.ts';
import type { EpochMs } from '../domain/units.ts';
import { type Doubts, doubtsOf } from './doubts.ts';
import { type Loaded, loadStanding, type Standing } from './load.ts';
import { decodeMark, encodeMark, type Mark } from './mark.ts';
import { migrate } from './migrate.ts';
import { prove } from './prove.ts';
import { shortOfPending } from './repend.ts';
import { bringBack } from './salvage.ts';

export interface OpeningParts {
  readonly collector: string;
  /** Opens the medium; called again after every failure. */
  readonly openStore: () => Promise<Result<Store>>;
  /** A new name for the life of a journal, never given before. */
  readonly newEpoch: () => string;
  /** What is kept beside the medium; absent: nothing. */
  readonly vault?: Omit<Vault, 'open'>;
  /** The wall clock, by which hours that a lost state may have told are told again. */
  readonly now?: () => EpochMs;
}

/** What the journal says of itself. */
export interface Telling {
  readonly code: Extract<AlarmCode, 'journal.loss' | 'journal.pressure' | 'journal.repaired'>;
  readonly severity: Severity;
  readonly data: Evidence;
  /** Where it goes on with an alarm that stands (E1). */
  readonly of?: Pick<EventEntry, 'alarm' | 'message' | 'phase' | 'since'>;
}

export interface Opened {
  readonly store: Store;
  readonly standing: Standing;
  /** Standing records to be written anew: the journal's name and row, and the states of these meters. */
  readonly renewed: boolean;
  readonly resumed: readonly string[];
  readonly damaged: readonly (readonly [key: string, text: string])[];
  /** Pending keys to be written again, with the entries they lead to. */
  readonly pendingAgain: ReadonlyMap<string, string>;
  readonly tellings: readonly Telling[];
  /** The mark and the store agree, and nothing spoke against them. */
  readonly isProved: boolean;
}

/** Opens, proves and mends. A fault when the medium does not let itself be opened or read, or is another collector's. */
export async function openStanding(parts: OpeningParts): Promise<Result<Opened>> {
  const opened = await parts.openStore();
  if (!opened.ok) return opened;
  const store = opened.value;
  try {
    const standing = await prepare(store, parts);
    if (!standing.ok) await store.close();
    return standing;
  } catch (error) {
    await store.close();
    if (!(error instanceof StoreLost)) throw error;
    parts.vault?.mistrust(error.message);
    return { ok: false, fault: error.fault };
  }
}

async function prepare(store: Store, parts: OpeningParts): Promise<Result<Opened>> {
  const upToDate = await migrate(store);
  if (!upToDate.ok) return upToDate;
  const { mark, isDamaged } = await markIn(parts);
  const load = () => loadStanding(store, parts.collector, parts.newEpoch, mark);
  let loaded = await load();
  if (!loaded.ok) return loaded;
  if (loaded.value.isNew) return good(sound(store, loaded.value.standing));
  const signs = [...(parts.vault?.signs() ?? [])];
  let doubts = await doubtsOf(store, loaded.value, mark);
  const words = [...signs, ...doubts.words];
  let broughtBack = 0;
  if (words.length > 0) {
    const salvaged = await salvage(store, parts);
    if (salvaged.ok) broughtBack = salvaged.value;
    else words.push(`nothing could be brought back: ${salvaged.fault.detail}`);
    loaded = await load();
    if (!loaded.ok) return loaded;
    doubts = await doubtsOf(store, loaded.value, mark);
  }
  if (isDamaged) words.push('the mark was damaged');
  const mended = await mend(store, loaded.value, doubts, mark, parts);
  // From here on there is more than the mark of a clean stop tells.
  if (mark?.clean) {
    const kept = await parts.vault?.writeMark(encodeMark({ ...mark, clean: false }));
    if (kept && !kept.ok) return kept;
  }
  if (words.length === 0) return good(sound(store, mended.standing));
  const isWhole = mark?.clean === true && doubts.words.length === 0;
  const isOnlyMark = signs.length === 0 && doubts.words.length === 0 && broughtBack === 0;
  // Rows may have been given that nobody knows of any more: the same numbers in the same epoch would name other water.
  const renewed = !isWhole && !isOnlyMark;
  const epoch = renewed ? parts.newEpoch() : mended.standing.epoch;
  const found = words.slice(0, WORDS_MAX).join('; ').slice(0, TEXT_MAX);
  const pendingAgain = mark ? await shortOfPending(store, mended.standing, mark) : new Map();
  const data = {
    found,
    brought_back: broughtBack,
    meters_resumed: mended.resumed.length,
    new_epoch: renewed ? epoch : null,
  };
  return good({
    store,
    ...{ renewed, resumed: mended.resumed, damaged: loaded.value.damaged },
    standing: { ...mended.standing, epoch },
    pendingAgain,
    tellings: [{ code: 'journal.repaired', severity: 'major', data }],
    isProved: false,
  });
}

/** Told in words: so many findings, so many characters. */
const WORDS_MAX = 20;
const TEXT_MAX = 1_000;

const sound = (store: Store, standing: Standing): Opened => ({
  ...{ store, standing, renewed: false, resumed: [], damaged: [], tellings: [] },
  pendingAgain: new Map(),
  isProved: true,
});

async function markIn({
  vault,
  collector,
}: OpeningParts): Promise<{ mark: Mark | undefined; isDamaged: boolean }> {
  const text = await vault?.readMark();
  if (!text?.ok) return { mark: undefined, isDamaged: text !== undefined };
  if (text.value === undefined) return { mark: undefined, isDamaged: false };
  const mark = decodeMark(text.value);
  // The mark of another collector's journal says nothing about this one.
  return { mark: mark?.collector === collector ? mark : undefined, isDamaged: !mark };
}

async function salvage(store: Store, { vault }: OpeningParts): Promise<Result<number>> {
  const copy = await vault?.salvage();
  if (copy && !copy.ok) return copy;
  if (!copy?.value) return good(0);
  try {
    return await bringBack(store, copy.value);
  } finally {
    await copy.value.close();
  }
}

/** Lets doubtful meters go on from what is proved of them; one of which nothing is proved begins anew. */
async function mend(
  store: Store,
  { standing }: Loaded,
  doubts: Doubts,
  mark: Mark | undefined,
  parts: OpeningParts,
): Promise<{ standing: Standing; resumed: string[] }> {
  const resumed: string[] = [];
  const now = parts.now?.() ?? 0;
  for (const [meter, { facts, ended }] of Object.entries(mark?.meters ?? {})) {
    const key = `${meter}/${facts.inst}`;
    if (!standing.facts.has(key)) standing.facts.set(key, facts);
    for (const [inst, steps] of Object.entries(ended)) standing.ends.set(`${meter}/${inst}`, steps);
  }
  for (const meter of doubts.meters.keys()) {
    const marked = mark?.meters[meter];
    const insts = [...standing.facts.values()]
      .filter((facts) => facts.meter === meter)
      .map((facts) => facts.inst);
    const { hour, step } = doubts.reached.get(meter) ?? {};
    const inst = Math.max(0, ...insts, hour?.inst ?? 0, step?.inst ?? 0, marked?.facts.inst ?? 0);
    const facts = standing.facts.get(`${meter}/${inst}`);
    const before = standing.states.get(meter);
    const proved = facts && (await prove(store, facts, marked));
    if (proved) standing.states.set(meter, resumeInstallation(proved, now, before));
    else if (facts) standing.states.set(meter, newInstallation(inst));
    // An installation without facts cannot go on: what stands there is declared again, as the next one.
    else standing.states.delete(meter);
    standing.highest.set(meter, inst);
    resumed.push(meter);
  }
  return { standing: { ...standing, nextRow: doubts.nextRow }, resumed };
}
