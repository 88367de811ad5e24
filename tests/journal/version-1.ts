// Writes a journal down as its first version did: long JSON records, row numbers and pending rows under no check sum.

import { crc32 } from '../../src/codec/crc32.ts';
import {
  decodeEntryKey,
  decodeFacts,
  decodeIncrement,
  decodeState,
  unseal,
} from '../../src/codec/journal-record.ts';

export function sealV1(key: string, content: unknown): string {
  const json = JSON.stringify(content);
  return `1${crc32(key + json)
    .toString(16)
    .padStart(8, '0')}${json}`;
}

/** The records of today as version 1 would have written them. */
export function asVersion1(
  records: Iterable<readonly [key: string, text: string]>,
): [key: string, text: string][] {
  const today = new Map(records);
  return [...today].flatMap(([key, text]): [string, string][] => {
    switch (key.slice(0, 2)) {
      case 'c/':
        return [];
      case 'p/':
      case 'r/':
        return [[key, decodeEntryKey(key, text) ?? 'damaged']];
      case 'i/':
        return [[key, incrementV1(key, text, today)]];
      case 's/': {
        const meter = key.slice(2);
        return [[key, sealV1(key, decodeState(meter, text, today.get(`c/${meter}`)))]];
      }
      default:
        return [[key, sealV1(key, unseal(key, text))]];
    }
  });
}

function incrementV1(key: string, text: string, today: ReadonlyMap<string, string>): string {
  const [, meter = '', inst = ''] = key.split('/');
  const named = `d/${meter}/${inst}`;
  const dial = decodeFacts(named, today.get(named) ?? '')?.dial;
  const step = dial && decodeIncrement(key, text, dial);
  if (!step) throw new Error(`no increment in ${key}`);
  const { fromAt, fromRead, toAt, toRead, counts } = step;
  return sealV1(key, [fromAt, fromRead, toAt - fromAt, toRead, counts, dial.pow10, dial.unit]);
}
