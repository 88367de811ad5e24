// The raw ASCII line of a SCADAmetrics EtherMeter to the dial digits of one of its two meters, refusing whatever is doubtful.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import { DIGITS, type LineMessage, unreadable, WHEELS } from './line-message.ts';
import { malformed, printableText, withoutFill } from './seven-bit.ts';

/** `:` and 13 fields divided by `;`, two of each kind (encoders 4). The places are those of meter 1. */
const FIELDS = 13;
const TOTAL = 0;
const READ_FAULT = 6;
/** Flows, rollovers, faults, analog and digital inputs; empty where nothing is connected. */
const WHOLE_NUMBER = /^-?[0-9]{0,10}$/;

/**
 * Reads one line without its CR LF; `channel` is 1 or 2. A total is a number without decimal point; whether leading
 * zeros are sent is not published, so a total shorter than the dial is filled up to `dialDigits`. `frame.unreadable`
 * when the EtherMeter reports that it could not read this meter, `frame.malformed` for everything else that is not
 * exactly such a line. It sends no identification. Never throws.
 */
export function parseEtherMeter(
  frame: Uint8Array,
  channel: number,
  dialDigits: number,
): Result<LineMessage> {
  const plain = printableText(withoutFill(frame));
  if (!plain.ok) return plain;
  if (!plain.value.startsWith(':')) return malformed('no colon in front');
  const fields = plain.value.slice(1).split(';');
  if (fields.length !== FIELDS) return malformed(`${fields.length} fields instead of ${FIELDS}`);
  const total = fields[TOTAL + channel - 1] ?? '';
  const other = fields[TOTAL + 2 - channel] ?? '';
  const fault = fields[READ_FAULT + channel - 1] ?? '';
  if (!fields.slice(2).every((field) => WHOLE_NUMBER.test(field))) {
    return malformed('a field that is not a whole number');
  }
  if (!WHEELS.test(total) || !(other === '' || WHEELS.test(other))) {
    return malformed('a total that is not a number');
  }
  // Zero is no fault; the total beside any other is the last one that could be read.
  if (!/^0+$/.test(fault)) return faulty('frame.unreadable', `meter ${channel}: fault ${fault}`);
  if (!DIGITS.test(total)) return unreadable(total);
  return good({ digits: total.padStart(dialDigits, '0'), id: null });
}
