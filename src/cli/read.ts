// `read METER`: what its dial shows now.

import { askRunning } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { sayJson, volume } from './say.ts';

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
  const args = { meter, ...(within === undefined ? {} : { within_s: Number(within) }) };
  const answered = await askRunning({ file, name: 'read', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const seen = answered.data as ReadAnswer;
  if (manner.json) sayJson(io, seen);
  else io.out(`${readSentence(seen, manner)}\n`);
  return EXIT.ok;
}

/** What was read, in one sentence. */
export function readSentence(seen: ReadAnswer, { say }: Manner): string {
  const { meter, dial, pow10, unit, at, q } = seen;
  const places = { meter, dial, volume: volume(Number(dial), pow10, unit), at: at ?? '-' };
  if (q === 'S') return say('cli.read_doubted', places);
  return say(q === 'T' ? 'cli.read_shows_t' : 'cli.read_shows', places);
}
