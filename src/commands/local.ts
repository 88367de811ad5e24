// Commands for those who sit at the collector itself: they touch its files, so no head-end is given them.

import type { Commands, Journal, KeepLimits } from '../boundaries.ts';
import { BackupWriter } from '../codec/backup.ts';
import { isoTime } from '../codec/head-end-message.ts';
import type { Result } from '../domain/fault.ts';
import { daysLeft } from '../domain/health.ts';
import { HOUR_MS } from '../domain/units.ts';
import { type Answerer, type Args, type NamedCommands, refused } from './answer.ts';
import { auditJournal } from './audit.ts';
import { exportLines } from './export.ts';

export interface LocalParts {
  readonly collector: string;
  readonly limits: KeepLimits;
  /** What may be written to the disk in a day, in bytes. */
  readonly wearBudget: number;
  /** The schedule's time. */
  readonly now: () => number;
  /** Writes text to a file of that name, whole or not at all. Good with the number of bytes. */
  readonly writeFile: (path: string, lines: AsyncIterable<string>) => Promise<Result<number>>;
  /** Lets others have their turn while everything is read. */
  readonly rest: () => Promise<void>;
}

const DAY_MS = 24 * HOUR_MS;

/** `commands`, and those of this file. */
export function withLocal(
  commands: Commands & Partial<NamedCommands>,
  journal: Journal,
  parts: LocalParts,
): NamedCommands {
  let read: number | null = null;
  const named: Readonly<Record<string, Answerer>> = {
    async audit() {
      read = 0;
      try {
        const rest = async (records: number) => {
          read = (read ?? 0) + records;
          await parts.rest();
        };
        return { ok: true, data: await auditJournal(journal, rest) };
      } finally {
        read = null;
      }
    },
    'audit.progress': async () => ({ ok: true, data: { records: read } }),
    'journal.stats': () => stats(journal, parts),
    'journal.export': (args) => write(args, exportLines(journal), parts),
    'journal.backup': (args) => write(args, backupLines(journal, parts), parts),
  };
  return {
    names: [...new Set([...(commands.names ?? []), ...Object.keys(named)])],
    run: (name, args) =>
      Object.hasOwn(named, name) && named[name] ? named[name](args) : commands.run(name, args),
  };
}

/** The whole journal as `restore` takes it. */
export async function* backupLines(
  journal: Journal,
  { collector, now }: LocalParts,
): AsyncGenerator<string> {
  const writer = new BackupWriter();
  const { epoch } = journal;
  yield writer.head({ collector, epoch, rows: journal.lastRow(), at: now() });
  for await (const record of journal.records()) yield writer.record(record);
  yield writer.end();
}

async function write(args: Args, lines: AsyncIterable<string>, parts: LocalParts) {
  const { file } = args;
  if (typeof file !== 'string' || !file.startsWith('/')) {
    return refused('bad_request', 'A whole path of a file is wanted.', '');
  }
  const written = await parts.writeFile(file, lines);
  if (written.ok) return { ok: true, data: { file, bytes: written.value } } as const;
  return refused('internal', `${file} was not written: ${written.fault.detail}.`, '');
}

async function stats(journal: Journal, { limits, wearBudget, now }: LocalParts) {
  const found = await journal.figures();
  if (!found.ok) return refused('internal', found.fault.detail, 'Try again.');
  const { rows, pending, bytes, freeBytes, bytesOf, wornToday } = found.value;
  const { oldestHour, oldestIncrement } = found.value;
  const days = (since: number | null) => (since === null ? 0 : (now() - since) / DAY_MS);
  const round = (number: number | null) => (number === null ? null : Math.round(number * 10) / 10);
  return {
    ok: true,
    data: {
      ...{ rows, pending, bytes, free_bytes: freeBytes, bytes_of: bytesOf },
      oldest_increment: oldestIncrement === null ? null : isoTime(oldestIncrement),
      oldest_hour: oldestHour === null ? null : isoTime(oldestHour),
      days_kept: { increments: round(days(oldestIncrement)), hours: round(days(oldestHour)) },
      days_left: round(daysLeft({ bytes, freeBytes }, days(oldestHour), limits)),
      limits: {
        ...{ increment_days: limits.incrementDays, hour_days: limits.hourDays },
        ...{ event_days: limits.eventDays, max_bytes: limits.maxBytes },
        min_free_bytes: limits.minFreeBytes,
      },
      written_today: wornToday,
      write_budget: wearBudget,
    },
  } as const;
}
