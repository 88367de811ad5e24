// CRC-32 (IEEE 802.3, reflected) over text: tells a rotten record from a sound one.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/**
 * CRC-32 of the text's UTF-16 units from `from` on, low byte first (ASCII: its bytes), as an unsigned number; `before` is that of what
 * stands before it.
 */
export function crc32(text: string, before = 0, from = 0): number {
  let crc = ~before;
  for (let i = from; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    crc = (crc >>> 8) ^ (TABLE[(crc ^ unit) & 0xff] as number);
    if (unit > 0xff) crc = (crc >>> 8) ^ (TABLE[(crc ^ (unit >>> 8)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
