// Whether a record is what was written under its key, as far as it can tell by itself.

import {
  decodeFacts,
  decodeIncrement,
  decodeRow,
  decodeState,
  unseal,
} from '../codec/journal-record.ts';

/** Rows and pending rows name an entry; all other records are under a check sum of their own. */
const ENTRY_KEY = /^[egh]\/[A-Za-z0-9_-]*\/\d{4}\/[\d.]+\/\d+$/; // Scaled time may have a fraction.
const ROW_KEY = /^r\/\d{12}$/;
const PENDING_KEY = /^p\/[A-Za-z0-9_-]*\/\d{12}$/;

/** False for a damaged record, and for a key that the journal does not write. */
export function isSound(key: string, text: string): boolean {
  switch (key.slice(0, 2)) {
    case 'r/':
      return ROW_KEY.test(key) && ENTRY_KEY.test(text);
    case 'p/':
      return PENDING_KEY.test(key) && ENTRY_KEY.test(text);
    case 'e/':
    case 'g/':
    case 'h/':
      return decodeRow(key, text) !== undefined;
    case 'i/':
      return decodeIncrement(key, text) !== undefined;
    case 's/':
      return decodeState(key.slice(2), text) !== undefined;
    case 'd/':
      return decodeFacts(key, text) !== undefined;
    case 'a/':
    case 'n/':
      return unseal(key, text) !== undefined;
    default:
      return false;
  }
}
