// What every Line promises of frames that are not ended by CR alone, in memory, on a serial port or over TCP.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import type { Clock, Line } from '../../src/boundaries.ts';
import { framingName } from '../../src/codec/framer.ts';
import { FRAME_CAP } from '../../src/codec/seven-bit.ts';
import type { Framing } from '../../src/domain/profile.ts';
import { until } from '../fakes/until.ts';
import { type LineRig, told } from './line.suite.ts';

/** A framing, the bytes of a frame as a device sends it, and what of it is the frame. */
interface Sample {
  readonly framing: Framing;
  readonly sent: readonly [first: string, second: string];
  readonly frames: readonly [first: string, second: string];
}

const K1 = `K${'1'.repeat(28)}`;
const K2 = `K${'2'.repeat(28)}`;
const SAMPLES: readonly Sample[] = [
  {
    framing: { kind: 'delimiter', delimiter: 'CR LF' },
    sent: [':one;1\r\n', ':two;2\r\n'],
    frames: [':one;1', ':two;2'],
  },
  {
    framing: { kind: 'stx-etx' },
    sent: ['\x02one\x171\x03', '\x02two\x172\x03'],
    frames: ['one\x171', 'two\x172'],
  },
  { framing: { kind: 'fixed', start: 'K', length: 29 }, sent: [K1, K2], frames: [K1, K2] },
];

const SHORT_MS = 150;
const LONG_MS = 10_000;

export function lineFramingSuite(
  name: string,
  create: (wire: Clock, framing: Framing) => Promise<LineRig>,
): void {
  describe.each(SAMPLES)(`${name} with framing $framing`, ({ framing, sent, frames }) => {
    let rig: LineRig;
    let line: Line;
    const say = (text: string) => rig.say(Buffer.from(text, 'latin1'));
    const receive = async (ms = LONG_MS) => told(await line.receive(ms));
    beforeEach(async () => {
      rig = await create(createSystemClock(), framing);
      line = rig.line;
      expect(await line.open()).toEqual({ ok: true, value: undefined });
    });
    afterEach(async () => {
      await line.close();
      await rig.dispose();
    });

    it('a frame comes whole, in whatever pieces it was sent', async () => {
      const frame = receive();
      for (const character of sent[0]) say(character);
      expect(await frame).toBe(frames[0]);
    });

    it('frames sent at once come one after the other', async () => {
      say(sent.join(''));
      expect(await receive()).toBe(frames[0]);
      expect(await receive()).toBe(frames[1]);
      expect(await receive(SHORT_MS)).toBe('line.silent');
    });

    it('half a frame is torn', async () => {
      // Of CR LF the first alone ends a line.
      say(sent[0].slice(0, -2));
      expect(await receive(SHORT_MS)).toBe('line.torn');
    });

    it('the tail of what was under way at a drain is not a frame', async () => {
      // On a slow clock the machine's own pauses are not taken for the end of a frame.
      const slow = await create(createSystemClock({ speed: 0.05 }), framing);
      await slow.line.open();
      slow.say(Buffer.from(sent[0].slice(0, 4), 'latin1'));
      await until('the torn answer', async () => told(await slow.line.receive(1)) === 'line.torn');
      slow.line.drain();
      slow.say(Buffer.from(sent[0].slice(4) + sent[1], 'latin1'));
      expect(told(await slow.line.receive(LONG_MS))).toBe(frames[1]);
      await slow.line.close();
      await slow.dispose();
    });

    it('noise without end is told, and a whole frame after it is heard', async () => {
      say('x'.repeat(FRAME_CAP + 1));
      expect(await receive()).toBe('line.overlong');
      // What a line by a delimiter has begun only its delimiter ends.
      say(framing.kind === 'delimiter' ? '\r\n' : '');
      say(sent[1]);
      expect(await receive()).toBe(frames[1]);
    });

    it(`all 8 bits of a character come through (${framingName(framing)})`, async () => {
      const [first] = sent;
      say(first.replace(/.(?=.)/gs, (character, at) => (at === 2 ? '\xb2' : character)));
      expect(await receive()).toContain('\xb2');
    });
  });
}
