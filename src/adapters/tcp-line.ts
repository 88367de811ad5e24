// A line over a TCP connection to a serial-over-TCP bridge.

import type { Clock, Line, Wire } from '../boundaries.ts';
import { CR_FRAMING, framerOf } from '../codec/framer.ts';
import type { Framing } from '../domain/profile.ts';
import type { PeerSettings } from '../settings/settings.ts';
import { createTcpWire } from './tcp-wire.ts';
import { createWireLine } from './wire-line.ts';

/**
 * A peer that vanished without a word looks like silent meters, and the kernel goes on repeating the request for
 * 15 minutes. After so many answers missed in a row the connection is made anew.
 */
const SILENCES_TO_RECONNECT = 3;

/** A closed line to the bridge at `peer`. `clock` is the wire's. */
export function createTcpLine(options: {
  peer: PeerSettings;
  clock: Clock;
  /** CR unless said otherwise. */
  framing?: Framing;
  /** Puts something between the wire and the line. */
  tap?: (wire: Wire) => Wire;
}): Line {
  const { peer, clock, framing = CR_FRAMING, tap = (wire) => wire } = options;
  return createWireLine({
    wire: tap(createTcpWire({ peer, clock })),
    clock,
    framer: framerOf(framing),
    name: `the connection to ${peer.host}:${peer.port}`,
    silencesToReopen: SILENCES_TO_RECONNECT,
  });
}
