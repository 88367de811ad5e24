// Whatever devices do with their answers, words are only handed out that stood where they were asked for, between question and answer.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModbusLink, Wire } from '../../src/boundaries.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createRtuLink } from '../../src/bus/rtu-client.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { type Framing, MBAP, RTU } from './fault-run.ts';

const TIMEOUT_MS = 1_000;

/** What becomes of one answer, whatever became of the others: so answers may overtake each other. */
const fate = fc.record({
  delayMs: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 5 * TIMEOUT_MS }) },
  ),
  what: fc.oneof(
    { weight: 10, arbitrary: fc.constant('whole' as const) },
    fc.constantFrom('lost', 'twice', 'flipped', 'split', 'cut', 'noise') as fc.Arbitrary<
      'lost' | 'twice' | 'flipped' | 'split' | 'cut' | 'noise'
    >,
  ),
  at: fc.integer({ min: 0, max: 8 }),
  pauseMs: fc.integer({ min: 1, max: 400 }),
});
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;

const step = fc.record({
  unit: fc.constantFrom(1, 1, 1, 2),
  address: fc.constantFrom(10, 10, 20),
  quantity: fc.constantFrom(2, 2, 1),
  restMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * TIMEOUT_MS })),
  /** Given up after so long; 0: not. */
  abortMs: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 500 })),
  /** The words move on. */
  moves: fc.boolean(),
  reopens: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
});

const life = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 25 }),
  fates: fc.array(fate, { minLength: 10, maxLength: 60 }),
});

function spoil(
  answer: Buffer,
  { what, at, pauseMs, delayMs }: Fate,
  framing: Framing,
): [Buffer, number][] {
  // Over TCP a number changed on the way is beyond what a client can know: TCP has its own sums, and MBAP has none.
  const place = framing === MBAP && what === 'flipped' ? 2 + (at % 7) : at % answer.length;
  switch (what) {
    case 'lost':
      return [];
    case 'twice':
      return [[Buffer.concat([answer, answer]), delayMs]];
    case 'flipped': {
      const flipped = Buffer.from(answer);
      flipped[place] = (flipped[place] as number) ^ (1 << (at % 8));
      return [[flipped, delayMs]];
    }
    case 'split':
      return [
        [answer.subarray(0, place), delayMs],
        [answer.subarray(place), delayMs + pauseMs],
      ];
    case 'cut':
      return [[answer.subarray(0, place), delayMs]];
    case 'noise':
      return [[Buffer.concat([Buffer.alloc(at + 1, 0x5a), answer]), delayMs]];
    default:
      return [[answer, delayMs]];
  }
}

async function live(
  { steps, fates }: typeof life extends fc.Arbitrary<infer T> ? T : never,
  framing: Framing,
  create: (wire: Wire, clock: VirtualClock) => ModbusLink,
): Promise<{ answered: number }> {
  const clock = new VirtualClock();
  const wire = new ScriptedWire(clock);
  let kept = Buffer.alloc(0);
  let n = 0;
  let word = 1;
  const wordsOf = (held: number, unit: number, address: number, quantity: number) =>
    Array.from({ length: quantity }, (_, i) => (held * 97 + unit * 31 + address + i) & 0xffff);
  wire.device((bytes) => {
    kept = Buffer.concat([kept, bytes]);
    for (; kept.length >= framing.requestBytes; kept = kept.subarray(framing.requestBytes)) {
      const request = Buffer.from(kept.subarray(0, framing.requestBytes));
      const unit = request.readUInt8(framing.at);
      const address = request.readUInt16BE(framing.at + 2);
      const quantity = request.readUInt16BE(framing.at + 4);
      const answer = framing.answer(request, wordsOf(word, unit, address, quantity));
      const fate = fates[n % fates.length] as Fate;
      n += 1;
      for (const [said, afterMs] of spoil(answer, fate, framing)) {
        // A line answers what was asked before it was reopened; a connection takes its answers along.
        if (framing === RTU) wire.sayAnyway(said, afterMs);
        else wire.say(said, afterMs);
      }
    }
  });
  const link = create(wire, clock);
  let answered = 0;
  const run = async () => {
    for (const { unit, address, quantity, restMs, abortMs, moves, reopens } of steps) {
      if (reopens) await link.close();
      await link.open();
      if (moves) word += 1;
      const stop = new AbortController();
      if (abortMs > 0) void clock.sleep(abortMs).then(() => stop.abort());
      const question = {
        unit,
        table: 'holding',
        address,
        quantity,
        timeoutMs: TIMEOUT_MS,
      } as const;
      const answer = await link.read(question, stop.signal);
      if (answer.ok) {
        // The words hold still while a question is under way, so there is one right answer.
        expect(answer.value).toEqual(wordsOf(word, unit, address, quantity));
        answered += 1;
      }
      await clock.sleep(restMs);
    }
  };
  await clock.runUntil(run());
  await link.close();
  return { answered };
}

const RUNS = Number(process.env['FAULT_RUNS'] ?? 400);

describe('no fault of a device makes a wrong number', () => {
  it('on an RTU line', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(life, async (one) => {
        const outcome = await live(one, RTU, (wire, clock) =>
          createRtuLink({ wire, clock, baud: 9_600 }),
        );
        answered += outcome.answered;
      }),
      { numRuns: RUNS },
    );
    // A link that refuses everything would pass too.
    expect(answered).toBeGreaterThan(2 * RUNS);
  });

  it('over TCP', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(life, async (one) => {
        const outcome = await live(one, MBAP, (wire, clock) => createMbapLink({ wire, clock }));
        answered += outcome.answered;
      }),
      { numRuns: RUNS },
    );
    expect(answered).toBeGreaterThan(2 * RUNS);
  });
});
