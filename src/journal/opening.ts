// Opens the store and proves what stands in it against its own hours and against the mark; what does not hold is mended or told.

import type { Store, Vault } from '../boundaries.ts';
import type { EventEntry, Evidence, OwnCode, Severity } from '../domain/alarms.ts';
import { nothingThinned } from '../domain/checkpoint.ts';
import { good, type Result, StoreLost } from '../domain/fault.ts';
import { type Installation, newInstallation } from '../domain/installation.ts';
import { resumeInstallation } from '../domain/resume.ts';
import type { EpochMs } from '../domain/units.ts';
import { sometimes } from '../sometimes.ts';
import { type Doubts, doubtsOf } from './doubts.ts';
import { type Loaded, loadStanding } from './load.ts';
import { decodeMark, encodeMark, type Mark, type MarkedMeter } from './mark.ts';
import { migrate } from './migrate.ts';
import { lastAlarm, prove } from './prove.ts';
import { shortOfPending } from './repend.ts';
import { bringBack } from './salvage.ts';
import type { Standing } from './standing.ts';

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
  readonly code: OwnCode;
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
  const judged = await judge(store, parts, mark);
  if (!judged.ok) return judged;
  const { loaded, doubts, words, broughtBack } = judged.value;
  if (loaded.isNew) return good(sound(store, loaded.standing));
  const mended = await mend(store, loaded, doubts, mark, parts);
  // From here on there is more than the mark of a clean stop tells.
  const kept = mark?.clean
    ? await parts.vault?.writeMark(encodeMark({ ...mark, clean: false }))
    : undefined;
  if (kept && !kept.ok) return kept;
  if (words.length === 0 && !isDamaged) return good(sound(store, mended.standing));
  sometimes('journal: an opening found something amiss');
  // Rows may have been given that nobody knows of any more: the same numbers in the same epoch would name other water.
  const isWhole = mark?.clean === true && doubts.words.length === 0;
  const renewed = words.length > 0 && !isWhole;
  const epoch = renewed ? parts.newEpoch() : mended.standing.epoch;
  const said = isDamaged ? [...words, 'the mark was damaged'] : words;
  const data = {
    found: said.slice(0, WORDS_MAX).join('; ').slice(0, TEXT_MAX),
    brought_back: broughtBack,
    meters_resumed: mended.resumed.length,
    new_epoch: renewed ? epoch : null,
    ...(loaded.restored ? knownOf(loaded) : before(renewed, mended.standing)),
  };
  return good({
    store,
    ...{ renewed, resumed: mended.resumed, damaged: loaded.damaged },
    standing: { ...mended.standing, epoch },
    pendingAgain: mark ? await shortOfPending(store, mended.standing, mark) : new Map(),
    tellings: [{ code: 'journal.repaired', severity: 'major', data }],
    isProved: false,
  });
}

/** A head-end that holds later rows than a backup knew of holds them beside what is told again from there on. */
function knownOf({ backup }: Loaded): Evidence {
  if (!backup) return {};
  const { epoch, rows, at } = backup;
  return { backup_epoch: epoch, backup_rows: rows, backup_at: new Date(at).toISOString() };
}

/** So that whoever hears of a later restore knows which epochs lie between. */
const before = (renewed: boolean, { epoch }: Standing): Evidence =>
  renewed && epoch !== '' ? { epoch_before: epoch } : {};

interface Judged {
  readonly loaded: Loaded;
  readonly doubts: Doubts;
  /** What spoke against the store, before anything was brought back. */
  readonly words: readonly string[];
  readonly broughtBack: number;
}

/** Loads what stands; where anything speaks against it, what was kept is brought back and it is loaded again. */
async function judge(
  store: Store,
  parts: OpeningParts,
  mark: Mark | undefined,
): Promise<Result<Judged>> {
  const load = () => loadStanding(store, parts.collector, parts.newEpoch, mark);
  const first = await load();
  if (!first.ok) return first;
  const found = await doubtsOf(store, first.value, mark);
  const words = [...(parts.vault?.signs() ?? []), ...found.words];
  if (words.length === 0) {
    return good({ loaded: first.value, doubts: found, words, broughtBack: 0 });
  }
  const salvaged = await salvage(store, parts);
  if (!salvaged.ok) words.push(`nothing could be brought back: ${salvaged.fault.detail}`);
  const again = await load();
  if (!again.ok) return again;
  const doubts = await doubtsOf(store, again.value, mark);
  return good({
    loaded: again.value,
    doubts,
    words,
    broughtBack: salvaged.ok ? salvaged.value : 0,
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
  takeFromMark(standing, mark);
  for (const meter of doubts.meters.keys()) {
    const marked = mark?.meters[meter];
    const inst = Math.max(installationOf(meter, standing, doubts), marked?.facts.inst ?? 0);
    const facts = standing.facts.get(`${meter}/${inst}`);
    const before = standing.states.get(meter);
    const thinned = standing.checkpoints.get(`${meter}/${inst}`) ?? nothingThinned(meter, inst);
    const proved = facts && (await prove(store, facts, marked, thinned));
    if (proved) standing.states.set(meter, resumeInstallation(proved, now, before));
    else if (facts)
      standing.states.set(meter, unread(inst, await lastAlarm(store, facts), before, marked));
    // An installation without facts cannot go on: what stands there is declared again, as the next one.
    else standing.states.delete(meter);
    standing.highest.set(meter, inst);
    resumed.push(meter);
  }
  return { standing: { ...standing, nextRow: doubts.nextRow }, resumed };
}

/** An installation that was never read, as far as anything proves: what was told of it was told all the same. */
function unread(
  inst: number,
  lastAlarm: number,
  before: Installation | undefined,
  marked: MarkedMeter | undefined,
): Installation {
  const { birth, alarms } = before?.inst === inst ? before : newInstallation(inst);
  const isMarked = marked?.facts.inst === inst;
  const next = Math.max(alarms.next, lastAlarm + 1, isMarked ? marked.nextAlarm : 1);
  return { ...newInstallation(inst, birth), alarms: { ...alarms, next } };
}

/** What only the mark still knows: facts that are gone, and how many increments ended installations had. */
function takeFromMark({ facts, ends }: Standing, mark: Mark | undefined): void {
  for (const [meter, marked] of Object.entries(mark?.meters ?? {})) {
    for (const one of [...(marked.before ?? []), marked.facts]) {
      const key = `${meter}/${one.inst}`;
      if (!facts.has(key)) facts.set(key, one);
    }
    for (const [inst, steps] of Object.entries(marked.ended)) ends.set(`${meter}/${inst}`, steps);
  }
}

/** The newest installation that anything in the store tells of; 0 for none. */
function installationOf(meter: string, { facts }: Standing, { reached }: Doubts): number {
  const { hour, step } = reached.get(meter) ?? {};
  const described = [...facts.values()].filter((one) => one.meter === meter);
  return Math.max(0, ...described.map(({ inst }) => inst), hour?.inst ?? 0, step?.inst ?? 0);
}
