// Where lines begin and end in a stream, however it is cut into pieces.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_CAP } from '../../src/codec/encoder-line.ts';
import { delimiterSplitter, LineFramer } from '../../src/codec/line-framer.ts';

function linesOf(framer: LineFramer, text: string): string[] {
  return framer
    .push(Buffer.from(text, 'latin1'))
    .map((item) =>
      item === 'overlong' ? '(overlong)' : Buffer.from(item.frame).toString('latin1'),
    );
}

describe('lines in a stream', () => {
  it('the same lines come out however the stream is cut', () => {
    const chunk = fc.constantFrom(
      'R2261',
      'V;RB',
      '\r',
      '\r\n',
      'x',
      'y'.repeat(FRAME_CAP),
      '\x8d',
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), fc.array(fc.nat(400)), (chunks, cuts) => {
        const stream = chunks.join('');
        const whole = linesOf(new LineFramer(delimiterSplitter('CR')), stream);
        const pieces = new LineFramer(delimiterSplitter('CR'));
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort(
          (a, b) => a - b,
        );
        const cut = places
          .slice(1)
          .flatMap((end, i) => linesOf(pieces, stream.slice(places[i], end)));
        expect(cut).toEqual(whole);
        for (const line of whole)
          expect(line === '(overlong)' || line.length <= FRAME_CAP).toBe(true);
      }),
    );
  });

  it('CR with its parity bit ends a line too, LF behind CR and empty lines are nothing', () => {
    expect(linesOf(new LineFramer(delimiterSplitter('CR')), 'a\r\nb\x8d\r\r\nc\r')).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('the spikes of a driver that takes the line are not of the message behind them; a line held down is told', () => {
    for (const delimiter of ['CR', 'CR LF'] as const) {
      const framer = new LineFramer(delimiterSplitter(delimiter), delimiter);
      expect(linesOf(framer, '\0\0\xffR1\r\n\0R2\r\n')).toEqual(['R1', 'R2']);
      expect(linesOf(framer, '\0')).toEqual([]);
      expect(framer.isPartial()).toBe(false);
      expect(linesOf(framer, 'R\x003\r\n')).toEqual(['R\x003']);
      expect(linesOf(framer, '\0'.repeat(2 * FRAME_CAP))).toEqual(['(overlong)']);
    }
  });

  it('an endless line is told each time the cap is passed, and the tail of it is no line', () => {
    const framer = new LineFramer(delimiterSplitter('CR'));
    expect(linesOf(framer, `whole\r${'x'.repeat(FRAME_CAP + 1)}`)).toEqual(['whole', '(overlong)']);
    expect(linesOf(framer, 'x'.repeat(FRAME_CAP + 1))).toEqual(['(overlong)']);
    expect(linesOf(framer, 'R226107229550\rnext\r')).toEqual(['next']);
  });

  it('forgetting a line under way drops its tail, forgetting noise does not', () => {
    const underway = new LineFramer(delimiterSplitter('CR'));
    linesOf(underway, 'V;RB00');
    underway.forget(true);
    expect(linesOf(underway, '000200\rnext\r')).toEqual(['next']);
    const noise = new LineFramer(delimiterSplitter('CR'));
    linesOf(noise, '\x00');
    noise.forget(false);
    expect(linesOf(noise, 'R226107229550\r')).toEqual(['R226107229550']);
  });
});
