// A frame written down with its delimiter, as captures often are, without it.

import type { Framing } from '../domain/profile.ts';
import { withEvenParity } from './seven-bit.ts';

const STX = 0x02;
const ETX = 0x03;
const CR = 0x0d;
const LF = 0x0a;

/** `bytes` without the delimiter around them, if there is one. A lone STX or ETX is left: that frame is torn. */
export function withoutDelimiter(framing: Framing, bytes: Uint8Array): Uint8Array {
  switch (framing.kind) {
    case 'delimiter':
      return withoutLineEnd(bytes);
    case 'stx-etx': {
      const [first] = bytes;
      const opened = first === STX || first === withEvenParity(STX);
      return opened && bytes.at(-1) === ETX ? bytes.subarray(1, -1) : bytes;
    }
    case 'fixed':
      return bytes;
  }
}

/** Without CR, LF or CR LF: whoever writes a line down writes any of them. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  const line = bytes.at(-1) === LF ? bytes.subarray(0, -1) : bytes;
  const last = line.at(-1);
  return last === CR || last === withEvenParity(CR) ? line.subarray(0, -1) : line;
}
