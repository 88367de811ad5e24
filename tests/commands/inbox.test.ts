// The head-end commands over the broker: every command once, answered or refused, and nothing done that the owner has not switched on.

import { beforeEach, describe, expect, it } from 'vitest';
import { HOUR, START, VirtualWorld } from '../whole/virtual-world.ts';

const BELOW = 'watermeter-v1/test/COL-1/';

let world: VirtualWorld;
let ids = 0;

interface Rsp {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const answers = () =>
  world.broker.received
    .filter(({ topic }) => topic === `${BELOW}up/rsp`)
    .map(({ payload }) => JSON.parse(payload) as Rsp);

const command = (name: string, more: object = {}) => ({
  ...{ v: 1, type: 'cmd', name, by: 'ops', args: {} },
  issued: new Date(world.clock.now()).toISOString(),
  expires: new Date(world.clock.now() + 60_000).toISOString(),
  ...more,
});

/** Says a command and gives what was answered within a second. */
async function ask(name: string, more: object = {}): Promise<Rsp | undefined> {
  ids += 1;
  const id = `c-${ids}`;
  const before = answers().length;
  world.broker.say(`${BELOW}dn/cmd/${name}`, JSON.stringify(command(name, { id, ...more })));
  await world.clock.run(world.clock.trueNow() + 1_000);
  return answers()[before];
}

const use = (row: unknown) => (row as { use: number }).use;

describe('commands of the head-end', () => {
  beforeEach(async () => {
    world = new VirtualWorld({ seed: 5, meters: 4, commands: { operate: true, configure: false } });
    await world.start();
    await world.run(6.2);
  });

  it('C1: ping, time.get, birth, meter.list and read are answered with what they ask for', async () => {
    expect(await ask('ping')).toMatchObject({ name: 'ping', status: 'done', code: 'ok' });
    expect(await ask('time.get')).toMatchObject({ data: { now: '2026-06-01T06:12:01Z' } });
    expect((await ask('meter.list'))?.data['meters']).toHaveLength(4);
    const births = () => world.broker.received.filter(({ topic }) => topic.endsWith('up/birth'));
    const before = births().length;
    expect(await ask('birth')).toMatchObject({ code: 'ok' });
    expect(births()).toHaveLength(before + 1);
    expect(JSON.parse(births().at(-1)?.payload ?? '').commands).toContain('billing.read');
  });

  it('C1: each refusal has its code', async () => {
    const hour = '2026-06-01T02:00:00Z';
    const codes = [
      await ask('make.coffee'),
      await ask('billing.read', { args: { meter: 'SP-NONE', hour } }),
      await ask('billing.read', { args: { meter: 'SP-00001', hour: 'noon' } }),
      await ask('billing.read', { args: { meter: 'SP-00001', hour: '2020-01-01T00:00:00Z' } }),
      await ask('meter.disable', { args: { meter: 'SP-00001' } }),
      await ask('reading.confirm', { args: { meter: 'SP-00001' } }),
      await ask('reading.add', { args: { meter: 'SP-00001', read: '0' } }),
    ].map((rsp) => rsp?.code);
    expect(codes).toEqual([
      ...['unknown_command', 'unknown_meter', 'bad_request', 'no_answer'],
      ...['forbidden', 'conflict', 'verify_failed'],
    ]);
  });

  it('C2: an id is done once and its result repeated, over a restart too; of another name it is a conflict', async () => {
    const args = { meter: 'SP-00001' };
    const first = await ask('meter.maintenance', { id: 'once', args });
    await ask('meter.maintenance', { args: { ...args, off: true } });
    const again = await ask('meter.maintenance', { id: 'once', args });
    expect(again).toEqual(first);
    await world.run(0.1);
    world.kill();
    await world.start();
    await world.run(0.1);
    expect(await ask('meter.maintenance', { id: 'once', args })).toEqual(first);
    expect(await ask('ping', { id: 'once' })).toMatchObject({ code: 'conflict' });
    await world.run(3);
    const hours = world
      .ledger()
      .entries()
      .filter(({ meter }) => meter === 'SP-00001');
    // Maintenance began and ended within one hour, and did not begin again.
    expect(hours.filter((entry) => entry.kind === 'hour' && entry.q === 'T')).toHaveLength(1);
  });

  it('C2: where the medium does not say what an id came to, it is not done again', async () => {
    const args = { meter: 'SP-00001' };
    const first = await ask('meter.maintenance', { id: 'unread', args });
    await ask('meter.maintenance', { args: { ...args, off: true } });
    await world.run(0.1);
    world.medium.failReads(true);
    const unread = await ask('meter.maintenance', { id: 'unread', args });
    expect(unread).toMatchObject({ status: 'error', code: 'internal' });
    world.medium.failReads(false);
    await world.run(0.2);
    expect(await ask('meter.maintenance', { id: 'unread', args })).toEqual(first);
    await world.run(3);
    const done = world.broker.received
      .filter(({ topic }) => topic.endsWith('/event'))
      .map(({ payload }) => JSON.parse(payload) as { code: string; data: { id?: string } })
      .filter(({ code, data }) => code === 'command.executed' && data.id === 'unread');
    expect(done).toHaveLength(1);
  });

  it('C2: a command cut off in the middle is not done again by itself', async () => {
    const args = { meter: 'SP-00001', read: '0', force: true };
    ids += 1;
    const cut = JSON.stringify(command('reading.add', { id: 'cut', args }));
    world.medium.failNext(1, 'applied');
    world.broker.say(`${BELOW}dn/cmd/reading.add`, cut);
    await world.clock.run(world.clock.trueNow() + 100);
    world.kill();
    await world.start();
    await world.clock.run(world.clock.trueNow() + 100);
    const rsp = await ask('reading.add', { id: 'cut', args });
    expect(rsp).toMatchObject({ status: 'error', code: 'internal' });
  });

  it('C2: retained, expired, oversized and malformed commands are refused', async () => {
    const late = { expires: new Date(world.clock.now() - 1).toISOString() };
    expect(await ask('ping', late)).toMatchObject({ code: 'expired' });
    const malformed = [
      { v: 2 },
      { type: 'state' },
      { name: 'birth' },
      { args: [] },
      { args: null },
      { by: 7 },
      { by: 'x'.repeat(81) },
      { expires: 'soon' },
    ];
    for (const more of malformed)
      expect(await ask('ping', more)).toMatchObject({ code: 'bad_request' });
    const before = answers().length;
    for (const said of ['', '[', '[]', 'null', '{"id":7}', '\u0000', 'x'.repeat(9_000)]) {
      world.broker.say(`${BELOW}dn/cmd/ping`, said);
    }
    await world.run(0.01);
    expect(answers()).toHaveLength(before);
    world.broker.say(`${BELOW}dn/cmd/ping`, JSON.stringify(command('ping', { id: 'old' })), true);
    world.broker.cut();
    await world.run(0.05);
    expect(
      answers()
        .filter(({ id }) => id === 'old')
        .map(({ code }) => code),
    ).toContain('bad_request');
  });

  it('C2: a flood of 10,000 commands delays no poll, and each is answered', async () => {
    const polls = () => world.places.map(({ served }) => served.length);
    const before = answers().length;
    for (let i = 0; i < 10_000; i += 1) {
      const id = `f-${i}`;
      world.broker.say(`${BELOW}dn/cmd/ping`, JSON.stringify(command('ping', { id })));
    }
    await world.run(1);
    expect(answers()).toHaveLength(before + 10_000);
    await world.run(1);
    expect(await world.ask('audit')).toMatchObject({ ok: true });
    expect(Math.min(...polls())).toBeGreaterThanOrEqual(8 * 4);
    const hours = world
      .ledger()
      .entries()
      .filter((entry) => entry.kind === 'hour');
    expect(hours.slice(4).every((hour) => hour.kind === 'hour' && hour.q !== 'M')).toBe(true);
  });

  it('C3: only reading is allowed until the owner switches more on; there is no time.set and no shell', async () => {
    expect(await ask('meter.maintenance', { args: { meter: 'SP-00001' } })).toMatchObject({
      code: 'ok',
    });
    expect(await ask('changeout', { args: { meter: 'SP-00001' } })).toMatchObject({
      code: 'forbidden',
    });
    for (const name of ['time.set', 'shell', 'status', 'audit', 'constructor', '__proto__']) {
      expect((await ask(name))?.code).toMatch(/unknown_command|bad_request/);
    }
    expect(
      world
        .ledger()
        .entries()
        .some(({ inst }) => inst === 2),
    ).toBe(false);
  });

  it('C4: what was not only read is told with who and what; refusals are told once a minute', async () => {
    const told = () =>
      world.broker.received
        .filter(({ topic }) => topic === `${BELOW}up/event`)
        .map(({ payload }) => JSON.parse(payload));
    await ask('meter.maintenance', { id: 'm-1', by: 'ana', args: { meter: 'SP-00001' } });
    for (let i = 0; i < 5; i += 1) await ask('changeout', { args: { meter: 'SP-00001' } });
    await ask('ping');
    await world.run(0.1);
    const data = { id: 'm-1', name: 'meter.maintenance', by: 'ana', meter: 'SP-00001', code: 'ok' };
    expect(told()).toMatchObject([
      { code: 'command.executed', phase: 'raise', data },
      { code: 'command.refused', data: { name: 'changeout', refused: 1 } },
    ]);
  });

  it('C5: billing.read gives the end register of the hour as its entry has it', async () => {
    const hour = new Date(START + 2 * HOUR).toISOString();
    const rsp = await ask('billing.read', { args: { meter: 'SP-00002', hour } });
    const entry = world
      .ledger()
      .entries()
      .find(
        (one) => one.kind === 'hour' && one.meter === 'SP-00002' && one.start === START + 2 * HOUR,
      );
    expect(rsp?.data).toMatchObject({ meter: 'SP-00002', inst: 1, q: 'A', use: use(entry) });
    expect(rsp?.data['read']).toBe((entry as { read?: number } | undefined)?.read);
  });

  it('C5: an hour without its zone, or on a day that is none, is refused and not billed as another', async () => {
    const before = process.env['TZ'];
    process.env['TZ'] = 'America/Denver';
    try {
      const local = START + 2 * HOUR - 6 * HOUR;
      const hours = [
        new Date(local).toISOString().slice(0, 19),
        `2026-05-32T${new Date(START).toISOString().slice(11)}`,
        '2026-02-30T00:00:00Z',
        '2026',
        '1',
      ];
      for (const hour of hours) {
        const rsp = await ask('billing.read', { args: { meter: 'SP-00002', hour } });
        expect([hour, rsp?.code]).toEqual([hour, 'bad_request']);
        const args = { meter: 'SP-00002', from: hour, to: '2027-01-01T00:00:00Z' };
        expect(await ask('replay', { args })).toMatchObject({ code: 'bad_request' });
      }
      const inOffset = new Date(local).toISOString().replace('.000Z', '-06:00');
      const rsp = await ask('billing.read', { args: { meter: 'SP-00002', hour: inOffset } });
      expect(rsp?.data['start']).toBe(new Date(START + 2 * HOUR).toISOString().replace('.000', ''));
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  });

  it('C2: a command that expires on a day that is none is refused', async () => {
    expect(await ask('ping', { expires: '2027-02-30T00:00:00Z' })).toMatchObject({
      code: 'bad_request',
    });
  });

  it('C1: events.list tells those of a time, for all of a year are more than a broker takes', async () => {
    const list = async (more: object) =>
      (await ask('events.list', { args: more }))?.data['events'] as { at: string }[];
    world.silence('SP-00001', true);
    await world.run(3);
    const all = await list({});
    expect(all.length).toBeGreaterThan(0);
    const at = Date.parse(all[0]?.at ?? '');
    const [from, to] = [new Date(at).toISOString(), new Date(at + 1).toISOString()];
    expect(await list({ from, to })).toEqual(all.filter((event) => Date.parse(event.at) === at));
    expect(await list({ to: from })).toEqual([]);
    expect(await ask('events.list', { args: { from: 'then' } })).toMatchObject({
      code: 'bad_request',
    });
  });

  it('A1: hours and rows are sent again on request, as they were', async () => {
    const intervals = () =>
      world.broker.received
        .filter(({ topic }) => topic.endsWith('/interval'))
        .map(({ payload }) => JSON.parse(payload));
    const replayed = () => intervals().filter(({ cause }) => cause === 'replay');
    const original = intervals().flatMap((message) => message.intervals);
    const args = { meter: 'SP-00001', from: '2026-06-01T01:00:00Z', to: '2026-06-01T03:00:00Z' };
    expect(await ask('replay', { args })).toMatchObject({ data: { rows: 2 } });
    await world.run(0.1);
    const hours = replayed().flatMap((message) => message.intervals);
    expect(hours).toHaveLength(2);
    for (const hour of hours) {
      expect(original.find(({ row }: { row: number }) => row === hour.row)).toEqual(hour);
    }
    expect(await ask('replay', { args: { rows: [1, 4] } })).toMatchObject({ data: { rows: 4 } });
    await world.run(0.1);
    expect(replayed().flatMap((message) => message.intervals)).toHaveLength(6);
    expect(await ask('replay', { args: { rows: [1, 1e9] } })).toMatchObject({
      code: 'bad_request',
    });
    expect(await world.ask('audit')).toMatchObject({ ok: true, pending: 0 });
  });
});
