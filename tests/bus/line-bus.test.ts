// What a bus of line meters owes each of them, on virtual time: its own answer, its own time-out, nobody else's.

import { beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import type { Bus, Line, ReadTarget } from '../../src/boundaries.ts';
import { createLineBus } from '../../src/bus/line-bus.ts';
import type { Result } from '../../src/domain/fault.ts';
import { good } from '../../src/domain/fault.ts';
import type { Framing, LineProfile } from '../../src/domain/profile.ts';
import { lineProfile } from '../fakes/profiles.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const TIMEOUT_MS = 1_000;
const UNASKED: LineProfile = {
  ...lineProfile('ui1203', { kind: 'delimiter', delimiter: 'CR' }),
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
};
const PROFILE: LineProfile = { ...UNASKED, request: '#{address}\r' };

/** A meter at `address` whose encoder is known by its identification. */
function known(address: string): ReadTarget {
  return { ...unknown(address), registerId: idOf(address) };
}

/** A meter at `address` of which only the address is known. */
function unknown(address: string): ReadTarget {
  return { meter: `SP-${address}`, address, profile: PROFILE, dial: PROFILE.dial };
}

const idOf = (address: string) => `4821337${address}`;
const frameOf = (address: string, reading: number) =>
  `V;RB${String(reading).padStart(8, '0')};IB${idOf(address)}\r`;
const addressIn = (request: string) => request.slice(1, -1);

/** The register, or the fault's code. */
function told(result: Result<{ register: number }>): number | string {
  return result.ok ? result.value.register : result.fault.code;
}

let clock: VirtualClock;
let line: ScriptedLine;
let bus: Bus;

beforeEach(() => {
  clock = new VirtualClock();
  line = new ScriptedLine(clock);
  bus = createLineBus({
    line,
    clock,
    timeoutMs: TIMEOUT_MS,
    reopenMaxMs: 30_000,
    random: () => 0.5,
  });
});

/** The outcome of one read and how long it took. */
async function read(target: ReadTarget, signal?: AbortSignal) {
  const began = clock.monotonicMs();
  const result = await clock.runUntil(bus.read(target, signal));
  return { is: told(result), ms: clock.monotonicMs() - began };
}

const pass = (ms: number) => clock.run(clock.trueNow() + ms);

/** Each meter shows ten times its address after 50 ms. */
const prompt = (request: string) => [
  { bytes: frameOf(addressIn(request), Number(addressIn(request)) * 10), afterMs: 50 },
];

describe('a bus of line meters', () => {
  it('asks with the address in its place and reads the dial and the identification', async () => {
    line.answer(prompt);
    expect(await clock.runUntil(bus.read(known('1')))).toEqual({
      ok: true,
      value: { register: 10, digits: '00000010', id: '48213371', flags: [] },
    });
    expect(line.requests).toEqual(['#1\r']);
    expect(bus.link()).toMatchObject({ open: true });
  });

  it('an address is put in as it is, whatever it holds', async () => {
    line.answer(prompt);
    await read(unknown('$&1'));
    expect(line.requests[0]).toBe('#$&1\r');
  });

  it('a silent meter costs its own time-out and no more, and is asked once', async () => {
    line.answer((request) => (request === '#1\r' ? [] : prompt(request)));
    expect(await read(known('1'))).toEqual({ is: 'line.silent', ms: TIMEOUT_MS });
    expect(await read(known('2'))).toEqual({ is: 20, ms: 50 });
    expect(await read(known('3'))).toEqual({ is: 30, ms: 50 });
    expect(line.requests).toEqual(['#1\r', '#2\r', '#3\r']);
  });

  it('a late answer of the meter before is passed over where the identification tells', async () => {
    line.answer((request) =>
      request === '#1\r'
        ? [{ bytes: frameOf('1', 10), afterMs: TIMEOUT_MS + 20 }]
        : prompt(request),
    );
    expect(await read(known('1'))).toEqual({ is: 'line.silent', ms: TIMEOUT_MS });
    expect(await read(known('2'))).toEqual({ is: 20, ms: 50 });
  });

  it('a meter without identification waits out a late answer of the meter before, no longer than one time-out', async () => {
    line.answer((request) =>
      request === '#1\r'
        ? [{ bytes: frameOf('1', 10), afterMs: TIMEOUT_MS + 300 }]
        : prompt(request),
    );
    await read(known('1'));
    expect(await read(unknown('2'))).toEqual({ is: 20, ms: 350 });
    line.answer((request) => (request === '#1\r' ? [] : prompt(request)));
    await read(known('1'));
    expect(await read(unknown('2'))).toEqual({ is: 20, ms: TIMEOUT_MS + 50 });
    expect(await read(unknown('3'))).toEqual({ is: 30, ms: 50 });
  });

  it('one that is silent again and again is not waited for by a meter without identification, which is asked once more', async () => {
    let late: number | undefined;
    line.answer((request) => {
      if (request !== '#1\r') return prompt(request);
      return late === undefined ? [] : [{ bytes: frameOf('1', 10), afterMs: late }];
    });
    for (let i = 0; i < 3; i += 1) {
      await read(known('1'));
      await pass(TIMEOUT_MS);
    }
    await read(known('1'));
    const before = line.requests.length;
    expect(await read(unknown('2'))).toEqual({ is: 20, ms: 2 * 50 });
    expect(line.requests.slice(before)).toEqual(['#2\r', '#2\r']);
    // It comes back, and late: its answer is nobody else's.
    await pass(TIMEOUT_MS);
    late = TIMEOUT_MS + 30;
    await read(known('1'));
    expect(await read(unknown('2'))).toEqual({ is: 20, ms: 2 * 50 });
  });

  it('an encoder that repeats its message is nobody else’s answer, whether the next is known or not', async () => {
    const repeating = (request: string) => {
      const address = addressIn(request);
      const bytes = frameOf(address, Number(address) * 10);
      return [30, 170, 310, 450].map((afterMs) => ({ bytes, afterMs }));
    };
    for (const meter of [known, unknown]) {
      line.answer(prompt);
      for (const address of ['1', '2', '3']) await read(meter(address));
      line.answer(repeating);
      for (const address of ['1', '2', '3', '1', '2', '3']) {
        await pass(130);
        expect((await read(meter(address))).is).toBe(Number(address) * 10);
      }
      await pass(10_000);
    }
  });

  it('cables that were changed between two meters without identification cost one turn', async () => {
    line.answer(prompt);
    await read(unknown('1'));
    await read(unknown('2'));
    line.answer((request) => prompt(request === '#1\r' ? '#2\r' : '#1\r'));
    expect((await read(unknown('1'))).is).toBe('line.silent');
    expect((await read(unknown('1'))).is).toBe(20);
    expect((await read(unknown('2'))).is).toBe(10);
    expect(await read(unknown('1'))).toEqual({ is: 20, ms: 50 });
  });

  it('a meter that is slow today is waited for, one that is silent no longer than its time-out', async () => {
    let afterMs = 600;
    line.answer((request) => prompt(request).map((said) => ({ ...said, afterMs })));
    await read(known('1'));
    afterMs = TIMEOUT_MS + 500;
    expect(await read(known('1'))).toEqual({ is: 10, ms: 1_500 });
    afterMs = 600 + TIMEOUT_MS + 2_000;
    expect((await read(known('2'))).ms).toBe(TIMEOUT_MS);
    const spared = await clock.runUntil(bus.read(known('1'), undefined, 2_600));
    expect(told(spared)).toBe(10);
    line.answer(() => []);
    expect((await read(known('1'))).ms).toBe(2 * TIMEOUT_MS);
    const again = await clock.runUntil(bus.read(known('1')));
    expect(again).toMatchObject({ fault: { code: 'line.silent', restMs: TIMEOUT_MS } });
    expect((await read(known('1'))).ms).toBe(TIMEOUT_MS);
  });

  it('a meter that answers twice leaves its second answer to nobody', async () => {
    let asked = 0;
    line.answer((request) => {
      asked += 1;
      if (request !== '#1\r') return prompt(request);
      // The first answer late, the second as late again: one is always under way.
      return [{ bytes: frameOf('1', 10 + asked), afterMs: TIMEOUT_MS + 100 }];
    });
    await read(known('1'));
    expect((await read(known('1'))).is).toBe(11);
    expect((await read(unknown('2'))).is).toBe(20);
  });

  it('another encoder on the address is told at once, and is no number', async () => {
    line.answer(() => [{ bytes: frameOf('9', 777), afterMs: 50 }]);
    expect(await read(known('1'))).toEqual({ is: 'frame.wrong_id', ms: 50 });
    line.answer(() => [{ bytes: 'V;RB00000777\r', afterMs: 50 }]);
    expect(await read(known('1'))).toEqual({ is: 'frame.wrong_id', ms: 50 });
    line.answer(prompt);
    expect(await read(known('1'))).toEqual({ is: 10, ms: 50 });
  });

  it('a spoilt answer is asked for once more in the same turn', async () => {
    line.answer((request) =>
      line.requests.length === 1 ? [{ bytes: 'V;RB0000#010\r', afterMs: 50 }] : prompt(request),
    );
    expect(await read(known('1'))).toEqual({ is: 10, ms: 100 });
    line.answer(() => [{ bytes: 'V;RB0000?010\r', afterMs: 50 }]);
    expect(await read(known('1'))).toEqual({ is: 'frame.unreadable', ms: 100 });
    expect(line.requests.length).toBe(4);
  });

  it('a slow device whose answer is spoilt, and that is silent then, holds the line no longer than one that is silent at once', async () => {
    line.answer(() => [{ bytes: frameOf('1', 10), afterMs: 900 }]);
    for (let i = 0; i < 20; i += 1) await read(known('1'));
    let asked = 0;
    line.answer(() => {
      asked += 1;
      return asked === 1 ? [{ bytes: 'V;RB0000?010\r', afterMs: 300 }] : [];
    });
    expect(await read(known('1'))).toEqual({ is: 'line.silent', ms: TIMEOUT_MS + 900 });
    expect(asked).toBe(2);
  });

  it('a device that must rest between two questions is not asked twice at once, spoilt answer or not', async () => {
    line.answer(() => [{ bytes: 'V;RB0000#010\r', afterMs: 50 }]);
    const resting = { ...known('1'), profile: { ...PROFILE, minPollS: 15 } };
    expect(await read(resting)).toEqual({ is: 'frame.malformed', ms: 50 });
    expect(line.requests.length).toBe(1);
  });

  it('a spoilt answer that came late is not asked for again: the turn is over', async () => {
    line.answer(() => [{ bytes: 'V;RB0000#010\r', afterMs: 600 }]);
    expect(await read(known('1'))).toEqual({ is: 'frame.malformed', ms: 600 });
    line.answer(() => [{ bytes: 'V;RB0000', afterMs: 50 }]);
    expect(await read(known('1'))).toEqual({ is: 'line.torn', ms: TIMEOUT_MS });
  });

  it('what follows a spoilt answer is not taken for the next', async () => {
    line.answer((request) =>
      request === '#1\r'
        ? [
            { bytes: 'noise\r', afterMs: 50 },
            { bytes: frameOf('1', 10), afterMs: 700 },
          ]
        : [{ bytes: frameOf('2', 20), afterMs: 900 }],
    );
    expect((await read(unknown('1'))).is).toBe('frame.malformed');
    expect((await read(unknown('2'))).is).toBe(20);
  });

  it('an answer of other digits than the dial has is refused and not asked for again', async () => {
    line.answer(() => [{ bytes: `V;RB0000010;IB${idOf('1')}\r`, afterMs: 50 }]);
    expect(await read(known('1'))).toEqual({ is: 'register.digits', ms: 50 });
    expect(line.requests.length).toBe(1);
  });

  it('an adapter that hears its own request is no hindrance', async () => {
    line.answer((request) => [{ bytes: request, afterMs: 5 }, ...prompt(request)]);
    expect(await read(known('1'))).toEqual({ is: 10, ms: 50 });
    expect(await read(unknown('2'))).toEqual({ is: 20, ms: 50 });
  });

  it('bytes that came while nothing was asked are not the answer', async () => {
    line.answer(prompt);
    await read(known('1'));
    line.say(frameOf('1', 99_999));
    expect((await read(known('1'))).is).toBe(10);
    line.say(frameOf('1', 99_999));
    expect((await read(unknown('1'))).is).toBe(10);
  });

  it('a chattering line keeps nobody beyond the time-out', async () => {
    await clock.runUntil(line.open());
    const chatter = async () => {
      for (let i = 0; i < 1_000; i += 1) {
        line.say(frameOf('9', i));
        await clock.sleep(10);
      }
    };
    void chatter();
    expect((await read({ ...known('1'), profile: UNASKED })).ms).toBeLessThanOrEqual(TIMEOUT_MS);
    expect((await read(known('1'))).is).toBe('frame.wrong_id');
  });

  it('a line that gives frames without end and without pause is left at the time-out', async () => {
    const wire = createSystemClock();
    const endless: Line = {
      isOpen: () => true,
      open: async () => good(undefined),
      write: async () => good(undefined),
      receive: () =>
        new Promise((resolve) => {
          setImmediate(() => resolve(good(Buffer.from(frameOf('9', 1).slice(0, -1)))));
        }),
      drain: () => {},
      close: async () => {},
    };
    const flooded = createLineBus({
      line: endless,
      clock: wire,
      timeoutMs: 50,
      reopenMaxMs: 1_000,
      random: () => 0.5,
    });
    const target = { ...known('1'), profile: UNASKED };
    expect(told(await flooded.read(target))).toBe('frame.wrong_id');
  });

  it('a device that speaks by itself is heard from its next whole frame on', async () => {
    await clock.runUntil(line.open());
    const target = { ...known('1'), profile: UNASKED };
    line.say('V;RB000000');
    clock.at(clock.trueNow() + 10, () => line.say('05;IB48213371\r'));
    clock.at(clock.trueNow() + 200, () => line.say(frameOf('2', 6)));
    clock.at(clock.trueNow() + 400, () => line.say(frameOf('1', 7)));
    expect(await read(target)).toEqual({ is: 7, ms: 400 });
    expect(line.requests).toEqual([]);
  });

  it('an absent port costs nobody anything, is tried ever more seldom and for ever', async () => {
    line.unplug();
    line.answer(prompt);
    const tries: number[] = [];
    for (let ms = 0; ms < 120_000; ms += 50) {
      const before = line.opens;
      expect(await read(known('1'))).toEqual({ is: 'port.absent', ms: 0 });
      if (line.opens > before) tries.push(ms);
      await pass(50);
    }
    const pauses = tries.slice(1).map((ms, i) => ms - (tries[i] as number));
    expect(tries[0]).toBe(0);
    // Jitter 0.5: three quarters of 100, 200, ... 30 000 ms, seen each 50 ms.
    expect(pauses.slice(0, 4)).toEqual([100, 150, 300, 600]);
    expect(Math.max(...pauses)).toBe(22_500);
    expect(bus.link()).toMatchObject({ open: false });
    line.plugIn();
    await pass(30_000);
    expect((await read(known('1'))).is).toBe(10);
  });

  it('a line lost in the middle of a question is a fault at once and opens at the next read', async () => {
    line.answer(() => []);
    clock.at(clock.trueNow() + 300, () => line.unplug());
    expect(await read(known('1'))).toEqual({ is: 'port.absent', ms: 300 });
    line.plugIn();
    line.answer(prompt);
    expect(await read(known('1'))).toEqual({ is: 10, ms: 50 });
  });

  it('a port without the right to open it is told as that', async () => {
    line.unplug('port.denied');
    expect((await read(known('1'))).is).toBe('port.denied');
    expect(bus.link().open).toBe(false);
  });

  it('who gives up is let go at once, and closing ends the turn and all later ones', async () => {
    line.answer(() => []);
    const giveUp = new AbortController();
    clock.at(clock.trueNow() + 100, () => giveUp.abort());
    expect(await read(known('1'), giveUp.signal)).toEqual({ is: 'aborted', ms: 100 });
    expect(await read(known('1'), giveUp.signal)).toEqual({ is: 'aborted', ms: 0 });
    clock.at(clock.trueNow() + 100, () => void bus.close());
    const ended = await read(known('1'));
    expect(ended.ms).toBe(100);
    expect(['aborted', 'port.absent']).toContain(ended.is);
    expect(await read(known('1'))).toEqual({ is: 'aborted', ms: 0 });
    expect(line.isOpen()).toBe(false);
  });

  it('the encoder that answered instead is named', async () => {
    line.answer(() => [{ bytes: frameOf('9', 777), afterMs: 50 }]);
    expect(await clock.runUntil(bus.read(known('1')))).toMatchObject({
      fault: { code: 'frame.wrong_id', id: '48213379' },
    });
    line.answer(() => [{ bytes: 'V;RB00000777\r', afterMs: 50 }]);
    const nameless = await clock.runUntil(bus.read(known('1')));
    expect(nameless.ok ? nameless : Object.keys(nameless.fault)).toEqual(['code', 'detail']);
  });

  it('a late answer of another size of dial is passed over too', async () => {
    line.answer((request) =>
      request === '#1\r'
        ? [{ bytes: `V;RB001;IB${idOf('1')}\r`, afterMs: TIMEOUT_MS + 20 }]
        : prompt(request),
    );
    expect(await read(known('1'))).toEqual({ is: 'line.silent', ms: TIMEOUT_MS });
    expect(await read(known('2'))).toEqual({ is: 20, ms: 50 });
  });

  it('two reads at once are a bug', async () => {
    line.answer(prompt);
    const first = bus.read(known('1'));
    await expect(bus.read(known('2'))).rejects.toThrow();
    expect(told(await clock.runUntil(first))).toBe(10);
  });
});

describe('a bus of other framings', () => {
  const busOver = (framing: Framing) => {
    const framed = new ScriptedLine(clock, framing);
    const options = { clock, timeoutMs: TIMEOUT_MS, reopenMaxMs: 30_000, random: () => 0.5 };
    return { framed, over: createLineBus({ line: framed, ...options }) };
  };
  const target = (profile: LineProfile, more: Partial<ReadTarget> = {}): ReadTarget => ({
    ...{ meter: 'SP-1', address: '', profile, dial: profile.dial },
    ...more,
  });
  const readOn = async (over: Bus, place: ReadTarget) =>
    told(await clock.runUntil(over.read(place)));

  it('frames between STX and ETX are asked for and read', async () => {
    const framing: Framing = { kind: 'stx-etx' };
    const { framed, over } = busOver(framing);
    const profile = { ...lineProfile('neptune-arb', framing), request: '#{address}\r' };
    framed.answer((request) => [
      { bytes: request, afterMs: 5 },
      {
        bytes: '\x02200SW\x17000001\x171234567890\x17h\x1758@\x1772\x03\r\n',
        afterMs: 50,
      },
    ]);
    const place = target(profile, { address: '4', registerId: '1234567890' });
    expect(await readOn(over, place)).toBe(158);
    expect(framed.requests).toEqual(['#4\r']);
    expect(await readOn(over, { ...place, registerId: '1234567891' })).toBe('frame.wrong_id');
  });

  it('frames of fixed length are read, and a damaged one is asked for again', async () => {
    const framing: Framing = { kind: 'fixed', start: 'K', length: 29 };
    const { framed, over } = busOver(framing);
    const dial = { digits: 6, unit: 'ft3', pow10: 0 } as const;
    const profile = { ...lineProfile('elster-k', framing), request: '?', dial };
    const frame = 'K0123450012345678306600700000';
    framed.answer(() => [
      { bytes: framed.requests.length === 1 ? frame.replace('0123', '0x23') : frame, afterMs: 50 },
    ]);
    expect(await readOn(over, target(profile, { registerId: '0012345678' }))).toBe(12345);
    expect(framed.requests).toEqual(['?', '?']);
  });

  it('an echo of a request that ends with CR LF is no hindrance', async () => {
    const framing: Framing = { kind: 'delimiter', delimiter: 'CR LF' };
    const { framed, over } = busOver(framing);
    const profile = { ...lineProfile('ui1203', framing), request: '#{address}\r\n' };
    framed.answer((request) => [
      { bytes: request, afterMs: 5 },
      { bytes: frameOf('1', 10).replace('\r', '\r\n'), afterMs: 50 },
    ]);
    expect(await readOn(over, target(profile, { address: '1', registerId: idOf('1') }))).toBe(10);
    expect(framed.requests).toEqual(['#1\r\n']);
  });

  it('both meters of an EtherMeter are read from the line it sends by itself, though it names none', async () => {
    const framing: Framing = { kind: 'delimiter', delimiter: 'CR LF' };
    const { framed, over } = busOver(framing);
    await clock.runUntil(framed.open());
    const profile = lineProfile('ethermeter-ascii', framing);
    for (let i = 1; i <= 2; i += 1) {
      clock.at(clock.trueNow() + i * 700, () =>
        framed.say(`:1234567${i};5${i};0;0;0;0;0;0;0;0;0;0;0\r\n`),
      );
    }
    const place = { address: '', registerId: '48213371' };
    expect(await readOn(over, target({ ...profile, channel: 1 }, place))).toBe(12345671);
    expect(await readOn(over, target({ ...profile, channel: 2 }, place))).toBe(52);
  });
});
