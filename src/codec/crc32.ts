// CRC-32 (IEEE 802.3, reflected) over text: tells a rotten record from a sound one.

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** What a byte comes to when one, two or three more have followed it: four are taken at a time, which no one of them waits for. */
const AFTER_ONE = followed(TABLE);
const AFTER_TWO = followed(AFTER_ONE);
const AFTER_THREE = followed(AFTER_TWO);

function followed(table: Int32Array): Int32Array {
  return table.map((crc) => (crc >>> 8) ^ (TABLE[crc & 0xff] as number));
}

/**
 * CRC-32 of the text's UTF-16 units from `from` on, low byte first (ASCII: its bytes), as an unsigned number; `before` is that of what
 * stands before it.
 */
export function crc32(text: string, before = 0, from = 0): number {
  let crc = ~before;
  let i = from;
  for (const last = text.length - 3; i < last; i += 4) {
    const first = text.charCodeAt(i);
    const second = text.charCodeAt(i + 1);
    const third = text.charCodeAt(i + 2);
    const fourth = text.charCodeAt(i + 3);
    if ((first | second | third | fourth) > 0xff) break;
    crc ^= first | (second << 8) | (third << 16) | (fourth << 24);
    crc =
      (AFTER_THREE[crc & 0xff] as number) ^
      (AFTER_TWO[(crc >>> 8) & 0xff] as number) ^
      (AFTER_ONE[(crc >>> 16) & 0xff] as number) ^
      (TABLE[crc >>> 24] as number);
  }
  for (; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    crc = (crc >>> 8) ^ (TABLE[(crc ^ unit) & 0xff] as number);
    if (unit > 0xff) crc = (crc >>> 8) ^ (TABLE[(crc ^ (unit >>> 8)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
