// Modbus RTU replies written by the specification, with a CRC of their own (a table of 256, not the bits of the codec).

const TABLE = Array.from({ length: 256 }, (_, byte) =>
  Array.from({ length: 8 }).reduce<number>(
    (crc) => (crc % 2 === 1 ? Math.floor(crc / 2) ^ 0xa001 : crc / 2),
    byte,
  ),
);

/** Bytes from pairs of hexadecimal digits. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(' '), (pair) => Number.parseInt(pair, 16));
}

/** `bytes` with their CRC behind them, low byte first. */
export function withCrc(bytes: readonly number[]): Uint8Array {
  const crc = bytes.reduce((sum, byte) => (sum >> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0), 0xffff);
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}

/** The reply of a unit to function 3 or 4. */
export function replyTo(unit: number, fn: number, words: readonly number[]): Uint8Array {
  return withCrc([
    unit,
    fn,
    words.length * 2,
    ...words.flatMap((word) => [word >> 8, word & 0xff]),
  ]);
}
