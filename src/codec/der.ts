// ASN.1 values in DER (X.690): the few that certificates and their requests are made of.

/** Tags (X.690 8.1.2; universal class, constructed where the standard says so). */
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
/** Context-specific and constructed: [n]. */
const CONTEXT = 0xa0;

/** A value of the tag: its length in as few bytes as it takes (X.690 10.1). */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length: bytes }) => sum + bytes, 0);
  const digits: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | digits.length, ...digits];
  const all = new Uint8Array(head.length + length);
  all.set(head);
  let at = head.length;
  for (const content of contents) {
    all.set(content, at);
    at += content.length;
  }
  return all;
}

export const sequence = (...parts: readonly Uint8Array[]) => der(SEQUENCE, ...parts);
export const set = (...parts: readonly Uint8Array[]) => der(SET, ...parts);
export const context = (n: number, ...parts: readonly Uint8Array[]) => der(CONTEXT | n, ...parts);
/** Text of ASCII alone, as the ids of the contract are. */
export const utf8 = (text: string) => asciiAs(UTF8_STRING, text);

/** Text of ASCII alone under a tag of its place. */
export const asciiAs = (tag: number, text: string) =>
  der(
    tag,
    Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0x7f),
  );

export const bytesAs = (tag: number, bytes: Uint8Array) => der(tag, bytes);
export const octetString = (bytes: Uint8Array) => der(OCTET_STRING, bytes);
export const yes = der(BOOLEAN, Uint8Array.of(0xff));
/** As `200101000000Z`: a year of two digits, 50 to 99 being 19xx (RFC 5280, 4.1.2.5.1). */
export const utcTime = (text: string) => asciiAs(UTC_TIME, text);

/** A whole number from 0 to 127, which takes one byte. */
export const smallInteger = (number: number) => der(INTEGER, Uint8Array.of(number));

/** A number of any size that is not negative, its bytes from the highest; the first of them is not 0. */
export const unsigned = (bytes: Uint8Array) =>
  der(INTEGER, ...((bytes[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []), bytes);

/** Bits that fill their bytes. */
export const bitString = (bytes: Uint8Array) => der(BIT_STRING, Uint8Array.of(0), bytes);

/** An object identifier as it is written, "1.2.840.10045.4.3.2" (X.690 8.19). */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      septets.unshift(0x80 | (left % 128));
    }
    return septets;
  });
  return der(OBJECT_IDENTIFIER, Uint8Array.from(bytes));
}
