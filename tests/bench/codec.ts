// How many readings a second one core decodes and classifies, for each kind of frame; the median of several rounds.

import { parseUi1203, registerOf } from '../../src/codec/encoder-line.ts';
import { classify } from '../../src/domain/register.ts';
import { atLeast, type Figure } from './figure.ts';

const READINGS = 200_000;
const ROUNDS = 9;
const GOAL = 200_000;

const RULES = {
  dial: { digits: 8, unit: 'ft3', pow10: -1 } as const,
  maxFlowPerH: 2_406,
  jitter: 1,
};

/** Readings a second, each decoded from its bytes and classified against the one before. */
function rate(frames: readonly Uint8Array[]): number {
  let before = 0;
  let forward = 0;
  const begun = process.cpuUsage();
  for (let i = 0; i < READINGS; i += 1) {
    const message = parseUi1203(frames[i % frames.length] as Uint8Array);
    const register = message.ok ? registerOf(message.value.digits, RULES.dial) : message;
    if (!register.ok) continue;
    if (classify(before, register.value, 900_000, RULES).kind === 'forward') forward += 1;
    before = register.value;
  }
  const { user, system } = process.cpuUsage(begun);
  if (forward === 0) throw new Error('nothing was classified');
  return READINGS / ((user + system) / 1e6);
}

export async function benchCodec(): Promise<Figure[]> {
  const encoder = new TextEncoder();
  const frames = Array.from({ length: 1_000 }, (_, i) =>
    encoder.encode(`V;RB${String(12_345_678 + i).padStart(8, '0')};IB48213377;GC00`),
  );
  const rates = Array.from({ length: ROUNDS }, () => rate(frames)).sort((a, b) => a - b);
  const median = rates[Math.floor(ROUNDS / 2)] ?? 0;
  return [atLeast('codec', 'UI-1203 decoded and classified, median', median, 'readings/s', GOAL)];
}
