// The commands `journal stats`, `backup` and `restore`: what the journal holds and costs, and how it is kept and brought back.

import { resolve } from 'node:path';
import type { StatsAnswer } from './answers.ts';
import { perform } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, printable, sayJson, table } from './say.ts';
import { settingsOf } from './settings-file.ts';

/** Shows rows, room, days and the wear of the disk. */
export async function journalStats(
  file: string,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const answered = await perform({ file, name: 'journal.stats' }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  if (manner.json) sayJson(io, answered.data);
  else io.out(screen(answered.data as StatsAnswer));
  return EXIT.ok;
}

function screen(stats: StatsAnswer): string {
  const { rows, pending, days_kept: kept, limits, days_left: left } = stats;
  const mb = (bytes: number | null) =>
    bytes === null ? 'not known' : `${(bytes / 1e6).toFixed(1)} MB`;
  const share =
    stats.written_today === null
      ? ''
      : ` (${percent(stats.written_today, stats.write_budget)} of it)`;
  const kinds = Object.entries(stats.bytes_of).map(([kind, bytes]) => [kind, mb(bytes)]);
  return [
    table(
      ['', ''],
      [
        ['Rows', `${rows}, ${pending} of them to send`],
        [
          'On disk',
          `${mb(stats.bytes)} of ${mb(limits.max_bytes)}, ${mb(stats.free_bytes)} free beside it`,
        ],
        ['Increments', `${kept.increments ?? 0} of ${limits.increment_days} days`],
        ['Hours', `${kept.hours ?? 0} of ${limits.hour_days} days`],
        ['Room for', left === null ? 'not known' : `${left} more days at this rate`],
        ['Written today', `${mb(stats.written_today)}, budget ${mb(stats.write_budget)}${share}`],
      ],
    ).trimStart(),
    kinds.length === 0 ? '' : `\n${table(['KIND', 'ROOM'], kinds)}`,
  ].join('');
}

const percent = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;

/** Writes the journal as it stands at this moment to `target`, whether or not a collector runs. */
export async function backup(
  file: string,
  target: string,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const args = { file: resolve(target) };
  const answered = await perform({ file, name: 'journal.backup', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  if (manner.json) sayJson(io, answered.data);
  else io.out(`${printable(args.file)} holds the journal.\n`);
  return EXIT.ok;
}

/** Puts what a backup holds in the journal's place. `force`: although it is another collector's, or older than what is there. */
export async function restore(
  file: string,
  source: string,
  force: boolean,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const answer = await parts.restoreJournal(loaded.settings, resolve(source), force);
  if (!answer.ok) return fail(io, manner, answer);
  if (manner.json) sayJson(io, answer.data);
  else io.out('The journal is restored. The next start goes on from it under a new epoch.\n');
  return EXIT.ok;
}
