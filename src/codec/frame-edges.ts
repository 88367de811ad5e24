// A frame written down with its delimiter, as captures often are, without it.

import type { Framing } from '../domain/profile.ts';
import { isSpike } from './line-framer.ts';
import { withEvenParity } from './seven-bit.ts';

const STX = 0x02;
const ETX = 0x03;
const CR = 0x0d;
const LF = 0x0a;

/** `answer` without the delimiter around it, if there is one. A lone STX or ETX is left: that frame is torn. */
export function withoutDelimiter(framing: Framing, answer: Uint8Array): Uint8Array {
  const bytes = withoutSpikes(answer);
  switch (framing.kind) {
    case 'delimiter':
      return withoutLineEnd(bytes);
    case 'stx-etx': {
      const frame = withoutLineEnd(bytes);
      const [first] = frame;
      const opened = first === STX || first === withEvenParity(STX);
      return opened && frame.at(-1) === ETX ? frame.subarray(1, -1) : bytes;
    }
    case 'fixed':
      return bytes.length > framing.length ? withoutLineEnd(bytes) : bytes;
  }
}

/** Without what a spike on the line shows before the frame, and the LF of the line before it. */
function withoutSpikes(bytes: Uint8Array): Uint8Array {
  const from = bytes.findIndex((byte) => !isSpike(byte) && byte !== LF);
  return bytes.subarray(Math.max(from, 0));
}

/** Without CR, LF or CR LF: whoever writes a line down writes any of them. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  const line = bytes.at(-1) === LF ? bytes.subarray(0, -1) : bytes;
  const last = line.at(-1);
  return last === CR || last === withEvenParity(CR) ? line.subarray(0, -1) : line;
}
