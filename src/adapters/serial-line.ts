// A line over a serial port, cut into lines by the serial library's own parser.

import { ReadlineParser } from '@serialport/parser-readline';
import type { Clock, Line, Wire } from '../boundaries.ts';
import { CR_FRAMING, framerOf } from '../codec/framer.ts';
import type { Delimiter, LineSplitter } from '../codec/line-framer.ts';
import type { Framing } from '../domain/profile.ts';
import type { SerialSettings } from '../settings/settings.ts';
import { createSerialWire } from './serial-wire.ts';
import { createWireLine } from './wire-line.ts';

/** A closed line over the port of `settings`. `clock` is the wire's. The port is locked while it is open. */
export function createSerialLine(options: {
  settings: SerialSettings;
  clock: Clock;
  /** CR unless said otherwise. */
  framing?: Framing;
  /** Puts something between the wire and the line. */
  tap?: (wire: Wire) => Wire;
}): Line {
  const { settings, clock, framing = CR_FRAMING, tap = (wire) => wire } = options;
  return createWireLine({
    wire: tap(createSerialWire({ settings, clock })),
    clock,
    framer: framerOf(framing, readlineSplitter),
    name: settings.path,
  });
}

/**
 * The library's parser, read in step with its writes. It has no bound of its own and, when ended, gives a torn tail
 * as a line: so it only sees guarded bytes, is never ended, and is thrown away to forget.
 */
function readlineSplitter(delimiter: Delimiter): LineSplitter {
  const newParser = () =>
    new ReadlineParser({
      delimiter: delimiter === 'CR' ? '\r' : '\r\n',
      // Latin-1 keeps all 8 bits; object mode gives one line a read.
      encoding: 'latin1',
      readableObjectMode: true,
    });
  let parser = newParser();
  return {
    split(bytes) {
      const lines: Uint8Array[] = [];
      parser.write(Buffer.from(bytes));
      for (let line = parser.read(); line !== null; line = parser.read()) {
        lines.push(Uint8Array.from(Buffer.from(line, 'latin1')));
      }
      return lines;
    },
    forget() {
      parser = newParser();
    },
  };
}
