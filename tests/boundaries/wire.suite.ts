// What every Wire promises, in memory, on a serial port or over TCP.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Wire } from '../../src/boundaries.ts';
import type { FaultCode, Result } from '../../src/domain/fault.ts';
import { until } from '../fakes/until.ts';

export interface WireRig {
  readonly wire: Wire;
  /** What opening says while the other end is unplugged. */
  readonly absence: FaultCode;
  /** The other end speaks. */
  say(bytes: Uint8Array): void;
  /** All the other end has heard. */
  heard(): Buffer;
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  dispose(): Promise<void>;
}

export function wireSuite(name: string, create: () => Promise<WireRig>): void {
  describe(`${name} as a Wire`, () => {
    let rig: WireRig;
    let wire: Wire;
    let came: Buffer;
    let losses: number;
    beforeEach(async () => {
      rig = await create();
      wire = rig.wire;
      came = Buffer.alloc(0);
      losses = 0;
      wire.onBytes((bytes) => {
        came = Buffer.concat([came, bytes]);
      });
      wire.onLost(() => {
        losses += 1;
      });
      expect(wire.isOpen()).toBe(false);
      expect(code(await wire.write(Uint8Array.of(1)))).toBe('port.absent');
      expect(await wire.open()).toEqual({ ok: true, value: undefined });
    });
    afterEach(async () => {
      await wire.close();
      await rig.dispose();
    });

    it('all 256 bytes go and come as they are, and opening an open wire is good', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      expect(await wire.open()).toEqual({ ok: true, value: undefined });
      expect(await wire.write(all)).toEqual({ ok: true, value: undefined });
      await until('all was heard', () => rig.heard().length >= 256);
      expect(rig.heard().equals(all)).toBe(true);
      rig.say(all);
      await until('all came', () => came.length >= 256);
      expect(came.equals(all)).toBe(true);
      expect(wire.unsent()).toBe(0);
    });

    it('many small writes arrive in their order', async () => {
      for (let i = 0; i < 200; i += 1) void wire.write(Uint8Array.of(i));
      await until('all was heard', () => rig.heard().length >= 200);
      expect([...rig.heard()]).toEqual(Array.from({ length: 200 }, (_, i) => i));
    });

    it('what is said in parts comes whole', async () => {
      for (let i = 0; i < 50; i += 1) rig.say(Uint8Array.of(i, 255 - i));
      await until('all came', () => came.length >= 100);
      expect(came[98]).toBe(49);
      expect(came.length).toBe(100);
    });

    it('the loss is told once while nothing is written, and the wire opens again when it is back', async () => {
      await rig.unplug();
      await until('the loss is told', () => losses > 0);
      expect(wire.isOpen()).toBe(false);
      expect(code(await wire.write(Uint8Array.of(1)))).toBe('port.absent');
      expect(code(await wire.open())).toBe(rig.absence);
      await rig.plugIn();
      expect(await wire.open()).toEqual({ ok: true, value: undefined });
      rig.say(Buffer.from('again'));
      await until('it comes', () => came.toString() === 'again');
      expect(losses).toBe(1);
    });

    it('a close is not a loss, silences the wire at once and may be repeated', async () => {
      const closing = wire.close();
      expect(wire.isOpen()).toBe(false);
      rig.say(Buffer.from('nobody hears'));
      await closing;
      await wire.close();
      expect(code(await wire.write(Uint8Array.of(1)))).toBe('port.absent');
      expect(came.length).toBe(0);
      expect(losses).toBe(0);
      expect(await wire.open()).toEqual({ ok: true, value: undefined });
      rig.say(Buffer.from('heard'));
      await until('it comes', () => came.toString().endsWith('heard'));
    });
  });
}

function code(result: Result<void>): string {
  return result.ok ? 'good' : result.fault.code;
}
