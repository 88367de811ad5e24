// A broker, a meter, a port away for hours, on real parts: nothing is lost, and the others do not notice.

import { afterEach, describe, expect, it } from 'vitest';
import { passes } from '../../simulator/audit.ts';
import { aedes, hasMosquitto, mosquitto, type RealBroker } from '../fakes/real-brokers.ts';
import { HOUR, START, Street } from './street.ts';

let street: Street | undefined;
afterEach(async () => {
  await street?.close();
  street = undefined;
});

async function brokerAwayFor48Hours(broker: RealBroker): Promise<void> {
  street = await Street.open({ seed: 51, speed: 7_200, broker });
  street.start();
  await street.arrived(3);
  street.gate.isOpen = false;
  await broker.stop();
  const away = Math.ceil((street.world.now() - START) / HOUR);
  await street.reach(away + 48);
  await broker.start();
  await street.headEndHears();
  street.gate.isOpen = true;
  const back = street.world.now();
  await street.arrived(away + 58, 30_000);
  expect(await street.stop()).toBe(true);
  const result = street.audit(away + 58);
  expect(result.findings).toEqual([]);
  expect(passes(result)).toBe(true);
  // Live hours of after the return: from their end to the head-end, in real milliseconds.
  const delays = street.heard
    .filter(({ start }) => start > back + 4 * HOUR)
    .map(({ start, at }) => (at - start - HOUR) / 7_200)
    .sort((a, b) => a - b);
  expect(delays.length).toBeGreaterThan(8);
  expect(delays[Math.floor(delays.length / 2)]).toBeLessThan(1_000);
}

describe('the broker gone for 48 hours, then back: the backfill completes beside the live hours', () => {
  it.skipIf(!hasMosquitto)(
    'on Mosquitto (needs mosquitto)',
    async () => {
      await brokerAwayFor48Hours(await mosquitto({ acl: 'topic readwrite #' }));
    },
    150_000,
  );

  it('on aedes', async () => {
    await brokerAwayFor48Hours(await aedes());
  }, 150_000);
});

describe('one sick thing never hurts a well one', () => {
  it('a silent meter and an unplugged port: the others stay actual, the sick ones have gaps', async () => {
    const broker = await aedes();
    const faults = [
      { kind: 'silent', meter: 'SP-00001', from: 3.3, to: 6.6 },
      { kind: 'unplug', bus: 'bus-3', from: 4.3, to: 7.6 },
    ] as const;
    street = await Street.open({ seed: 61, speed: 1_200, broker, faults });
    street.start();
    await street.arrived(11, 60_000);
    expect(await street.stop()).toBe(true);
    const result = street.audit(11);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
    for (const { meter, bus } of street.world.truth.meters) {
      const told = street
        .hoursOf(meter)
        .slice(1, 11)
        .map((hour) => hour.q);
      const sick = meter === 'SP-00001' || bus === 'bus-3';
      if (sick) expect(told.join('')).toMatch(/^A+P?M+P?A+$/);
      else expect(told.join('')).toMatch(/^A+$/);
    }
    const gaps = street.headEnd.entries().filter((entry) => entry.kind === 'gap');
    expect(gaps.map((gap) => gap.meter)).toContain('SP-00001');
    expect(gaps.length).toBe(3);
  }, 90_000);
});
