// What a device file makes of one answer, without settings and without any bus.

import { decodeFrame } from '../codec/decode.ts';
import { withoutDelimiter } from '../codec/frame-edges.ts';
import { framerOf } from '../codec/framer.ts';
import { rtuOfMbap } from '../codec/modbus-reply.ts';
import type { Result } from '../domain/fault.ts';
import type { Profile, Register } from '../domain/profile.ts';
import { loadProfiles } from './load-profiles.ts';
import { nearest, type Problem } from './problems.ts';

const CR = 0x0d;

/** What came of a try: the outcome, or why there was none. */
export type Tried =
  | {
      readonly kind: 'read';
      readonly profile: Profile;
      readonly outcome: Result<Register>;
      /** Of a capture that holds several frames: how many, and how many of them were read; the outcome is the last of those. */
      readonly frames?: { readonly heard: number; readonly read: number };
      /** What is doubtful in the file. */
      readonly warnings: readonly Problem[];
    }
  | { readonly kind: 'unknown'; readonly names: readonly string[]; readonly meant?: string }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] }
  /** A text for a device that answers in bytes, or one with characters of more than 8 bits. */
  | { readonly kind: 'no-text'; readonly profile: Profile };

/**
 * Decodes `answer` by the profile `name` of `<root>/devices` on the profile's own dial. A line's frame may come with or
 * without its delimiter, among others and noise as a port gave them; Modbus replies as on a serial line or as over TCP. Of a
 * text each character is a byte.
 */
export async function tryProfile(options: {
  readonly root: string;
  readonly name: string;
  readonly answer: string | Uint8Array;
}): Promise<Tried> {
  const { root, name, answer } = options;
  const { names, devices, problems, warnings } = await loadProfiles(root, new Set([name]));
  if (!names.includes(name)) {
    const meant = nearest(name, names) ?? names.find((one) => one.startsWith(name));
    return { kind: 'unknown', names, ...(meant === undefined ? {} : { meant }) };
  }
  const profile = devices[0]?.profile;
  if (profile === undefined) return { kind: 'broken', problems };
  const bytes = bytesOf(answer, profile);
  if (bytes === null) return { kind: 'no-text', profile };
  return { kind: 'read', profile, ...readIn(profile, bytes), warnings };
}

function readIn(
  profile: Profile,
  bytes: Uint8Array,
): Pick<Extract<Tried, { kind: 'read' }>, 'outcome' | 'frames'> {
  const { dial } = profile;
  if (profile.transport === 'modbus') {
    return { outcome: decodeFrame(profile, rtuOfMbap(bytes) ?? bytes, dial) };
  }
  const frame = Uint8Array.from(withoutDelimiter(profile.framing, bytes));
  const outcome = decodeFrame(profile, frame, dial);
  // Ended as the line ends its last one, so that it is cut as on the line.
  const items = framerOf(profile.framing).push(Uint8Array.of(...bytes, CR));
  const heard = items.flatMap((item) => (item === 'overlong' ? [] : [item.frame]));
  if (outcome.ok || heard.length === 0) return { outcome };
  const outcomes = heard.map((one) => decodeFrame(profile, one, dial));
  const read = outcomes.filter(({ ok }) => ok);
  const last = read.at(-1);
  if (last === undefined)
    return { outcome: heard.length > 1 ? (outcomes.at(-1) ?? outcome) : outcome };
  return heard.length === 1
    ? { outcome: last }
    : { outcome: last, frames: { heard: heard.length, read: read.length } };
}

function bytesOf(answer: string | Uint8Array, profile: Profile): Uint8Array | null {
  if (profile.transport === 'modbus') return typeof answer === 'string' ? null : answer;
  const bytes = typeof answer === 'string' ? latin1(answer) : answer;
  return bytes;
}

function latin1(text: string): Uint8Array | null {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  return codes.every((code) => code <= 0xff) ? Uint8Array.from(codes) : null;
}
