// `bus trace`: what goes over a wire, as NDJSON on standard output or in a file, while the collector polls on.

import type { TracedFrames } from '../boundaries.ts';
import { failAsked } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts, TextFile } from './parts.ts';
import { fail, failHeard } from './say.ts';
import { settingsOf } from './settings-file.ts';

export interface TraceRequest {
  readonly file: string;
  readonly bus: string;
  /** `90`, `90s`, `5m`; absent: a minute. */
  readonly lasts: string | undefined;
  readonly out: string | undefined;
}

/** Runs until the trace's time is over or somebody asks to stop: 0 then too. */
export async function busTrace(
  request: TraceRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const seconds = secondsOf(request.lasts ?? '60s');
  if (seconds === null) {
    const message = manner.say('cli.bad_for', { what: request.lasts ?? '' });
    return fail(io, manner, { code: 'usage.for', message, hint: '' }, EXIT.usage);
  }
  const loaded = await settingsOf(request.file, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const daemon = parts.daemon(loaded.settings.control);
  const { bus, out } = request;
  const started = await daemon.run('bus.trace', { bus, for_s: seconds });
  if (!started.ok) return failAsked(started, loaded.settings, manner, io, request.file);
  const { trace } = started.data as { trace: number };
  const file = out === undefined ? null : await parts.createFile(out);
  io.err(`${manner.say('cli.trace_listening', { bus, seconds })}\n`);
  const release = parts.onStop(() => void daemon.run('bus.trace.stop', { bus, trace }));
  let after = 0;
  let lost = 0;
  try {
    for (;;) {
      const answer = await daemon.run('bus.trace.take', { bus, trace, after });
      if (!answer.ok) return failHeard(io, manner, answer);
      const taken = answer.data as TracedFrames;
      await write(taken, file, io);
      after = taken.next;
      lost += taken.lost;
      if (taken.over) break;
    }
  } finally {
    release();
    await file?.close();
  }
  const told = { pieces: after - lost, lost };
  io.err(`${manner.say(lost === 0 ? 'cli.trace_pieces' : 'cli.trace_lost', told)}\n`);
  return EXIT.ok;
}

async function write({ frames }: TracedFrames, file: TextFile | null, io: Io): Promise<void> {
  if (frames.length === 0) return;
  const text = frames.map((frame) => `${JSON.stringify(frame)}\n`).join('');
  if (file === null) io.out(text);
  else await file.write(text);
}

/** Seconds of `90`, `90s`, `5m` or `1h`; null for anything else. */
export function secondsOf(text: string): number | null {
  const [, count, unit = 's'] = /^(\d{1,6}(?:\.\d{1,3})?)([smh])?$/.exec(text) ?? [];
  if (count === undefined) return null;
  return Number(count) * { s: 1, m: 60, h: 3_600 }[unit as 's' | 'm' | 'h'];
}
