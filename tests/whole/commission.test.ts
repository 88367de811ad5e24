// A meter commissioned step by step on a collector that runs: what is proved, what is refused, what outlives a cut.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ConfigStep, Configuring } from '../../src/commands/config.ts';
import { good } from '../../src/domain/fault.ts';
import { HOUR, START, VirtualWorld } from './virtual-world.ts';

const MINUTE = 60_000;
const METER = 'SP-00001';
const OTHER = 'SP-00005';

interface Told {
  readonly id: string;
  readonly meter: string | null;
  readonly next: string | null;
  readonly done: boolean;
  readonly steps: readonly {
    readonly step: string;
    readonly state: string;
    readonly result: Record<string, unknown> | null;
  }[];
}

/** Water that runs behind one meter from one instant on, in counts a minute, on top of its household's. */
function openTap(world: VirtualWorld, meter: string, perMinute: number): () => void {
  const place = world.places.find(({ settings }) => settings.meter === meter);
  if (!place) throw new Error(`there is no ${meter}`);
  const plain = place.meter.countAt.bind(place.meter);
  const from = world.clock.trueNow();
  let to = Number.POSITIVE_INFINITY;
  place.meter.countAt = (at) =>
    plain(at) + Math.floor((perMinute * Math.max(0, Math.min(at, to) - from)) / MINUTE);
  return () => {
    to = world.clock.trueNow();
  };
}

/** A settings file that knows all meters of the street, whichever of them it names. */
function fileOf(state: { steps: readonly ConfigStep[] }) {
  return (world: VirtualWorld): Configuring => {
    const all = world.settings;
    const edited = (steps: readonly ConfigStep[]) => {
      state.steps = steps;
      const meters = all.meters
        .map(({ meter }) => ({ meter }))
        .filter(({ meter }) => meter !== OTHER);
      const said = { meters };
      return { ok: true, revBefore: 'a', rev: 'b', text: '', said, warnings: [] } as const;
    };
    return {
      edit: async (steps) => edited(steps),
      write: async () => good(undefined),
      setLogLevel: () => undefined,
      reloading: {
        running: async () => edited([]),
        async apply() {
          await world.beginReload(all);
          return { ok: true, applied: [], restartRequired: [], inMs: 0 };
        },
      },
    };
  };
}

async function begun(world: VirtualWorld, about: object = { meter: METER }): Promise<Told> {
  return (await world.ask('commission.begin', { ...about, by: 'Ana' })) as Told;
}

const stepIn = (told: Told, name: string) => told.steps.find(({ step }) => step === name);

function bench(world: VirtualWorld, { id }: Told) {
  const get = async () => (await world.ask('commission.get', { id })) as Told;
  return {
    get,
    /** Does a step and waits for its end, but for a tap that is open. */
    async step(step: string, args: object = {}): Promise<Told> {
      let told = (await world.ask('commission.step', { id, step, ...args })) as Told;
      for (let looks = 0; looks < 60; looks += 1) {
        const now = stepIn(told, step);
        if (now?.state !== 'running' || now.result?.['phase'] === 'open') return told;
        await world.run(5 / 3600);
        told = await get();
      }
      throw new Error(`${step} never ended`);
    },
    skip: (step: string, reason: string) =>
      world.ask('commission.step', { id, step, skip: true, reason }) as Promise<Told>,
  };
}

const dialOf = (world: VirtualWorld, meter: string) => {
  const place = world.places.find(({ settings }) => settings.meter === meter);
  if (!place) throw new Error(`there is no ${meter}`);
  const { digits } = place.settings.dial;
  const count = place.meter.countAt(world.clock.trueNow()) % 10 ** digits;
  return String(count).padStart(digits, '0');
};

async function started(options: object = {}): Promise<VirtualWorld> {
  const world = new VirtualWorld({ seed: 21, meters: 8, ...options });
  await world.start();
  await world.run(2.3);
  return world;
}

/** Up to the tap test. */
async function proven(world: VirtualWorld, told: Told) {
  const site = bench(world, told);
  await site.step('port');
  await site.step('device', { meter: METER });
  await site.step('reads');
  await site.step('dial', { dial: dialOf(world, METER) });
  await site.step('resolution', { digits: 8, unit: 'ft3', pow10: -1 });
  return site;
}

describe('a commissioning', () => {
  it('goes from the port to a report whose hash anyone can make again', async () => {
    const world = await started({ configuring: fileOf({ steps: [] }) });
    const site = await proven(world, await begun(world));
    await site.step('tap', { action: 'begin' });
    const close = openTap(world, METER, 6);
    await world.run(2 / 60);
    close();
    const tapped = await site.step('tap', { action: 'end' });
    expect(stepIn(tapped, 'tap')).toMatchObject({
      state: 'done',
      result: { verdict: 'rose', rose: true },
    });
    expect(stepIn(tapped, 'tap')?.result?.['counts']).toBeGreaterThanOrEqual(11);
    const bound = { body_serial: 'B-1', service_point: 'P-7', route: '12' };
    expect(stepIn(await site.step('bind', bound), 'bind')).toMatchObject({
      state: 'done',
      result: bound,
    });
    expect(stepIn(await site.step('polls', { seconds: 20 }), 'polls')).toMatchObject({
      state: 'done',
      result: { success: 100 },
    });
    const up = stepIn(await site.step('upstream'), 'upstream');
    expect(up).toMatchObject({
      state: 'done',
      result: { connected: true, acknowledged_by: 'broker' },
    });
    const end = await site.step('finish');
    expect(end).toMatchObject({ done: true, next: null, meter: METER });
    const finished = stepIn(end, 'finish')?.result ?? {};
    const { report, sha256 } = finished as { report: string; sha256: string };
    expect(report).toBe(`commission-COL-1-${METER}-2026-06-01`);

    const json = (await world.ask('report.get', { id: report, format: 'json' })) as {
      text: string;
    };
    expect(createHash('sha256').update(json.text).digest('hex')).toBe(sha256);
    const content = JSON.parse(json.text);
    expect(content).toMatchObject({ collector: 'COL-1', meter: METER, by: 'Ana' });
    expect(content.steps.map(({ state }: { state: string }) => state)).toEqual(
      Array(9).fill('done'),
    );
    expect(await world.ask('report.list')).toMatchObject({
      reports: [{ id: report, meter: METER, by: 'Ana', sha256 }],
    });
    for (const [lang, word] of [
      ['en', 'Tap test'],
      ['es', 'Prueba de la llave'],
    ]) {
      const page = (await world.ask('report.get', { id: report, format: 'html', lang })) as {
        text: string;
      };
      expect(page.text).toContain(word);
      expect(page.text).toContain(sha256);
      expect(page.text).toContain(`<title>COL-1 ${sha256}</title>`);
      expect(page.text).not.toMatch(/\b(?:src|href)=|<script|\{\w+\}|site\./);
    }

    expect(await world.ask('meter.show', { meter: METER })).toMatchObject({
      commissioned: { by: 'Ana', report },
    });
    await world.run(0.1);
    const info = world.broker.received.findLast(({ topic }) => topic.endsWith(`${METER}/info`));
    expect(JSON.parse(info?.payload ?? '{}')).toMatchObject({ verified: { by: 'Ana' } });
    const events = world.broker.received.filter(({ topic }) => topic.endsWith('up/event'));
    const names = events.map(({ payload }) => JSON.parse(payload).data.name);
    expect(names).toEqual(expect.arrayContaining(['commission.test', 'commission.finish']));
    await world.stop();
  });

  it('wants its steps in order, and one that is left out with its reason', async () => {
    const world = await started();
    const told = await begun(world);
    const site = bench(world, told);
    await expect(site.step('reads')).rejects.toThrow('conflict');
    await expect(site.skip('device', 'in a hurry')).rejects.toThrow('conflict');
    await site.step('port');
    await site.step('device');
    await expect(site.skip('reads', ' ')).rejects.toThrow('bad_request');
    const after = await site.skip('reads', 'no time');
    expect(stepIn(after, 'reads')).toMatchObject({
      state: 'skipped',
      result: { reason: 'no time' },
    });
    expect(after.next).toBe('dial');
    const named = await world.ask('commission.step', {
      ...{ id: told.id, step: 'skip', skip: 'dial', reason: 'no lid' },
    });
    expect((named as Told).next).toBe('resolution');
    await expect(site.step('finish')).rejects.toThrow('conflict');
    await world.stop();
  });

  it('there is one for a meter; a second is told whose it is, until it is cancelled', async () => {
    const world = await started();
    const told = await begun(world);
    await expect(begun(world)).rejects.toThrow('conflict');
    const other = await begun(world, { bus: 'bus-1' });
    const site = bench(world, other);
    await site.step('port');
    expect(stepIn(await site.step('device', { meter: METER }), 'device')).toMatchObject({
      ...{ state: 'failed', result: { code: 'conflict' } },
    });
    await world.ask('commission.cancel', { id: told.id });
    await expect(bench(world, told).step('port')).rejects.toThrow('conflict');
    expect(stepIn(await site.step('device', { meter: METER }), 'device')?.state).toBe('done');
    const { sessions } = (await world.ask('commission.list')) as { sessions: Told[] };
    expect(sessions).toHaveLength(2);
    await expect(begun(world, { meter: 'SP-9' })).rejects.toThrow('unknown_meter');
    await expect(begun(world, { bus: 'pit' })).rejects.toThrow('bad_request');
    await expect(begun(world, {})).rejects.toThrow('bad_request');
    await world.stop();
  });

  it('a dial that does not agree fails, may be typed again, and every try is in the report', async () => {
    const world = await started();
    const site = bench(world, await begun(world));
    await site.step('port');
    await site.step('device');
    await site.step('reads');
    const right = dialOf(world, METER);
    const wrong = `${right[0] === '9' ? '8' : '9'}${right.slice(1)}`;
    expect(stepIn(await site.step('dial', { dial: wrong }), 'dial')).toMatchObject({
      state: 'failed',
      result: { verdict: 'off_by_digit', code: 'off_by_digit' },
    });
    const again = stepIn(await site.step('dial', { dial: dialOf(world, METER) }), 'dial');
    expect(again?.state).toBe('done');
    expect(again?.result?.['tries']).toMatchObject([{ dial: wrong }, { dial: right }]);
    const otherDial = dialOf(world, 'SP-00002');
    expect(stepIn(await site.step('dial', { dial: otherDial }), 'dial')).toMatchObject({
      result: { verdict: 'wrong_meter', others: ['SP-00002'] },
    });
    await world.stop();
  });

  it('digits or resolution that are not those of the dial are told, not taken', async () => {
    const world = await started();
    const site = bench(world, await begun(world));
    await site.step('port');
    await site.step('device');
    await site.skip('reads', 'test');
    await site.skip('dial', 'test');
    const coarse = { digits: 4, unit: 'ft3', pow10: 2 };
    expect(stepIn(await site.step('resolution', coarse), 'resolution')).toMatchObject({
      state: 'failed',
      result: { code: 'resolution_differs', known: { digits: 8, unit: 'ft3', pow10: -1 } },
    });
    await world.stop();
  });

  it.each([
    ['the tap of another meter', 'SP-00005', 'wrong_meter'],
    ['nobody’s tap', null, 'none'],
  ])('%s is not taken for this one’s', async (_, whose, verdict) => {
    const world = await started({ seed: 22 });
    // By night, when nobody else draws water.
    for (const { meter } of world.places) {
      const still = meter.countAt(world.clock.trueNow());
      meter.countAt = () => still;
    }
    const site = await proven(world, await begun(world));
    await site.step('tap', { action: 'begin' });
    if (whose) openTap(world, whose, 8);
    await world.run(2 / 60);
    const told = stepIn(await site.step('tap', { action: 'end' }), 'tap');
    expect(told).toMatchObject({ state: 'failed', result: { verdict, rose: false } });
    if (whose) expect(told?.result?.['suspects']).toEqual([whose]);
    await world.stop();
  });

  it('an open tap test and what was proved outlive a cut; a step under way is to be done again', async () => {
    const world = await started();
    const told = await begun(world);
    const site = await proven(world, told);
    await site.step('tap', { action: 'begin' });
    world.kill();
    await world.start();
    const close = openTap(world, METER, 6);
    await world.run(3 / 60);
    close();
    expect(stepIn(await site.get(), 'tap')).toMatchObject({ state: 'running' });
    expect(stepIn(await site.step('tap', { action: 'end' }), 'tap')?.state).toBe('done');
    await site.skip('bind', 'later');
    const asked = world.ask('commission.step', { id: told.id, step: 'polls', seconds: 120 });
    expect(stepIn((await asked) as Told, 'polls')?.state).toBe('running');
    await expect(site.step('polls')).rejects.toThrow('busy');
    world.kill();
    await world.start();
    await world.run(0.01);
    const after = await site.get();
    expect(stepIn(after, 'polls')).toMatchObject({
      state: 'failed',
      result: { code: 'interrupted' },
    });
    expect(after.next).toBe('polls');
    await world.stop();
  });

  it('a new device goes into the settings and is there when the collector has taken them in', async () => {
    const state = { steps: [] as readonly ConfigStep[] };
    const world = new VirtualWorld({ seed: 23, meters: 8, configuring: fileOf(state) });
    const all = [...world.settings.meters];
    Object.assign(world.settings, { meters: all.filter(({ meter }) => meter !== OTHER) });
    await world.start();
    await world.clock.run(START + HOUR + 20 * MINUTE);
    const site = bench(world, await begun(world, { bus: 'bus-1' }));
    await site.step('port');
    Object.assign(world.settings, { meters: all });
    const named = { meter: OTHER, address: '2', profile: 'generic-8-digit-line' };
    const told = await site.step('device', named);
    expect(told).toMatchObject({ meter: OTHER });
    expect(stepIn(told, 'device')).toMatchObject({
      state: 'done',
      result: { meter: OTHER, added: true, digits: 8 },
    });
    expect(state.steps).toEqual([
      { path: ['meters', OTHER], value: expect.objectContaining({ ...named, bus: 'bus-1' }) },
    ]);
    expect(stepIn(await site.step('reads'), 'reads')?.state).toBe('done');
    await world.stop();
  });

  it('the test message is waited for until the head-end has stored it, where there is one', async () => {
    const world = await started();
    const say = (path: string, message: object) =>
      world.broker.say(`watermeter-v1/test/${path}`, JSON.stringify({ v: 1, ...message }));
    say('_headend/state', { type: 'headend', state: 'online', session: 's', ack: 'required' });
    await world.run(0.01);
    const told = await begun(world);
    const site = bench(world, told);
    await site.step('port');
    await site.step('device');
    for (const step of ['reads', 'dial', 'resolution', 'tap', 'bind', 'polls']) {
      await site.skip(step, 'test');
    }
    const late = stepIn(await site.step('upstream'), 'upstream');
    expect(late).toMatchObject({
      state: 'failed',
      result: { code: 'not_acknowledged', acknowledged_by: 'broker' },
    });
    const { epoch } = (await world.ask('status')) as { epoch: string };
    const asked = world.ask('commission.step', { id: told.id, step: 'upstream' });
    await asked;
    const { last_row: row } = (await world.ask('queue.status')) as { last_row: number };
    const sent = new Date(world.clock.trueNow()).toISOString();
    say('COL-1/dn/ack', { type: 'ack', collector: 'COL-1', epoch, row, missing: [], sent });
    await world.run(0.01);
    expect(stepIn(await site.get(), 'upstream')).toMatchObject({
      state: 'done',
      result: { acknowledged_by: 'head-end' },
    });
    await world.stop();
  });
});
