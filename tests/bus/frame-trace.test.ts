// A trace of a wire on virtual time: what went over it and when, no more of it kept than it may, and an end to it.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Wire } from '../../src/boundaries.ts';
import { FrameTrace } from '../../src/bus/frame-trace.ts';
import { createTraces } from '../../src/commands/bus-trace.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

let clock: VirtualClock;
let far: ScriptedWire;
let trace: FrameTrace;
let wire: Wire;
let heard: number;
beforeEach(async () => {
  clock = new VirtualClock();
  far = new ScriptedWire(clock);
  trace = new FrameTrace(clock);
  wire = trace.over(far);
  heard = 0;
  wire.onBytes((bytes) => {
    heard += bytes.length;
  });
  await wire.open();
});
const pass = (ms: number) => clock.run(clock.trueNow() + ms);
const taken = (id: number, after = 0) => clock.runUntil(trace.take(id, after));

describe('the trace of a wire', () => {
  it('tells both directions with the microseconds between them', async () => {
    const id = trace.start(60_000);
    await pass(2);
    await wire.write(Uint8Array.of(1, 3));
    await pass(5);
    far.say(Uint8Array.of(0xab, 0xcd));
    expect((await taken(id)).frames).toEqual([
      { at_us: 2_000, dir: 'tx', hex: '0103', gap_us: 2_000 },
      { at_us: 7_000, dir: 'rx', hex: 'abcd', gap_us: 5_000 },
    ]);
    expect(heard).toBe(2);
  });

  it('keeps nothing while it is off, and the bytes go on as ever', async () => {
    await wire.write(Uint8Array.of(1));
    far.say(Uint8Array.of(2));
    const id = trace.start(1_000);
    trace.stop(id);
    far.say(Uint8Array.of(3));
    expect(await taken(id)).toEqual({ frames: [], next: 0, lost: 0, over: true });
    expect(heard).toBe(2);
  });

  it.each([Uint8Array.of(1, 2), Buffer.of(1, 2)])(
    'keeps what the sender writes over',
    async (buffer) => {
      const id = trace.start(1_000);
      await wire.write(buffer);
      buffer.fill(9);
      expect((await taken(id)).frames[0]?.hex).toBe('0102');
    },
  );

  it('ends by itself, and says so when all is taken', async () => {
    const id = trace.start(1_000);
    far.say(Uint8Array.of(1));
    await pass(1_500);
    far.say(Uint8Array.of(2));
    expect(await taken(id)).toMatchObject({ frames: [{ hex: '01' }], next: 1, over: true });
  });

  it('has a caller wait for at most a second, and less when something comes', async () => {
    const id = trace.start(60_000);
    const began = clock.monotonicMs();
    expect(await taken(id)).toMatchObject({ frames: [], over: false });
    expect(clock.monotonicMs() - began).toBe(1_000);
    far.say(Uint8Array.of(1), 100);
    expect(await taken(id)).toMatchObject({ next: 1, over: false });
    expect(clock.monotonicMs() - began).toBe(1_100);
  });

  it('forgets the oldest beyond a megabyte or 20,000 pieces, and says how many', async () => {
    const id = trace.start(60_000);
    for (let i = 0; i < 1_100; i += 1) far.say(new Uint8Array(1_024));
    const first = await taken(id);
    expect(first.lost).toBe(76);
    expect(first.frames).toHaveLength(1_024);
    const other = trace.start(60_000);
    for (let i = 0; i < 20_010; i += 1) far.say(Uint8Array.of(1));
    expect(await taken(other)).toMatchObject({ lost: 10, next: 2_010 });
  });

  it('a second trace ends the first', async () => {
    const first = trace.start(60_000);
    const second = trace.start(60_000);
    far.say(Uint8Array.of(1));
    expect(await taken(first)).toMatchObject({ frames: [], over: true });
    expect((await taken(second)).frames).toHaveLength(1);
  });
});

describe('bus.trace', () => {
  const traces = () =>
    createTraces([
      {
        ...{ bus: 'pit', type: 'modbus-rtu', kind: 'rtu', timeoutMs: 1, addresses: new Map() },
        conversation: { link: () => ({ open: true, detail: '' }), trace },
      },
    ]);
  it('is begun, taken and ended by name', async () => {
    const { 'bus.trace': start, 'bus.trace.take': take, 'bus.trace.stop': stop } = traces();
    const begun = await start?.({ bus: 'pit', for_s: 5 });
    expect(begun).toMatchObject({ ok: true, data: { bus: 'pit', trace: 1, for_s: 5 } });
    far.say(Uint8Array.of(7));
    const args = { bus: 'pit', trace: 1, after: 0 };
    expect(await take?.(args)).toMatchObject({ ok: true, data: { frames: [{ hex: '07' }] } });
    await stop?.(args);
    expect(await take?.({ ...args, after: 1 })).toMatchObject({ data: { over: true } });
  });

  it.each([
    { bus: 'hut' },
    { bus: 'pit', for_s: 0 },
    { bus: 'pit', for_s: 4_000 },
    { bus: 'pit', for_s: 'long' },
  ])('refuses %o', async (args) => {
    expect(await traces()['bus.trace']?.(args)).toMatchObject({ ok: false, code: 'bad_request' });
    const none = await createTraces(undefined)['bus.trace']?.(args);
    expect(none).toMatchObject({ code: 'daemon.absent' });
  });
});
