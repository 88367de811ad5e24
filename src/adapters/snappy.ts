// Snappy's block format, read only: LevelDB compresses the blocks of its tables with it.

/** Blocks are 4 KiB before compression and little more for one large value; a damaged length must not take the memory. */
const LENGTH_MAX = 16 * 1024 * 1024;

/** The text that was compressed; undefined when the bytes are no whole compressed block. */
export function unsnap(bytes: Buffer): Buffer | undefined {
  const head = varintAt(bytes, 0);
  if (!head || head.value > LENGTH_MAX) return undefined;
  const out = Buffer.alloc(head.value);
  let at = head.end;
  let filled = 0;
  while (at < bytes.length) {
    const tag = bytes[at] as number;
    const part = (tag & 3) === 0 ? literalAt(bytes, at + 1, tag) : copyAt(bytes, at + 1, tag);
    if (part.end > bytes.length || filled + part.length > out.length) return undefined;
    if ('begin' in part) bytes.copy(out, filled, part.begin, part.end);
    else if (!copyBack(out, filled, part)) return undefined;
    at = part.end;
    filled += part.length;
  }
  return filled === out.length ? out : undefined;
}

/** Byte by byte: a copy may overlap what it writes. False when it reaches before the beginning. */
function copyBack(
  out: Buffer,
  filled: number,
  { offset, length }: { offset: number; length: number },
) {
  if (offset === 0 || offset > filled) return false;
  for (let i = filled; i < filled + length; i += 1) out[i] = out[i - offset] as number;
  return true;
}

function literalAt(bytes: Buffer, at: number, tag: number) {
  const extra = Math.max(0, (tag >> 2) - 59);
  const length = 1 + (extra === 0 ? tag >> 2 : littleEndian(bytes, at, extra));
  return { begin: at + extra, length, end: at + extra + length };
}

function copyAt(bytes: Buffer, at: number, tag: number) {
  if ((tag & 3) === 1) {
    const offset = ((tag >> 5) << 8) | (bytes[at] ?? 0);
    return { offset, length: ((tag >> 2) & 7) + 4, end: at + 1 };
  }
  const size = (tag & 3) === 2 ? 2 : 4;
  return { offset: littleEndian(bytes, at, size), length: (tag >> 2) + 1, end: at + size };
}

function littleEndian(bytes: Buffer, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** A number of 7 bits a byte, low bits first; undefined when it has no end. */
export function varintAt(
  bytes: Buffer,
  from: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = from; at < Math.min(bytes.length, from + 8); at += 1) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  return undefined;
}
