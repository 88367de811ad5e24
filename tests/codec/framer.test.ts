// Where frames without a delimiter, or with CR LF, begin and end in a stream, however it is cut into pieces.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutDelimiter } from '../../src/codec/frame-edges.ts';
import { framerOf, framingName } from '../../src/codec/framer.ts';
import type { Framer } from '../../src/codec/line-framer.ts';
import { FRAME_CAP, withEvenParity } from '../../src/codec/seven-bit.ts';
import type { Framing } from '../../src/domain/profile.ts';

const CR_LF: Framing = { kind: 'delimiter', delimiter: 'CR LF' };
const SPAN: Framing = { kind: 'stx-etx' };
const FIXED: Framing = { kind: 'fixed', start: 'K', length: 5 };
const ALL: readonly Framing[] = [{ kind: 'delimiter', delimiter: 'CR' }, CR_LF, SPAN, FIXED];

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const parity = (text: string) => bytes(text).map(withEvenParity);

function framesOf(framer: Framer, stream: string | Uint8Array): string[] {
  const pushed = framer.push(typeof stream === 'string' ? bytes(stream) : stream);
  return pushed.map((item) =>
    item === 'overlong' ? '(overlong)' : Buffer.from(item.frame).toString('latin1'),
  );
}

const inOneGo = (framing: Framing, stream: string | Uint8Array) =>
  framesOf(framerOf(framing), stream);

describe('frames in a stream', () => {
  it.each(ALL)('the same frames come out however the stream is cut: %o', (framing) => {
    const chunk = fc.constantFrom(
      ...['K12', '34', 'K', '\r', '\r\n', '\n', '\x02', '\x03', '\x82', '\x8d', 'x'],
      'y'.repeat(FRAME_CAP),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), fc.array(fc.nat(400)), (chunks, cuts) => {
        const stream = chunks.join('');
        const whole = inOneGo(framing, stream);
        const pieces = framerOf(framing);
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort(
          (a, b) => a - b,
        );
        const cut = places
          .slice(1)
          .flatMap((end, i) => framesOf(pieces, stream.slice(places[i], end)));
        expect(cut).toEqual(whole);
        for (const frame of whole)
          expect(frame === '(overlong)' || frame.length <= FRAME_CAP).toBe(true);
      }),
    );
  });

  it.each(ALL)('no stream makes a framer throw, nor hold more than the cap: %o', (framing) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (pushes) => {
        const framer = framerOf(framing);
        const items = pushes.flatMap((push) => framer.push(push));
        for (const item of items)
          expect(item === 'overlong' || item.frame.length <= FRAME_CAP).toBe(true);
      }),
    );
  });
});

describe('lines ended by CR LF', () => {
  it('end at CR or LF alone, too: a device or bridge that sends one of them is not torn', () => {
    expect(inOneGo(CR_LF, ':1;2\r\n:3;4\r\n')).toEqual([':1;2', ':3;4']);
    expect(inOneGo(CR_LF, ':1\r:2\n:3\r\r\n:4')).toEqual([':1', ':2', ':3']);
    expect(inOneGo(CR_LF, '\r\n\r\n\n:1\r\n')).toEqual([':1']);
  });

  it('end where 7E1 shows its CR with the parity bit', () => {
    expect(inOneGo(CR_LF, parity(':1;2\r\n'))).toEqual([
      Buffer.from(parity(':1;2')).toString('latin1'),
    ]);
  });

  it('a tail under way is dropped, and what is left of a line end is nothing', () => {
    const framer = framerOf(CR_LF);
    framesOf(framer, ':1;');
    expect(framer.isPartial()).toBe(true);
    framer.forget(true);
    expect(framesOf(framer, '2\r\n:3;4\r\n')).toEqual([':3;4']);
    expect(framesOf(framer, ':5\r')).toEqual([':5']);
    expect(framer.isPartial()).toBe(false);
    framer.forget(true);
    expect(framesOf(framer, '\n:6\r\n')).toEqual([':6']);
  });

  it('noise that is forgotten is no tail, nor is what comes after a pause', () => {
    const framer = framerOf(CR_LF);
    framesOf(framer, 'U\x15');
    framer.forget(true);
    expect(framesOf(framer, ':1\r\n')).toEqual([':1']);
    framesOf(framer, ':2;');
    framer.forget(true);
    framer.paused();
    expect(framesOf(framer, ':3\r\n')).toEqual([':3']);
  });

  it('an endless line is told each time the cap is passed', () => {
    const framer = framerOf(CR_LF);
    expect(framesOf(framer, 'x'.repeat(FRAME_CAP + 1))).toEqual(['(overlong)']);
    expect(framesOf(framer, 'tail\r\nnext\r\n')).toEqual(['next']);
  });
});

describe('frames between STX and ETX', () => {
  it('come without them, and what lies between two frames is nothing', () => {
    expect(inOneGo(SPAN, '\x02one\x03\r\nnoise\x02two\x03')).toEqual(['one', 'two']);
    expect(inOneGo(SPAN, 'no frame\x03')).toEqual([]);
  });

  it('begin at an STX with its parity bit too', () => {
    expect(inOneGo(SPAN, '\x82one\x03')).toEqual(['one']);
    expect(inOneGo(SPAN, '\x02one\x83two\x03')).toEqual(['one\x83two']);
  });

  it('an STX within a frame begins anew: what came before it was torn', () => {
    expect(inOneGo(SPAN, '\x02torn\x02whole\x03')).toEqual(['whole']);
  });

  it('a tail under way is dropped, a frame without an end and endless noise are told', () => {
    const framer = framerOf(SPAN);
    framesOf(framer, '\x02half');
    expect(framer.isPartial()).toBe(true);
    framer.forget(true);
    expect(framer.isPartial()).toBe(false);
    expect(framesOf(framer, 'rest\x03\x02next\x03')).toEqual(['next']);
    expect(framesOf(framer, `\x02${'x'.repeat(FRAME_CAP + 1)}`)).toEqual(['(overlong)']);
    expect(framesOf(framer, 'x'.repeat(FRAME_CAP + 1))).toEqual(['(overlong)']);
    expect(framesOf(framer, '\x02next\x03')).toEqual(['next']);
  });
});

describe('frames of a fixed length', () => {
  it('begin at their start character and end by count', () => {
    expect(inOneGo(FIXED, 'xxK1234K5678')).toEqual(['K1234', 'K5678']);
    expect(inOneGo(FIXED, 'K1K34')).toEqual(['K1K34']);
    expect(inOneGo(FIXED, 'K1234\r\n')).toEqual(['K1234']);
  });

  it('begin at a start character with its parity bit too', () => {
    const framing: Framing = { kind: 'fixed', start: 'C', length: 3 };
    expect(withEvenParity(0x43)).toBe(0xc3);
    expect(inOneGo(framing, 'C12\xc334')).toEqual(['C12', '\xc334']);
  });

  it('a tail under way is dropped to its last character, even one that looks like a start', () => {
    const framer = framerOf(FIXED);
    framesOf(framer, 'K12');
    framer.forget(true);
    expect(framesOf(framer, 'K4K5678')).toEqual(['K5678']);
    framesOf(framer, 'K12');
    framer.forget(true);
    framer.forget(true);
    expect(framesOf(framer, '34K5678')).toEqual(['K5678']);
    framesOf(framer, 'K12');
    framer.forget(false);
    expect(framesOf(framer, 'K5678')).toEqual(['K5678']);
  });

  it('an echo that begins like a frame and ends with a line is none, and the tail of one is awaited no longer than it pauses', () => {
    expect(inOneGo({ kind: 'fixed', start: 'K', length: 5 }, 'K1\rK1234')).toEqual(['K1234']);
    const framer = framerOf({ kind: 'fixed', start: 'K', length: 5 });
    framesOf(framer, 'K12');
    framer.forget(true);
    framer.paused();
    expect(framesOf(framer, 'K5678')).toEqual(['K5678']);
  });

  it('noise without a start is partial, and told when it has no end', () => {
    const framer = framerOf(FIXED);
    expect(framesOf(framer, 'x'.repeat(FRAME_CAP))).toEqual([]);
    expect(framer.isPartial()).toBe(true);
    expect(framesOf(framer, 'x')).toEqual(['(overlong)']);
  });
});

describe('a frame that was written down', () => {
  it.each([
    ['a line with CR', { kind: 'delimiter', delimiter: 'CR' }, 'R1\r', 'R1'],
    ['a line with CR LF', CR_LF, 'R1\r\n', 'R1'],
    ['a line with LF, as editors leave it', CR_LF, 'R1\n', 'R1'],
    ['a line with CR in 7E1', CR_LF, 'R1\x8d', 'R1'],
    ['a line without its end', CR_LF, 'R1', 'R1'],
    ['a frame with STX and ETX', SPAN, '\x02R1\x03', 'R1'],
    ['a frame with STX in 7E1', SPAN, '\x82R1\x03', 'R1'],
    ['a frame without them', SPAN, 'R1', 'R1'],
    ['a torn frame is left as it is', SPAN, '\x02R1', '\x02R1'],
    ['a frame of fixed length', FIXED, 'K1234', 'K1234'],
    ['a line behind a spike', CR_LF, '\0\xff\0R1\r', 'R1'],
    ['a frame of fixed length with the line end of a bridge', FIXED, '\0K1234\r\n', 'K1234'],
    ['a frame with STX, ETX and the line end of a bridge', SPAN, '\0\x02R1\x03\r\n', 'R1'],
    ['nothing', CR_LF, '', ''],
  ] as const)('%s is taken out of its delimiter', (_what, framing, written, frame) => {
    expect(Buffer.from(withoutDelimiter(framing, bytes(written))).toString('latin1')).toBe(frame);
  });

  it('framings have different names', () => {
    expect(new Set(ALL.map(framingName)).size).toBe(ALL.length);
  });
});
