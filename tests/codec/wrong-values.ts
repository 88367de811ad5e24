// How often a damaged frame without a check sum becomes an accepted reading, with and without the second read.

import { Random } from '../../simulator/random.ts';
import { parseUi1203, registerOf } from '../../src/codec/encoder-line.ts';
import { advance, type Installation, newInstallation } from '../../src/domain/advance.ts';
import { flowLimit } from '../../src/domain/register.ts';
import { RULES, SILENCE, T0 } from '../domain/meter-run.ts';

export interface WrongValues {
  readonly polls: number;
  readonly damagedFrames: number;
  /** Accepted readings outside what the dial showed between the two reads, widened by the flow limit. */
  readonly wrong: number;
  /**
   * Damaged readings that show exactly what the reading before showed, and so confirm themselves, after the dial went on
   * by more than the flow limit of a second read. The dial did show it between these two; the next reading mends it.
   */
  readonly late: number;
  readonly accepted: number;
}

/** Damaged frames of all frames. */
const DAMAGED = 0.02;
const POLL_MS = 15 * 60_000;
const SECOND_MS = 3_000;
const DIGITS = 8;

/** One frame in fifty is damaged: bits flipped, a character replaced, one lost or doubled, the tail cut, the neighbours swapped. */
function damage(frame: Uint8Array, chance: Random): Uint8Array {
  const at = chance.whole(0, frame.length - 1);
  const bytes = [...frame];
  switch (chance.whole(0, 5)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.whole(0, 6));
      break;
    case 1:
      bytes[at] = 0x30 + chance.whole(0, 9);
      break;
    case 2:
      bytes.splice(at, 1);
      break;
    case 3:
      bytes.splice(at, 0, bytes[at] ?? 0);
      break;
    case 4:
      bytes.length = at;
      break;
    default:
      bytes.reverse();
      [bytes[at], bytes[0]] = [bytes[0] ?? 0, bytes[at] ?? 0];
      bytes.reverse();
  }
  return Uint8Array.from(bytes);
}

/** Polls a running meter `polls` times; with `confirm` a changed reading is read a second time, as the bus does. */
export function measureWrongValues(polls: number, confirm: boolean, seed: number): WrongValues {
  const chance = new Random(`wrong-values/${seed}`);
  const encoder = new TextEncoder();
  let state: Installation = newInstallation(1);
  let dial = 12_345_678;
  let damagedFrames = 0;
  let wrong = 0;
  let late = 0;
  let accepted = 0;
  let at = T0;
  const shownAt = new Map<number, number>();
  const read = (shown: number, when: number): void => {
    shownAt.set(when, shown);
    for (const old of shownAt.keys()) if (shownAt.size > 16) shownAt.delete(old);
    const clean = encoder.encode(`V;RB${String(shown).padStart(DIGITS, '0')};IB48213377`);
    const isDamaged = chance.chance(DAMAGED);
    if (isDamaged) damagedFrames += 1;
    const message = parseUi1203(isDamaged ? damage(clean, chance) : clean);
    const known = message.ok && (message.value.id === '48213377' || message.value.id === null);
    const register = message.ok && known ? registerOf(message.value.digits, RULES.dial) : null;
    const moment = { at: when, mono: when, boot: 'b', synced: true };
    const before = state.last;
    const seen = register?.ok
      ? ({
          kind: 'reading',
          register: register.value,
          checked: !confirm,
          identified: true,
        } as const)
      : SILENCE;
    state = advance(state, { ...seen, moment }, RULES).state;
    const last = state.last;
    if (!last || last.seq === before?.seq) return;
    accepted += 1;
    // Accepted for the instant of its first read: what the dial showed from then to now, widened.
    const begun = shownAt.get(last.at) ?? shown;
    const slack = flowLimit(when - last.at, RULES);
    if (last.read >= begun - slack && last.read <= shown + slack) return;
    // An unchanged reading is confirmed by the one before: these are its two reads.
    if (confirm && last.read === before?.read && last.read <= shown) late += 1;
    else wrong += 1;
  };
  for (let poll = 0; poll < polls; poll += 1) {
    at += POLL_MS;
    dial =
      12_345_678 +
      ((dial - 12_345_678 + (chance.chance(0.5) ? chance.whole(0, 300) : 0)) % 80_000_000);
    read(dial, at);
    for (let second = 0; second < 3 && state.unconfirmed !== null; second += 1) {
      dial += chance.chance(0.3) ? chance.whole(0, 2) : 0;
      at += SECOND_MS;
      read(dial, at);
    }
  }
  return { polls, damagedFrames, wrong, late, accepted };
}
