// The one door from an answer's bytes to a dial's register: which codec a profile names, and what the dial makes of it.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { LineProfile, Profile, Register } from '../domain/profile.ts';
import type { Dial } from '../domain/units.ts';
import { parseKFrame } from './elster-k-frame.ts';
import { parseUi1203, registerOf } from './encoder-line.ts';
import { parseEtherMeter } from './ethermeter-ascii.ts';
import type { LineMessage } from './line-message.ts';
import { decodeReplies } from './modbus-reply.ts';
import { parseNeptune } from './neptune-frame.ts';
import { behindNoise } from './seven-bit.ts';

/**
 * What one answer says of `dial`: a line's frame without its delimiter, or the Modbus RTU replies to the profile's
 * questions, one after the other. Total: a register, or a fault; never throws, and never gives a number for a doubtful
 * answer.
 */
export function decodeFrame(profile: Profile, bytes: Uint8Array, dial: Dial): Result<Register> {
  if (profile.transport === 'modbus') return decodeReplies(profile, bytes, dial);
  const message = readLine(profile, bytes, dial);
  return message.ok ? registerIn(message.value, profile, dial) : message;
}

/**
 * The message in a line's frame, before its digits are held against the dial; noise in front of it, which the line's own end
 * does not part from it, is passed over. Never throws.
 */
export function readLine(profile: LineProfile, bytes: Uint8Array, dial: Dial): Result<LineMessage> {
  const message = messageIn(profile, bytes, dial);
  const isNone = !message.ok && message.fault.code === 'frame.malformed';
  if (!isNone || profile.framing.kind !== 'delimiter') return message;
  for (const rest of behindNoise(bytes)) {
    const behind = messageIn(profile, rest, dial);
    if (behind.ok || behind.fault.code !== 'frame.malformed') return behind;
  }
  return message;
}

function messageIn(profile: LineProfile, bytes: Uint8Array, dial: Dial): Result<LineMessage> {
  switch (profile.frame) {
    case 'ui1203':
      return parseUi1203(bytes);
    case 'neptune-arb':
      return parseNeptune(bytes, dial.digits);
    case 'elster-k':
      return parseKFrame(bytes, profile.sends);
    case 'ethermeter-ascii':
      return parseEtherMeter(bytes, profile.channel ?? 1, dial.digits);
  }
}

/**
 * The register a message shows on `dial`. `register.unit` when the message states another volume of one count than
 * the dial has, `register.digits` when it has more or fewer digits; more are cut only where the profile says that the
 * device counts further than the dial.
 */
export function registerIn(
  { digits: sent, id, states, flags = [] }: LineMessage,
  profile: LineProfile,
  dial: Dial,
): Result<Register> {
  if (states !== undefined && (states.unit !== dial.unit || states.pow10 !== dial.pow10)) {
    return faulty(
      'register.unit',
      `the register counts ${states.unit} x 10^${states.pow10}, the settings say ${dial.unit} x 10^${dial.pow10}`,
    );
  }
  const longer = profile.sends === 'right-most' && sent.length > dial.digits;
  const digits = longer ? sent.slice(-dial.digits) : sent;
  const register = registerOf(digits, dial);
  return register.ok ? good({ register: register.value, digits, id, flags }) : register;
}
