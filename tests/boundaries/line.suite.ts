// What every Line promises, in memory, on a serial port or over TCP.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import type { Clock, Line } from '../../src/boundaries.ts';
import { FRAME_CAP } from '../../src/codec/encoder-line.ts';
import type { FaultCode, Result } from '../../src/domain/fault.ts';
import { until } from '../fakes/until.ts';

export interface LineRig {
  readonly line: Line;
  /** What opening says while the other end is unplugged. */
  readonly absence: FaultCode;
  /** The other end speaks. */
  say(bytes: Uint8Array): void;
  /** All the other end has heard, as text. */
  heard(): string;
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  dispose(): Promise<void>;
}

/** Long enough for every part to bring a byte across, short enough to wait out. */
const SHORT_MS = 150;
/** Never waited out by a line that keeps its promises. */
const LONG_MS = 10_000;

export function lineSuite(name: string, create: (wire: Clock) => Promise<LineRig>): void {
  describe(`${name} as a Line`, () => {
    let rig: LineRig;
    let line: Line;
    const say = (text: string) => rig.say(Buffer.from(text, 'latin1'));
    const receive = async (ms = LONG_MS) => told(await line.receive(ms));
    beforeEach(async () => {
      rig = await create(createSystemClock());
      line = rig.line;
      expect(line.isOpen()).toBe(false);
      expect(await line.open()).toEqual({ ok: true, value: undefined });
    });
    afterEach(async () => {
      await line.close();
      await rig.dispose();
    });

    it('opening an open line is good', async () => {
      expect(line.isOpen()).toBe(true);
      expect(await line.open()).toEqual({ ok: true, value: undefined });
      say('still there\r');
      expect(await receive()).toBe('still there');
    });

    it('what is written is heard byte for byte', async () => {
      expect(await line.write(Uint8Array.of(0x23, 0x31, 0x0d, 0x0a, 0x00, 0xd2))).toEqual({
        ok: true,
        value: undefined,
      });
      await until('all was heard', () => rig.heard().length >= 6);
      expect(rig.heard()).toBe('#1\r\n\x00\xd2');
    });

    it('a frame comes whole without its CR, in whatever pieces it was sent', async () => {
      const frame = receive();
      say('V;RB0000');
      say('0200;IB61564400');
      say('\r');
      expect(await frame).toBe('V;RB00000200;IB61564400');
    });

    it('frames sent at once come one after the other, a LF behind CR belongs to none', async () => {
      say('R226107229550\r\nR226207229550\r\n');
      expect(await receive()).toBe('R226107229550');
      expect(await receive()).toBe('R226207229550');
    });

    it('all 8 bits of a character come through, and CR with its parity bit ends a frame', async () => {
      say('\xd2\xb2\xb2\x36\xb1\x30\x80\xff\x8d');
      expect(await receive()).toBe('\xd2\xb2\xb2\x36\xb1\x30\x80\xff');
    });

    it('a silent line is silent after the time-out and not before', async () => {
      const began = performance.now();
      expect(await receive(SHORT_MS)).toBe('line.silent');
      expect(performance.now() - began).toBeGreaterThanOrEqual(SHORT_MS - 1);
    });

    it('half a frame is torn', async () => {
      say('V;RB0000');
      expect(await receive(SHORT_MS)).toBe('line.torn');
    });

    it('the tail of what was under way at a drain is not a frame', async () => {
      // On a slow clock the machine's own pauses are not taken for the end of a frame.
      const slow = await create(createSystemClock({ speed: 0.05 }));
      await slow.line.open();
      slow.say(Buffer.from('V;RB0000'));
      await untilPartial(slow.line);
      slow.line.drain();
      slow.say(Buffer.from('0200\r'));
      slow.say(Buffer.from('R226107229550\r'));
      expect(told(await slow.line.receive(LONG_MS))).toBe('R226107229550');
      await slow.line.close();
      await slow.dispose();
    });

    it('what came before a drain is forgotten', async () => {
      say('old\rolder\r');
      expect(await receive()).toBe('old');
      line.drain();
      say('new\r');
      expect(await receive()).toBe('new');
    });

    it('an endless line is told as soon as the cap is passed, and a whole frame after it is heard', async () => {
      say('x'.repeat(FRAME_CAP + 1));
      expect(await receive()).toBe('line.overlong');
      say('x'.repeat(FRAME_CAP + 1));
      expect(await receive()).toBe('line.overlong');
      say('tail\rR226107229550\r');
      expect(await receive()).toBe('R226107229550');
    });

    it('whoever waits hears at once that the port is lost', async () => {
      const began = performance.now();
      const frame = receive();
      await rig.unplug();
      expect(await frame).toBe('port.absent');
      expect(performance.now() - began).toBeLessThan(LONG_MS / 2);
      expect(line.isOpen()).toBe(false);
      expect(told(await line.write(Uint8Array.of(0x23)))).toBe('port.absent');
      expect(await receive()).toBe('port.absent');
    });

    it('the loss of the port is noticed while nothing is asked of it', async () => {
      await rig.unplug();
      await until('the line is lost', () => !line.isOpen());
    });

    it('an absent port is a fault, and once it is back the line opens without what was torn', async () => {
      say('V;RB00');
      await untilPartial(line);
      await rig.unplug();
      await until('the line is lost', () => !line.isOpen());
      expect(told(await line.open())).toBe(rig.absence);
      expect(line.isOpen()).toBe(false);
      await rig.plugIn();
      expect(await line.open()).toEqual({ ok: true, value: undefined });
      say('000200\r');
      // A frame of its own: what began before the port was lost is gone.
      expect(await receive()).toBe('000200');
    });

    it('closing settles who waits, may be repeated, and the line opens again', async () => {
      const frame = receive();
      await line.close();
      expect(await frame).toBe('port.absent');
      await line.close();
      expect(line.isOpen()).toBe(false);
      expect(await receive()).toBe('port.absent');
      expect(await line.open()).toEqual({ ok: true, value: undefined });
      say('again\r');
      expect(await receive()).toBe('again');
    });

    it('who gives up waiting is let go, and the frame stays for the next', async () => {
      const giveUp = new AbortController();
      const frame = line.receive(LONG_MS, giveUp.signal);
      giveUp.abort();
      expect(told(await frame)).toBe('aborted');
      expect(told(await line.receive(LONG_MS, giveUp.signal))).toBe('aborted');
      say('later\r');
      expect(await receive()).toBe('later');
    });

    it('two owners at once are a bug', async () => {
      const first = receive();
      await expect(line.receive(LONG_MS)).rejects.toThrow();
      say('for the first\r');
      expect(await first).toBe('for the first');
    });
  });
}

/** The frame as text, or the fault's code. */
export function told(result: Result<unknown>): string | undefined {
  if (!result.ok) return result.fault.code;
  return result.value instanceof Uint8Array
    ? Buffer.from(result.value).toString('latin1')
    : undefined;
}

/** Waits until part of a frame has arrived, which shows only in the fault of a short wait. */
async function untilPartial(line: Line): Promise<void> {
  await until('the torn answer', async () => told(await line.receive(1)) === 'line.torn');
}
