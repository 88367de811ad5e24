// The hour's edge behind gateways of Modbus TCP: planned by what the gateway takes, not by how many it may be asked at once.

import { expect, it } from 'vitest';
import type { Bus } from '../../src/boundaries.ts';
import { createMbapLink } from '../../src/bus/mbap-client.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { ScriptedWire } from '../fakes/scripted-wire.ts';
import type { VirtualClock } from '../fakes/virtual-clock.ts';
import { HOUR, MINUTE, T0 } from '../journal/metered.ts';
import { TIMEOUT, TimedBus } from './timed-bus.ts';

const AT_ONCE = 16;
const REQUEST_BYTES = 12;
const TOLERANCE = 15_000;
const HOURS = 9;
/** By then the gateway is known. */
const KNOWN = 2;

/** When the answer to a question put at `now` is there; undefined for one that is dropped. */
type Gateway = (now: number) => number | undefined;

/** One line behind it: each answer waits for those before it. */
function queueing(eachMs: number): Gateway {
  let busyUntil = 0;
  return (now) => {
    busyUntil = Math.max(busyUntil, now) + eachMs;
    return busyUntil;
  };
}

/** What it is asked while it asks its line is dropped. */
function oneAtOnce(eachMs: number): Gateway {
  const take = queueing(eachMs);
  let busyUntil = 0;
  return (now) => {
    if (busyUntil > now) return undefined;
    busyUntil = take(now) ?? now;
    return busyUntil;
  };
}

const together =
  (ms: number): Gateway =>
  (now) =>
    now + ms;

/** Every total is 0. */
function answer(request: Uint8Array): Uint8Array {
  const words = request[11] ?? 0;
  const head = [...request.subarray(0, 4), 0, 3 + 2 * words, request[6] ?? 0, 3, 2 * words];
  return Uint8Array.of(...head, ...Array<number>(2 * words).fill(0));
}

function busOver(gateway: Gateway): (clock: VirtualClock) => Bus {
  return (clock) => {
    const wire = new ScriptedWire(clock);
    wire.device((bytes) => {
      for (let at = 0; at < bytes.length; at += REQUEST_BYTES) {
        const now = clock.monotonicMs();
        const there = gateway(now);
        const request = bytes.slice(at, at + REQUEST_BYTES);
        if (there !== undefined) wire.say(answer(request), there - now);
      }
    });
    const link = createMbapLink({ wire, clock, atOnce: AT_ONCE });
    const timing = { timeoutMs: TIMEOUT, reopenMaxMs: 30_000, random: () => 0.5 };
    return createModbusBus({ link, clock, ...timing });
  };
}

/** After so many hours behind such a gateway. */
async function lived(gateway: Gateway, meters: number): Promise<TimedBus> {
  const how = { meters, pollMs: 15 * MINUTE, readMs: 0, parallel: AT_ONCE, toleranceMs: TOLERANCE };
  const bus = await new TimedBus({ ...how, over: busOver(gateway) }).start();
  await bus.until(HOURS * 60 + 1);
  await bus.stop();
  return bus;
}

/** How many times a meter was read within the tolerance of one of the known gateway's edges. */
function edgesRead(bus: TimedBus): number {
  const read = new Set<string>();
  for (const { meter, endedAt, ok } of bus.polled) {
    const edge = Math.round((endedAt - T0) / HOUR);
    const isNear = Math.abs(endedAt - T0 - edge * HOUR) <= TOLERANCE;
    if (ok && isNear && edge >= KNOWN) read.add(`${meter}/${edge}`);
  }
  return read.size;
}

it.each([
  ['puts all on one line', 300, 60, queueing],
  ['puts all on one line', 300, 80, queueing],
  ['puts all on one line', 500, 40, queueing],
  ['takes one question at a time', 120, 100, oneAtOnce],
  ['takes one question at a time', 500, 40, oneAtOnce],
])(
  'a gateway that %s, %i ms each, has all its %i meters read for every edge',
  async (_, ms, meters, gateway) => {
    const bus = await lived(gateway(ms), meters);
    expect(edgesRead(bus)).toBe(meters * (HOURS - KNOWN + 1));
  },
);

it('a gateway that answers many at once has its meters read at the edge, none before it', async () => {
  const bus = await lived(together(400), 100);
  const near = bus.asks.map(({ from }) => from - Math.round(from / HOUR) * HOUR);
  const early = near.filter((ms) => ms < 0 && ms > -MINUTE);
  expect(early).toEqual([]);
});
