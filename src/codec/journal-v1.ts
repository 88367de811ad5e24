// Records of journals of version 1, read for the last time: each becomes the records of today that say the same.

import type { Installation } from '../domain/advance.ts';
import { newInstallation } from '../domain/installation.ts';
import { crc32 } from './crc32.ts';
import {
  encodeCircumstances,
  encodeEntryKey,
  encodeIncrement,
  encodeState,
  incrementOf,
  keys,
  seal,
} from './journal-record.ts';

/** Version, eight hexadecimal digits of the CRC-32 over key and content, content. */
const SEAL_LENGTH = 9;
/** Of what the collector told of itself the meter is empty; scaled time may have a fraction. */
const ENTRY_KEY = /^[egh]\/[A-Za-z0-9_-]*\/\d{4}\/[\d.]+\/\d+$/;

/** The content of a sound record of version 1; undefined for any other. */
export function unsealV1(key: string, text: string): unknown {
  const content = text.slice(SEAL_LENGTH);
  const sum = crc32(key + content)
    .toString(16)
    .padStart(8, '0');
  return text === `1${sum}${content}` ? JSON.parse(content) : undefined;
}

type IncrementFields = [number, number, number, number, number, number, string];

/**
 * What stands today for a record of version 1; undefined for one that is of another version, or damaged. Row numbers and
 * pending rows were not under any seal: they are taken for what they look like, and held against their entries later.
 */
export function renewRecord(
  key: string,
  text: string,
): readonly (readonly [key: string, value: string])[] | undefined {
  const kind = key.slice(0, 2);
  if (kind === 'r/' || kind === 'p/') {
    return ENTRY_KEY.test(text) ? [[key, encodeEntryKey(key, text)]] : undefined;
  }
  const content = unsealV1(key, text);
  if (content === undefined) return undefined;
  switch (kind) {
    case 'i/':
      return [[key, renewIncrement(key, content as IncrementFields)]];
    case 's/':
      return renewState(key.slice(2), content as Installation);
    default:
      return [[key, seal(key, content)]];
  }
}

function renewIncrement(key: string, fields: IncrementFields): string {
  const [fromAt, fromRead, lasted, toRead, counts] = fields;
  const { inst, seq } = incrementOf(key);
  const step = { inst, seq, fromAt, fromRead, toAt: fromAt + lasted, toRead, counts };
  return encodeIncrement(key.split('/')[1] ?? '', { ...step, kind: 'forward' });
}

function renewState(meter: string, content: Installation) {
  const state = { ...newInstallation(content.inst), ...content };
  const around = encodeCircumstances(meter, state);
  return [
    [keys.state(meter), encodeState(meter, state)],
    ...(around === undefined ? [] : [[keys.circumstances(meter), around] as const]),
  ] as const;
}
