// What bridges make of an encoder's message on its way: read as it was meant, or refused, and never in the way of the next.

import { describe, expect, it } from 'vitest';
import { createWireLine } from '../../src/adapters/wire-line.ts';
import { createLineBus } from '../../src/bus/line-bus.ts';
import { framerOf } from '../../src/codec/framer.ts';
import { withEvenParity } from '../../src/codec/seven-bit.ts';
import type { LineProfile } from '../../src/domain/profile.ts';
import { loadProfiles } from '../../src/settings/load-profiles.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const { devices } = await loadProfiles(ROOT);
const profileOf = (name: string) => {
  const found = devices.find(({ profile }) => profile.name === name)?.profile;
  if (found?.transport !== 'line') throw new Error(`no line profile ${name}`);
  return found;
};
const EIGHT = profileOf('generic-8-digit-line');
const FOUR = profileOf('generic-4-digit-line');
const ETHER = profileOf('scadametrics-ethermeter-ascii');

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A bus over a wire whose device is still to be told. */
function busOf(profile: LineProfile) {
  const clock = new VirtualClock();
  const wire = new ScriptedWire(clock);
  const line = createWireLine({ wire, clock, framer: framerOf(profile.framing), name: 'it' });
  const timing = { timeoutMs: 3_000, reopenMaxMs: 30_000, random: () => 0.5 };
  return { clock, wire, bus: createLineBus({ line, clock, ...timing }) };
}

/** What a bus makes of these answers to its questions, one after the other; devices that speak by themselves say them by and by. */
async function answered(
  profile: LineProfile,
  says: readonly (string | Uint8Array)[],
  registerId?: string,
) {
  const { clock, wire, bus } = busOf(profile);
  const left = says.map((said) => (typeof said === 'string' ? bytes(said) : said));
  const say = () => wire.say(left[0] ?? bytes(''), 300);
  wire.device(say);
  const { dial } = profile;
  const target = { meter: 'SP-1', address: '1', profile, dial, ...(registerId && { registerId }) };
  const told: (number | string)[] = [];
  while (left.length > 0) {
    const reading = bus.read(target);
    if (profile.request === undefined) void clock.sleep(0).then(say);
    const read = await clock.runUntil(reading);
    told.push(read.ok ? read.value.register : read.fault.code);
    left.shift();
    await clock.run(clock.trueNow() + 60_000);
  }
  await clock.runUntil(bus.close());
  return told;
}

const MESSAGE = 'V;RB01234567;IB48213371';
const FIXED = 'R226107229550';
const LINE = ':1234567;47;0;0;0;0;0;0;0;0;1;0;1';

describe('an encoder’s message is read', () => {
  it.each([
    ['ended by LF alone', '\n'],
    ['ended by LF CR', '\n\r'],
    ['ended by CR LF', '\r\n'],
    ['ended by CR CR LF', '\r\r\n'],
    ['ended by CR and a NUL', '\r\0'],
    ['with blanks behind it', '   \r'],
    ['filled up with NULs', '\0\0\0\0\r'],
    ['with a tab behind it', '\t\r\n'],
  ])('%s', async (_how, end) => {
    const [eight, four] = [`${MESSAGE}${end}`, `${FIXED}${end}`];
    expect(await answered(EIGHT, [eight, eight, eight])).toEqual([1234567, 1234567, 1234567]);
    expect(await answered(FOUR, [four, four, four])).toEqual([2261, 2261, 2261]);
  });

  it('with a semicolon behind its last field', async () => {
    expect(await answered(EIGHT, [`${MESSAGE};\r`])).toEqual([1234567]);
  });

  it.each([0xfe, 0xfc, 0xf8, 0xf0, 0xe0, 0xc0, 0x80, 0x00, 0xff])(
    'behind the spike %i of a driver that takes the line',
    async (spike) => {
      const said = Uint8Array.of(spike, ...bytes(`${MESSAGE}\r`));
      const withParity = Uint8Array.of(spike, ...bytes(`${FIXED}\r`).map(withEvenParity));
      expect(await answered(EIGHT, [said, said])).toEqual([1234567, 1234567]);
      expect(await answered(FOUR, [withParity, withParity])).toEqual([2261, 2261]);
    },
  );

  it('with even parity in its highest bits, line end, blanks and all', async () => {
    for (const end of ['\r', '\r\n', '\n', ' \r']) {
      const said = bytes(`${MESSAGE}${end}`).map(withEvenParity);
      expect(await answered(EIGHT, [said, said])).toEqual([1234567, 1234567]);
    }
  });
});

describe('an answer is read, and so is the next', () => {
  const times = [1, 2, 3];
  it.each([
    ['behind a line of the bridge’s own', 'OK\r\n', ''],
    ['behind the tail of the message before', '371\r', ''],
    ['behind noise', '\x15\xa3 ', ''],
    ['behind a prompt', 'READ> ', ''],
    ['behind an echo that a bridge ends otherwise', '#1\r\n#1\n', ''],
    ['behind an empty line and blanks', '\r\n   ', ''],
    ['before noise', '', '\x15U\xa3'],
    ['before a prompt', '', '> '],
  ])('%s', async (_how, before, behind) => {
    const [eight, four] = [MESSAGE, FIXED].map((one) => `${before}${one}\r${behind}`) as string[];
    expect(
      await answered(
        EIGHT,
        times.map(() => eight ?? ''),
        '48213371',
      ),
    ).toEqual(Array(3).fill(1234567));
    expect(
      await answered(
        FOUR,
        times.map(() => four ?? ''),
      ),
    ).toEqual(Array(3).fill(2261));
  });

  it('behind an echo of a question without a line end', async () => {
    const asked = { ...EIGHT, request: 'Q{address}' };
    expect(await answered(asked, ['Q1V;RB01234567;IB48213371\r'])).toEqual([1234567]);
  });

  it('behind a bridge that hangs up after each', async () => {
    const { clock, wire, bus } = busOf(EIGHT);
    wire.device(() => {
      const { opens } = wire;
      wire.say(bytes(`${MESSAGE}\r`), 30);
      void clock.sleep(30).then(() => {
        if (wire.opens !== opens) return;
        wire.unplug();
        wire.plugIn();
      });
    });
    const { dial } = EIGHT;
    for (const address of ['1', '2', '3']) {
      const target = { meter: `SP-${address}`, address, profile: EIGHT, dial };
      expect(await clock.runUntil(bus.read(target))).toMatchObject({ ok: true });
    }
    await clock.runUntil(bus.close());
  });

  it('when noise behind one answer is heard while the next meter is asked', async () => {
    const { clock, wire, bus } = busOf(EIGHT);
    wire.device(() => wire.say(bytes(`${MESSAGE}\rU\x15`), 30));
    for (const address of ['1', '2', '3', '4']) {
      const target = { meter: `SP-${address}`, address, profile: EIGHT, dial: EIGHT.dial };
      const read = await clock.runUntil(bus.read(target));
      expect(read).toMatchObject({ ok: true });
    }
    await clock.runUntil(bus.close());
    expect(clock.monotonicMs()).toBeLessThan(4 * 3_000);
  });

  it('that comes a second behind the bridge’s own word', async () => {
    const { clock, wire, bus } = busOf(EIGHT);
    wire.device(() => {
      wire.say(bytes('READING\r\n'), 30);
      wire.say(bytes(`${MESSAGE}\r\n`), 1_030);
    });
    const { dial } = EIGHT;
    const target = { meter: 'SP-1', address: '1', profile: EIGHT, dial, registerId: '48213371' };
    for (let i = 0; i < 3; i += 1) {
      expect(await clock.runUntil(bus.read(target))).toMatchObject({ ok: true });
    }
    // One whose word is all it says costs less than its time-out.
    wire.device(() => wire.say(bytes('ERROR\r\n'), 30));
    const before = clock.monotonicMs();
    const read = await clock.runUntil(bus.read(target));
    expect(read).toMatchObject({ ok: false, fault: { code: 'frame.malformed' } });
    expect(clock.monotonicMs() - before).toBeLessThan(3_000);
    await clock.runUntil(bus.close());
  });
});

describe('the line of an EtherMeter is read', () => {
  it.each([
    ['ended by CR alone', `${LINE}\r`],
    ['ended by LF alone', `${LINE}\n`],
    ['behind noise', `\x15\xa3 ${LINE}\r\n`],
    ['ended by CR CR LF, as a terminal makes of CR LF', `${LINE}\r\r\n`],
    ['with blanks behind it', `${LINE}  \r\n`],
    ['behind a spike', `\xf8${LINE}\r\n`],
  ])('%s', async (_how, said) => {
    expect(await answered(ETHER, [said, said])).toEqual([1234567, 1234567]);
  });
});

it.each([' ', '\0'])(
  'an identification whose last character arrived as %j is no other encoder',
  async (wrong) => {
    const damaged = `V;RB01234567;IB4821337${wrong}\r`;
    const told = await answered(EIGHT, [damaged, `${MESSAGE} \r`, 'V;RB1;IB999\r'], '48213371');
    expect(told).toEqual(['frame.malformed', 1234567, 'frame.wrong_id']);
  },
);

describe('what is not an encoder’s message is refused, and the next one read', () => {
  it.each([
    ['cut off within its reading', 'V;RB012345', 'line.torn'],
    ['cut off and ended', 'V;RB012345\r', 'register.digits'],
    ['cut in two by LF', 'V;RB0123\n4567;IB48213371\r', 'register.digits'],
    ['with another letter case', `${MESSAGE.toLowerCase()}\r`, 'frame.malformed'],
    ['with a blank within its reading', 'V;RB0123 567;IB48213371\r', 'frame.malformed'],
    [
      'with odd parity',
      bytes(`${MESSAGE}\r`).map((one) => withEvenParity(one) ^ 0x80),
      'frame.malformed',
    ],
    ['with a minus', 'V;RB-1234567;IB48213371\r', 'frame.malformed'],
    [
      'a blank where the last digit of a reading was',
      'V;IB48213371;RB01234567 \r',
      'frame.malformed',
    ],
    ['a semicolon in its place', 'V;IB48213371;RB0123456;\r', 'frame.malformed'],
    ['nothing but a prompt', '> \r', 'frame.malformed'],
    ['nothing but line ends', '\r\n\r\n', 'line.silent'],
    ['nothing but NULs', '\0\0\0', 'line.silent'],
    ['a wheel between two digits', 'V;RB0123?567;IB48213371\r', 'frame.unreadable'],
  ] as const)('%s', async (_how, said, code) => {
    // What helps at once is asked a second time, and said a second time.
    expect(await answered(EIGHT, [said, `${MESSAGE}\r`])).toEqual([code, 1234567]);
  });
});
