// `read METER`: what its dial shows now.

import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, sayJson, volume } from './say.ts';
import { settingsOf } from './settings-file.ts';

export interface ReadAnswer {
  readonly meter: string;
  readonly inst: number;
  /** The newest reading that counts, and its time. */
  readonly read: number | null;
  readonly at: string | null;
  /** What the dial shows. */
  readonly dial: string;
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
  /** A: it counts; T: under maintenance; S: seen and doubted. */
  readonly q: string;
}

/** Asks the running collector, who alone may speak on its buses. */
export async function read(
  { file, meter, within }: { file: string; meter: string; within: string | undefined },
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const args = { meter, ...(within === undefined ? {} : { within_s: Number(within) }) };
  const answer = await parts.daemon(loaded.settings.control).run('read', args);
  if (!answer.ok) {
    const start = `Start it: meter-collector run --config ${file}`;
    const hint = answer.hint === '' && answer.code === 'daemon.absent' ? start : answer.hint;
    return fail(io, manner, { ...answer, hint });
  }
  const seen = answer.data as ReadAnswer;
  if (manner.json) sayJson(io, seen);
  else io.out(`${sentence(seen)}\n`);
  return EXIT.ok;
}

function sentence({ meter, dial, pow10, unit, at, q }: ReadAnswer): string {
  const shown = `${meter} shows ${dial}, ${volume(Number(dial), pow10, unit)}`;
  if (q === 'S') return `${shown}. It is doubted and does not count yet.`;
  const manner = q === 'T' ? ', under maintenance' : '';
  return `${shown}, read at ${at}${manner}.`;
}
