// The commands `journal stats`, `backup` and `restore`: what the journal holds and costs, and how it is kept and brought back.

import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { StatsAnswer } from './answers.ts';
import { perform } from './ask.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Io, Manner, Parts } from './parts.ts';
import { asTyped, fail, failHeard, printable, sayJson, table } from './say.ts';
import { settingsOf } from './settings-file.ts';
import { SERVICE } from './unit.ts';

export function addJournal(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const journal = addGroup(program, desk, 'journal', 'g_journal');
  const stats = addCommand(journal, desk, {
    ...{ spec: 'stats', key: 'c_journal_stats', example: 'journal stats' },
  });
  withConfig(stats, desk).action(async ({ config }) =>
    done(await journalStats(config, manner, io, parts)),
  );
  const saved = addCommand(program, desk, {
    ...{ spec: 'backup <file>', key: 'c_backup', example: 'backup /media/usb/COL-00001.backup' },
  });
  withConfig(saved, desk).action(async (file, { config }) =>
    done(await backup(config, file, manner, io, parts)),
  );
  const back = addCommand(program, desk, {
    ...{ spec: 'restore <file>', key: 'c_restore', example: 'restore /media/usb/COL-00001.backup' },
  });
  option(withConfig(back, desk), desk, '--force', 'o_force_restore').action(
    async (file, { config, force }) =>
      done(await restore(config, file, force === true, manner, io, parts)),
  );
}

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
  else io.out(screen(answered.data as StatsAnswer, manner));
  return EXIT.ok;
}

function screen(stats: StatsAnswer, manner: Manner): string {
  const { say } = manner;
  const { rows, pending, days_kept: kept, limits, days_left: days } = stats;
  const mb = (bytes: number | null) =>
    bytes === null ? say('cli.not_known') : `${(bytes / 1e6).toFixed(1)} MB`;
  const written = { bytes: mb(stats.written_today), budget: mb(stats.write_budget) };
  const share =
    stats.written_today === null ? null : percent(stats.written_today, stats.write_budget);
  const disk = { bytes: mb(stats.bytes), most: mb(limits.max_bytes), free: mb(stats.free_bytes) };
  const ofDays = (of: number | null, most: number) => say('cli.j_days', { kept: of ?? 0, most });
  const facts = [
    ['rows', say('cli.j_rows_say', { rows, pending })],
    ['disk', say('cli.j_disk_say', disk)],
    ['increments', ofDays(kept.increments, limits.increment_days)],
    ['hours', ofDays(kept.hours, limits.hour_days)],
    ['room', days === null ? say('cli.not_known') : say('cli.j_room_say', { days })],
    [
      'written',
      share === null
        ? say('cli.j_written_say', written)
        : say('cli.j_written_share', { ...written, share }),
    ],
  ].map(([name = '', text = '']) => [say(`cli.j_${name}`), text]);
  const kinds = Object.entries(stats.bytes_of).map(([kind, bytes]) => [kind, mb(bytes)]);
  const headings = [say('cli.h_kind'), say('cli.h_room')];
  return [
    table(['', ''], facts, manner).trimStart(),
    kinds.length === 0 ? '' : `\n${table(headings, kinds, manner)}`,
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
  const otherwise = elsewhere('backup', args.file, manner);
  const question = { file, name: 'journal.backup', args, otherwise };
  const answered = await perform(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  if (!(await parts.host.has(args.file))) return unseen(args.file, otherwise, manner, io);
  if (manner.json) sayJson(io, answered.data);
  else io.out(`${manner.say('cli.backup_done', { file: printable(args.file) })}\n`);
  return EXIT.ok;
}

/** What to type where the collector may not write: as a service it has a /tmp of its own, and the rest of the disk to read. */
export function elsewhere(words: string, file: string, { say }: Manner): string {
  const own = asTyped(join('/var/lib', SERVICE, basename(file)));
  return say('cli.write_elsewhere', { name: NAME, words, own });
}

/** The collector has written it, and it is not where this terminal looks. */
export function unseen(file: string, hint: string, manner: Manner, io: Io): number {
  const message = manner.say('cli.write_unseen', { file });
  return fail(io, manner, { code: 'file.unseen', message, hint });
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
  if (!answer.ok) return failHeard(io, manner, answer);
  if (manner.json) sayJson(io, answer.data);
  else io.out(`${manner.say('cli.restore_done')}\n`);
  return EXIT.ok;
}
