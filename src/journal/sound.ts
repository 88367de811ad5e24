// Whether a record is what was written under its key, as far as it can tell by itself.

import {
  decodeEntryKey,
  decodeFacts,
  decodeIncrement,
  decodeRow,
  hintOfEntryKey,
  isSoundState,
  unseal,
} from '../codec/journal-record.ts';

/** Rows and pending rows name an entry. */
const ENTRY_KEY = /^[egh]\/[A-Za-z0-9_-]*\/\d{4}\/[\d.]+\/\d+$/; // Scaled time may have a fraction.
const ROW_KEY = /^r\/\d{12}$/;
const PENDING_KEY = /^p\/[A-Za-z0-9_-]*\/\d{12}$/;

/** Whether an increment is sound does not depend on its dial. */
const ANY_DIAL = { digits: 8 };

/** The key of an entry that a row's sound record names; undefined where it is damaged. */
export function entryKeyAt(key: string, text: string): string | undefined {
  const entryKey = ROW_KEY.test(key) ? decodeEntryKey(key, text) : undefined;
  return entryKey !== undefined && ENTRY_KEY.test(entryKey) ? entryKey : undefined;
}

/**
 * False for a damaged record, and for a key that the journal does not write. A pending row is kept as long as it may
 * still say which row waits: the scrub holds it against its check sum and its entry, and what it may mean is sent again.
 */
export function isSound(key: string, text: string): boolean {
  switch (key.slice(0, 2)) {
    case 'r/':
      return entryKeyAt(key, text) !== undefined;
    case 'p/':
      return PENDING_KEY.test(key) && ENTRY_KEY.test(hintOfEntryKey(text));
    case 'e/':
    case 'g/':
    case 'h/':
      return decodeRow(key, text) !== undefined;
    case 'i/':
      return decodeIncrement(key, text, ANY_DIAL) !== undefined;
    case 's/':
      return isSoundState(key.slice(2), text);
    case 'd/':
      return decodeFacts(key, text) !== undefined;
    case 'a/':
    case 'c/':
    case 'k/':
    case 'u/':
    case 'w/':
    case 'n/':
    case 'o/':
      return unseal(key, text) !== undefined;
    default:
      return false;
  }
}
