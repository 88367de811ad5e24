// The command `run`: the collector in the foreground, from good settings to a clean stop; SIGHUP has it take them in anew.

import { NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts, RunningCollector } from './parts.ts';
import { asTyped, fail } from './say.ts';
import { sayWarnings, settingsOf } from './settings-file.ts';
import { SERVICE } from './unit.ts';

/**
 * Runs until somebody asks to stop: then 0 after everything is put away, or 130 at once when asked a second time.
 * A collector that ends by itself is a failure, for whoever supervises it to start it again.
 */
export async function run(file: string, manner: Manner, io: Io, parts: Parts): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  sayWarnings(loaded.warnings, manner, io);
  const trouble = await parts.host.folderTrouble(loaded.settings.data);
  if (trouble !== null) return refusedFolder(trouble, loaded.settings.data, manner, io);
  const requests = stopRequests(parts);
  try {
    const life = live(loaded.settings, file, requests.first, manner, io, parts);
    return await Promise.race([life, requests.second.then(() => EXIT.interrupted)]);
  } finally {
    requests.release();
  }
}

/**
 * A disk that is full, read-only or away is polled through: it may come back, and the journal keeps others out. Where this user may not
 * even look at the lock nobody can tell whether a collector is at work there. Two would speak on one bus at once, and throw each other
 * off the broker under one client id; so this one ends, and whoever supervises it tries again.
 */
function refusedFolder(
  { why, path }: NonNullable<Awaited<ReturnType<Parts['host']['folderTrouble']>>>,
  data: string,
  manner: Manner,
  io: Io,
): number {
  const { say } = manner;
  const message = say(`cli.run_${why}`, { path });
  const hint = say(`cli.run_${why}_hint`, { name: NAME, service: SERVICE, data: asTyped(data) });
  const code = why === 'file' ? 'config.invalid' : 'forbidden';
  const exit = why === 'file' ? EXIT.settings : EXIT.permission;
  return fail(io, manner, { code, message, hint }, exit);
}

async function live(
  settings: Parameters<Parts['startCollector']>[0],
  file: string,
  asked: Promise<void>,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  let collector: RunningCollector | undefined;
  let isLate = false;
  let isStopping = false;
  // Heard to the very end: a SIGHUP that nobody takes ends a process in the middle of its stop.
  const deaf = parts.onReload?.(() => {
    isLate = collector === undefined;
    if (collector && !isStopping) void collector.reload?.('SIGHUP');
  });
  try {
    // A start may wait long for a disk. Nothing is read or sent before it is done, so then it is simply left.
    const left = asked.then(() => undefined);
    collector = await Promise.race([parts.startCollector(settings, file), left]);
    if (!collector) return EXIT.ok;
    // The file may have been read before it was changed.
    if (isLate) void collector.reload?.('SIGHUP');
    const why = await Promise.race([
      asked.then(() => 'asked' as const),
      collector.stopped?.then(() => 'itself' as const) ?? new Promise<never>(() => undefined),
    ]);
    isStopping = true;
    if (why === 'asked') {
      await collector.stop();
      return EXIT.ok;
    }
    const message = manner.say('cli.run_ended');
    return fail(io, manner, {
      code: 'collector.ended',
      message,
      hint: manner.say('cli.run_ended_hint'),
    });
  } finally {
    deaf?.();
  }
}

function stopRequests(parts: Parts) {
  const resolvers: (() => void)[] = [];
  const [first, second] = [0, 1].map(
    () => new Promise<void>((resolve) => resolvers.push(resolve)),
  ) as [Promise<void>, Promise<void>];
  const release = parts.onStop(() => resolvers.shift()?.());
  return { first, second, release };
}
