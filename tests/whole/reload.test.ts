// Other settings over the same journal: no hour is missed, no water is lost, and nothing is sent twice as something else.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReloading } from '../../src/reloading.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { HOUR, START, VirtualWorld } from './virtual-world.ts';

const MINUTE = 60_000;
const ROOT = new URL('../..', import.meta.url).pathname;

/** A file whose settings are other than the world's. */
const FILE = `version: 1
utility: test
collector: COL-1
data: ./journal
upstream: { url: "mqtt://127.0.0.1:9" }
buses:
  - { bus: bus-1, type: modbus-tcp, host: 127.0.0.1, port: 9 }
meters:
  - { meter: SP-1, bus: bus-1, profile: generic-8-digit-modbus, address: 1, poll_s: 900 }
`;

interface Interval {
  readonly start: string;
  readonly q: string;
}

/** Hours of a meter that the head-end has, by their beginning. */
function hoursOf(world: VirtualWorld, meter: string): Interval[] {
  const topic = `/meter/${meter}/interval`;
  return world.broker.received
    .filter((message) => message.topic.endsWith(topic))
    .flatMap(({ payload }) => (JSON.parse(payload) as { intervals: Interval[] }).intervals);
}

const infoOf = (world: VirtualWorld, meter: string) =>
  world.broker.received.filter(({ topic }) => topic.endsWith(`/meter/${meter}/info`)).at(-1)
    ?.payload;

const withMeters = (settings: Settings, meters: Settings['meters']): Settings => ({
  ...settings,
  meters,
});

describe('settings changed while water runs', () => {
  it('every hour of every meter that stays is read at both edges, whenever the change comes', async () => {
    const world = new VirtualWorld({ seed: 11, meters: 6 });
    await world.start();
    // In the middle of an hour, at its edges, in the minutes before and after them.
    for (const minutes of [90, 119, 120, 121, 179.9, 180.1, 238, 301]) {
      await world.clock.run(START + minutes * MINUTE);
      const pollS = minutes % 2 === 0 ? 600 : 900;
      const meters = world.settings.meters.map((meter) => ({ ...meter, pollS }));
      await world.reload(withMeters(world.settings, meters));
    }
    await world.clock.run(START + 7 * HOUR + 10 * MINUTE);
    expect(world.audit().findings).toEqual([]);
    for (const { settings } of world.places) {
      const hours = hoursOf(world, settings.meter);
      const first = hours[0]?.start ?? '';
      const bad = hours.filter(({ start, q }) => q !== 'A' && start !== first);
      expect([settings.meter, bad]).toEqual([settings.meter, []]);
      expect(new Set(hours.map(({ start }) => start)).size).toBe(7);
      expect(hours).toHaveLength(7);
    }
    await world.stop();
  });

  it('waits until the reads for the hour’s edge are over', async () => {
    const world = new VirtualWorld({ seed: 12, meters: 4 });
    await world.start();
    await world.clock.run(START + HOUR - 5_000);
    const reload = world.beginReload(world.settings);
    let done = 0;
    void reload.then(() => {
      done = world.clock.trueNow();
    });
    await world.clock.run(START + HOUR + 10 * MINUTE);
    await reload;
    expect(done).toBeGreaterThan(START + HOUR + 15_000);
    expect(done).toBeLessThan(START + HOUR + 2 * MINUTE);
    await world.stop();
  });

  it('a meter that is added is read, described and published; one that goes is cleared', async () => {
    const world = new VirtualWorld({ seed: 13, meters: 4 });
    const [first, ...others] = world.settings.meters;
    if (!first) throw new Error('no meter');
    const all = world.settings;
    Object.assign(world.settings, { meters: others });
    await world.start();
    await world.run(1.5);
    expect(infoOf(world, first.meter)).toBeUndefined();
    await world.reload(withMeters(all, [first, ...others.slice(1)]));
    await world.run(3);
    expect(JSON.parse(infoOf(world, first.meter) ?? '{}')).toMatchObject({ meter: first.meter });
    expect(hoursOf(world, first.meter).filter(({ q }) => q === 'A').length).toBeGreaterThan(0);
    expect(infoOf(world, others[0]?.meter ?? '')).toBe('');
    await world.stop();
  });

  it('what waited for the head-end’s word is waited for again, and is settled by it', async () => {
    const world = new VirtualWorld({ seed: 14, meters: 3 });
    await world.start();
    const say = (path: string, message: object) =>
      world.broker.say(`watermeter-v1/test/${path}`, JSON.stringify({ v: 1, ...message }));
    say('_headend/state', { type: 'headend', state: 'online', session: 's1', ack: 'required' });
    await world.run(3.2);
    const waiting = (await world.ask('queue.status')) as { pending: number; last_row: number };
    expect(waiting.pending).toBeGreaterThan(0);
    await world.reload(world.settings);
    await world.run(0.2);
    const epoch = ((await world.ask('status')) as { epoch: string }).epoch;
    const sent = new Date(world.clock.trueNow()).toISOString();
    say('COL-1/dn/ack', {
      ...{ type: 'ack', collector: 'COL-1', epoch, row: waiting.last_row, missing: [], sent },
    });
    await world.run(0.1);
    expect(await world.ask('queue.status')).toMatchObject({ pending: 0 });
    await world.stop();
    expect(world.audit().findings).toEqual([]);
  });
});

describe('settings that wait for the hour’s edge', () => {
  it('and cannot be gone on with then are told as not applied, and the collector ends in order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reload-'));
    const file = join(folder, 'settings.yaml');
    await writeFile(file, FILE);
    const world = new VirtualWorld({ seed: 15, meters: 2 });
    await world.start();
    await world.clock.run(START + 2 * HOUR - 5_000);
    const reloading = createReloading({
      ...{ settings: world.settings, file, root: ROOT, collector: async () => world.running },
      log: Object.assign(world.log, { setLevel: () => undefined }),
    });
    await writeFile(file, FILE.replace('poll_s: 900', 'poll_s: 300'));
    const applied = await reloading.apply();
    expect(applied).toMatchObject({ ok: true, applied: [{ path: '/meters/SP-1/poll_s' }] });
    world.breakBuses();
    await world.clock.run(START + 2 * HOUR + 2 * MINUTE);
    await world.clock.runUntil(world.running.stopped);
    const wrong = world.log.lines.filter(({ level }) => level === 'error');
    expect(wrong).toContainEqual(
      expect.objectContaining({
        fields: expect.objectContaining({ applied: ['/meters/SP-1/poll_s'] }),
      }),
    );
    // What was read until then is on the medium, and is sent by the next.
    await world.start();
    await world.run(2);
    expect(world.audit().findings).toEqual([]);
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });
});
