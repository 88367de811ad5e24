// What a device file makes of one answer, without settings and without any bus.

import { decodeFrame } from '../codec/decode.ts';
import { withoutDelimiter } from '../codec/frame-edges.ts';
import type { Result } from '../domain/fault.ts';
import type { Profile, Register } from '../domain/profile.ts';
import { loadProfiles } from './load-profiles.ts';
import { nearest, type Problem } from './problems.ts';

/** What came of a try: the outcome, or why there was none. */
export type Tried =
  | {
      readonly kind: 'read';
      readonly profile: Profile;
      readonly outcome: Result<Register>;
      /** What is doubtful in the file. */
      readonly warnings: readonly Problem[];
    }
  | { readonly kind: 'unknown'; readonly names: readonly string[]; readonly meant?: string }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] }
  /** A text for a device that answers in bytes, or one with characters of more than 8 bits. */
  | { readonly kind: 'no-text'; readonly profile: Profile };

/**
 * Decodes `answer` by the profile `name` of `<root>/devices` on the profile's own dial. A line's frame may come with or
 * without its delimiter; of a text each character is a byte.
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
  return { kind: 'read', profile, outcome: decodeFrame(profile, bytes, profile.dial), warnings };
}

function bytesOf(answer: string | Uint8Array, profile: Profile): Uint8Array | null {
  if (profile.transport === 'modbus') return typeof answer === 'string' ? null : answer;
  const bytes = typeof answer === 'string' ? latin1(answer) : answer;
  return bytes === null ? null : Uint8Array.from(withoutDelimiter(profile.framing, bytes));
}

function latin1(text: string): Uint8Array | null {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  return codes.every((code) => code <= 0xff) ? Uint8Array.from(codes) : null;
}
