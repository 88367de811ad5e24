// Judges the entries of one installation without the truth: repeats, holes in the hours, numbers where none may be.

import type { Account, Chain } from './audit-chain.ts';
import { isMeasured, note } from './audit-chain.ts';
import type { Entry, GapEntry, HourEntry } from './entries.ts';
import { HOUR_MS, iso, keyOf } from './entries.ts';

/** Qualities with a volume (contract I3); one unknown to a reader is taken for suspect. */
const MEASURED_QUALITIES = new Set(['A', 'P', 'T']);

function hoursOf(entries: readonly Entry[]): HourEntry[] {
  return entries
    .filter((entry): entry is HourEntry => entry.kind === 'hour')
    .sort((a, b) => a.start - b.start);
}

function gapsOf(entries: readonly Entry[]): GapEntry[] {
  return entries.filter((entry): entry is GapEntry => entry.kind === 'gap' && entry.use !== null);
}

/**
 * One hour or gap told twice: under its own key, or under another with the same reading at its end
 * while both carry volume, which no two entries of one dial can.
 */
function checkRepeats(chain: Chain, account: Account): void {
  const keys = new Set<string>();
  const ends = new Set<string>();
  for (const entry of chain.entries) {
    const key = keyOf(entry);
    const end = entry.kind === 'hour' ? entry.at : entry.to;
    const told = entry.use !== null && entry.use !== 0 ? `${end}` : undefined;
    if (keys.has(key) || (told !== undefined && ends.has(told))) {
      account.tally.duplicates += 1;
      note(account, 'entry.twice', `${key} tells again what another entry tells`);
    }
    keys.add(key);
    if (told !== undefined) ends.add(told);
  }
}

/** Numbers where the quality promises them; a missing hour has none, a suspect one at most its read. */
function keepsI3(hour: HourEntry): boolean {
  if (MEASURED_QUALITIES.has(hour.q)) return isMeasured(hour);
  // What passed since the reading before may be a gap, and then is no use of the hour.
  if (hour.q === 'H') return isMeasured({ ...hour, use: hour.use ?? 0 });
  const empty = hour.total === null && hour.use === null;
  return empty && (hour.q !== 'M' || hour.read === null);
}

/** The volume fields are there when the quality promises them, and are whole counts (contract I2, I3). */
function checkNumbers({ body, entries }: Chain, account: Account): void {
  const { dial } = body;
  for (const entry of entries) {
    const key = keyOf(entry);
    const { digits, unit, pow10 } = entry;
    if (digits !== dial.digits || unit !== dial.unit || pow10 !== dial.pow10) {
      note(account, 'dial.differs', `${key} is for ${digits} digits of 10^${pow10} ${unit}`);
    }
    const counts = entry.kind === 'hour' ? [entry.read, entry.total, entry.use] : [entry.use];
    if (counts.some((count) => count !== null && !Number.isSafeInteger(count))) {
      note(account, 'count.fractional', `${key} holds a count that is not whole`);
    }
    if (entry.kind === 'gap') continue;
    if (!keepsI3(entry)) note(account, 'numbers.wrong', `${key} of quality ${entry.q} breaks I3`);
  }
}

/** An hour begins on the hour and its reading lies in it; an actual one was read at its end. */
function checkPlaces(chain: Chain, account: Account): void {
  for (const hour of hoursOf(chain.entries)) {
    const earliest = hour.q === 'A' ? hour.start + HOUR_MS : hour.start;
    const early = hour.at !== null && hour.at < earliest - chain.slackMs;
    const late = hour.at !== null && hour.at > hour.start + HOUR_MS + chain.slackMs;
    if (hour.start % HOUR_MS !== 0 || early || late) {
      note(account, 'hour.misplaced', `${iso(hour.start)} was read outside its hour`);
    }
  }
}

/**
 * A missing hour has an edge that went unread, so a gap covers it, told when the meter is read again (I4).
 * Not so the first of an installation: its only reading may begin it and, late, end it.
 */
function checkGaps(chain: Chain, account: Account): void {
  const gaps = gapsOf(chain.entries);
  const hours = hoursOf(chain.entries);
  const lastMeasured = hours.findLast((hour) => hour.q !== 'S' && isMeasured(hour))?.start;
  for (const hour of hours.slice(1)) {
    if (hour.q !== 'M' || lastMeasured === undefined || hour.start > lastMeasured) continue;
    const covered = gaps.some((gap) => gap.from < hour.start + HOUR_MS && gap.to > hour.start);
    if (!covered) note(account, 'gap.missing', `no gap covers the missing ${iso(hour.start)}`);
  }
}

/** Every hour is published, if only as missing; only a disabled meter has none (contract I3, C6). */
function checkHoles(chain: Chain, account: Account): void {
  const disabled = gapsOf(chain.entries).filter((gap) => gap.why === 'disabled');
  const hours = hoursOf(chain.entries);
  const installed = chain.installation?.installed;
  const first = installed === undefined ? hours[0]?.start : installed + chain.slackMs;
  if (first === undefined) return;
  let due = Math.floor(first / HOUR_MS) * HOUR_MS;
  for (const { start } of hours) {
    const excused = disabled.some((gap) => gap.from <= due + HOUR_MS && gap.to >= start);
    if (start > due && !excused) {
      const missing = Math.ceil((start - due) / HOUR_MS);
      note(account, 'hour.missing', `${missing} hour(s) from ${iso(due)} were not told`);
    }
    due = start + HOUR_MS;
  }
}

/** All judgements that need no truth, written into `account`. */
export function checkChain(chain: Chain, account: Account): void {
  checkRepeats(chain, account);
  checkNumbers(chain, account);
  checkPlaces(chain, account);
  checkGaps(chain, account);
  checkHoles(chain, account);
}
