// The runner of device files: every example of a file through the codec, and each line's frame out of a stream.

import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../src/codec/decode.ts';
import { withoutDelimiter } from '../../src/codec/frame-edges.ts';
import { framerOf } from '../../src/codec/framer.ts';
import type { Framing, LineProfile, Profile } from '../../src/domain/profile.ts';
import type { Example } from '../../src/settings/check-profile.ts';
import { loadProfiles } from '../../src/settings/load-profiles.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Registers the tests of `devices/<name>.yaml`. */
export async function testDevice(name: string): Promise<void> {
  const { devices, problems } = await loadProfiles(ROOT, new Set([name]));
  describe(name, () => {
    test(`${name} is whole`, () => {
      expect(problems).toEqual([]);
      expect(devices.length).toBe(1);
    });
    for (const { profile, examples } of devices) testExamples(profile, examples);
  });
}

function testExamples(profile: Profile, examples: readonly Example[]): void {
  for (const [i, example] of examples.entries()) {
    const { name } = profile;
    test(`${name} reads its example ${i + 1}: ${example.fault ?? example.digits}`, () => {
      expect(outcome(example, profile)).toEqual(expected(example));
    });
    if (profile.transport !== 'line') continue;
    test(`${name} finds the frame of its example ${i + 1} in a stream`, () => {
      expect(cutByte(example, profile)).toEqual([frameOf(example, profile)]);
    });
  }
}

/** What the codec makes of an example's answer. */
function outcome(example: Example, profile: Profile) {
  const frame = profile.transport === 'line' ? frameOf(example, profile) : example.frame;
  const read = decodeFrame(profile, frame, { ...profile.dial, ...example.dial });
  return read.ok ? read.value : { fault: read.fault.code };
}

/** What the example says must come. Without `read`, the digits are the counts. */
function expected({ digits = '', read, id, flags, fault }: Example) {
  if (fault !== undefined) return { fault };
  return { register: read ?? Number(digits), digits, id: id ?? null, flags: flags ?? [] };
}

function frameOf({ frame }: Example, { framing }: LineProfile): Uint8Array {
  return Uint8Array.from(withoutDelimiter(framing, frame));
}

/** The frames found when the example comes byte by byte, behind what a bridge may send before it. */
function cutByte(example: Example, profile: LineProfile): Uint8Array[] {
  const framer = framerOf(profile.framing);
  const stream = [0x0a, ...framed(profile.framing, frameOf(example, profile))];
  return stream
    .flatMap((byte) => framer.push(Uint8Array.of(byte)))
    .map((item) => (item === 'overlong' ? new Uint8Array() : item.frame));
}

/** A frame with its delimiter. */
export function framed(framing: Framing, frame: Uint8Array): number[] {
  switch (framing.kind) {
    case 'delimiter':
      return [...frame, 0x0d, ...(framing.delimiter === 'CR LF' ? [0x0a] : [])];
    case 'stx-etx':
      return [0x02, ...frame, 0x03];
    case 'fixed':
      return [...frame];
  }
}
