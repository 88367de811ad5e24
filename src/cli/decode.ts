// `decode`: what a device file makes of one answer, for whoever writes or doubts one.

import type { Tried } from '../settings/try-profile.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { fail, printable, sayJson, volume } from './say.ts';
import { sayProblems, sayWarnings } from './settings-file.ts';

export interface DecodeRequest {
  readonly name: string;
  readonly text?: string | undefined;
  readonly hex?: string | undefined;
}

/** Far more than any frame or reply has. */
const ANSWER_MAX = 10_000;
const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

/** 0 and the reading, 6 and the fault, or 2 for a profile or an answer that is none. */
export async function decode(
  { name: file, text, hex }: DecodeRequest,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const name = file.replace(/\.yaml$/, '');
  const { say } = manner;
  const answer = answerOf(text, hex, manner);
  if ('refused' in answer) return usage(io, manner, 'usage.answer', answer.refused);
  const tried = await parts.tryProfile(name, answer.bytes);
  switch (tried.kind) {
    case 'read':
      if (!manner.json) sayWarnings(tried.warnings, manner, io);
      tell(tried, manner, io);
      return tried.outcome.ok ? EXIT.ok : EXIT.mismatch;
    case 'unknown': {
      const { names, meant } = tried;
      const hint =
        meant === undefined
          ? say('cli.known_are', { names: names.join(', ') })
          : say('cli.usage_meant', { meant });
      return usage(io, manner, 'unknown_profile', say('cli.no_profile', { name }), hint);
    }
    case 'broken': {
      const { problems } = tried;
      if (!manner.json) sayProblems(problems, manner, io);
      const message = say('cli.profile_bad', { name });
      const failure = { code: 'config.invalid', message, hint: '', more: { problems } };
      return fail(io, manner, failure, EXIT.settings);
    }
    case 'no-text': {
      const message = say('cli.decode_bytes', { name });
      return usage(io, manner, 'usage.answer', message, say('cli.decode_bytes_hint'));
    }
  }
}

function answerOf(
  text: string | undefined,
  hex: string | undefined,
  { say }: Manner,
): { bytes: string | Uint8Array } | { refused: string } {
  if ((text === undefined) === (hex === undefined)) {
    return { refused: say('cli.decode_one') };
  }
  if ((text ?? hex ?? '').length > ANSWER_MAX) {
    return { refused: say('cli.decode_long', { most: ANSWER_MAX }) };
  }
  if (text !== undefined) return { bytes: unescaped(text) };
  const pairs = (hex ?? '').replaceAll(/[\s:,]/g, '');
  if (!/^([0-9A-Fa-f]{2})+$/.test(pairs)) {
    return { refused: say('cli.decode_hex') };
  }
  const bytes = pairs.match(/../g) ?? [];
  return { bytes: Uint8Array.from(bytes, (pair) => Number.parseInt(pair, 16)) };
}

/** A shell's quotes keep \r as two characters. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(?:x([0-9A-Fa-f]{2})|([rnt\\]))/g, (_, hex?: string, sign = '') =>
    hex === undefined ? (ESCAPES[sign] ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function tell(
  { profile, outcome, frames }: Extract<Tried, { kind: 'read' }>,
  manner: Manner,
  io: Io,
): void {
  const { say, hear } = manner;
  const { name, dial } = profile;
  const { register, digits, id, flags } = outcome.ok
    ? outcome.value
    : { register: null, digits: null, id: null, flags: null };
  if (manner.json) {
    const fault = outcome.ok ? null : { code: outcome.fault.code, detail: outcome.fault.detail };
    const said = { profile: name, ok: outcome.ok, read: register, digits, id, flags, fault };
    sayJson(io, { ...said, ...(frames && { frames }) });
    return;
  }
  const line = (key: string, text: string) => `${say(`cli.decode_${key}`).padEnd(9)}${text}`;
  const lines = outcome.ok
    ? [
        line('reading', `${digits}, ${volume(outcome.value.register, dial.pow10, dial.unit)}`),
        line('id', id ?? say('cli.none')),
        line('flags', flags?.join(', ') || say('cli.none')),
      ]
    : [line('fault', `${outcome.fault.code}: ${hear(outcome.fault.detail)}`)];
  const many = frames ? [line('frames', say('cli.decode_of_frames', frames))] : [];
  io.out(`${[line('profile', name), ...many, ...lines].map(printable).join('\n')}\n`);
}

function usage(io: Io, manner: Manner, code: string, message: string, hint = ''): number {
  return fail(io, manner, { code, message, hint }, EXIT.usage);
}
