// What who stands at the pole asks first: does the dial agree, what is known of the meter, what stands, what waits.

import { beforeEach, describe, expect, it } from 'vitest';
import type { AskedOutcome, Journal } from '../../src/boundaries.ts';
import { createCommands, type LiveStatus } from '../../src/commands/commands.ts';
import type { MeteredPlace } from '../../src/pipeline.ts';
import { Medium } from '../fakes/memory-store.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import {
  FINE,
  HOUR,
  openMetered,
  read,
  readHours,
  rulesOf,
  silence,
  T0,
} from '../journal/metered.ts';

const profile = modbusProfile({ type: 'u32', order: 'ABCD' }, { dial: FINE });
const placeOf = (meter: string, address: string): MeteredPlace => ({
  target: { meter, address, profile, dial: FINE },
  rules: rulesOf(FINE),
});
const PLACES = new Map([
  ['SP-1', placeOf('SP-1', '1')],
  ['SP-2', placeOf('SP-2', '2')],
]);

let journal: Journal;
let clock: VirtualClock;
let outcome: AskedOutcome;

const LIVE: LiveStatus = { status: async () => ({}), readNow: () => Promise.resolve(outcome) };

const run = (name: string, args = {}, live = LIVE) =>
  createCommands(journal, live, { clock, places: PLACES }).run(name, args);

async function told(name: string, args = {}, live = LIVE): Promise<Record<string, unknown>> {
  const answer = await run(name, args, live);
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.data as Record<string, unknown>;
}

beforeEach(async () => {
  const medium = new Medium();
  clock = new VirtualClock(T0 + HOUR);
  journal = await openMetered(() => medium.open(), { 'SP-1': FINE, 'SP-2': FINE });
  readHours(journal, 'SP-1', 0, 1);
  for (const minute of [0, 15, 30, 45, 60]) read(journal, 'SP-2', minute, 5_000_000 + minute);
  outcome = { ok: true, value: 60 };
  await journal.flush();
});

describe('a dial verified', () => {
  it('agrees with what the encoder says now, with time, quality and resolution', async () => {
    expect(await told('verify', { meter: 'SP-1', dial: '00000060' })).toMatchObject({
      ...{ meter: 'SP-1', verdict: 'match', read: 60, register: '00000060', dial: '00000060' },
      ...{ digits: 8, unit: 'ft3', pow10: -1, at: '2026-06-01T01:00:00Z', q: 'A', difference: 0 },
      places: { meter: 'SP-1', dial: '00000060', register: '00000060', difference: 0 },
    });
  });

  it('may have moved since it was looked at, by what the pipe lets through and not more', async () => {
    outcome = { ok: true, value: 93 };
    // 2000 counts an hour: 34 in the minute between eye and key.
    expect(await told('verify', { meter: 'SP-1', dial: '60' })).toMatchObject({ verdict: 'moved' });
    const now = { meter: 'SP-1', dial: '60', looked_s: 0 };
    expect(await told('verify', now)).not.toMatchObject({ verdict: 'moved' });
  });

  it('is the other meter’s, though that one has gone on since it was read', async () => {
    expect(await told('verify', { meter: 'SP-1', dial: '05000061' })).toMatchObject({
      verdict: 'wrong_meter',
      others: ['SP-2'],
      places: { others: 'SP-2' },
    });
  });

  it('does not agree, and that is an answer all the same', async () => {
    expect(await told('verify', { meter: 'SP-1', dial: '77777777' })).toMatchObject({
      verdict: 'mismatch',
    });
    expect(await told('verify', { meter: 'SP-2', dial: '000000607' })).toMatchObject({
      verdict: 'ignored_digit_match',
      ignored_digit: '7',
    });
  });

  it.each([
    ['an empty field', { meter: 'SP-1', dial: '' }, 'bad_request'],
    ['no dial', { meter: 'SP-1' }, 'bad_request'],
    ['an unknown meter', { meter: 'SP-9', dial: '1' }, 'unknown_meter'],
    ['a time that is none', { meter: 'SP-1', dial: '1', looked_s: -1 }, 'bad_request'],
  ])('is refused for %s', async (_, args, code) => {
    expect(await run('verify', args)).toMatchObject({ ok: false, code });
  });

  it('is not judged where the meter does not answer', async () => {
    outcome = { ok: false, fault: { code: 'line.silent', detail: '' } };
    expect(await run('verify', { meter: 'SP-1', dial: '60' })).toMatchObject({ code: 'no_answer' });
  });
});

describe('a meter shown', () => {
  it('is told with its installation, last reading, what it can detect, and what the collector adds', async () => {
    const live: LiveStatus = {
      ...LIVE,
      meterLive: () => ({ settings: { poll_s: 900 }, fault: { code: 'line.silent' } }),
      buses: [
        {
          ...{ bus: 'hut', type: 'modbus-rtu', kind: 'rtu', timeoutMs: 500 },
          conversation: { link: () => ({ open: true, detail: '' }) },
          addresses: new Map([['SP-1', '1']]),
        },
      ],
    };
    expect(await told('meter.show', { meter: 'SP-1' }, live)).toMatchObject({
      meter: 'SP-1',
      installation: { inst: 1, digits: 8, unit: 'ft3', pow10: -1, since: '2026-06-01T00:00:00Z' },
      ...{ settings: { poll_s: 900 }, bus: 'hut', fault: { code: 'line.silent' }, seen: null },
      last: { read: 60, at: '2026-06-01T01:00:00Z', q: 'A' },
      ...{ commissioned: null, events_open: [], vacations: [] },
      detectable: { unit: 'ft3', after_h: 72 },
    });
  });

  it('is refused where there is none', async () => {
    expect(await run('meter.show', { meter: 'SP-9' })).toMatchObject({ code: 'unknown_meter' });
  });
});

describe('what stands', () => {
  it('is told once, as it was told last, with its evidence and who knows of it', async () => {
    for (let minute = 75; minute < 360; minute += 15) silence(journal, 'SP-2', minute);
    await journal.flush();
    const before = (await told('alarms'))['open'] as Record<string, unknown>[];
    expect(before).toMatchObject([
      { meter: 'SP-2', code: 'read.silent', phase: 'raise', acknowledged_by: null },
    ]);
    expect(Object.keys(before[0]?.['data'] as object).length).toBeGreaterThan(0);
    await told('event.ack', { id: before[0]?.['id'], by: 'Ana' });
    const [after] = (await told('alarms'))['open'] as Record<string, unknown>[];
    expect(after).toMatchObject({ acknowledged_by: 'Ana', data: before[0]?.['data'] });
    expect(await told('meter.show', { meter: 'SP-2' })).toMatchObject({ events_open: [after] });
    read(journal, 'SP-2', 360, 5_000_400);
    await journal.flush();
    expect(await told('alarms')).toMatchObject({ open: [] });
  });

  it('of the collector itself is never called over while it stands, and over once it is', async () => {
    const bus = (stands: boolean) =>
      journal.trouble({
        about: 'bus.down/hut',
        stands,
        code: 'bus.down',
        severity: 'major',
        data: {},
      });
    bus(true);
    await journal.flush();
    const [down] = (await told('alarms'))['open'] as { id: string }[];
    expect(await run('event.ack', { id: down?.id, by: 'Ana' })).toMatchObject({ code: 'conflict' });
    bus(false);
    await journal.flush();
    expect(await told('event.ack', { id: down?.id, by: 'Ana' })).toMatchObject({ stands: false });
    expect(await run('event.ack', { id: 'journal-99' })).toMatchObject({ code: 'bad_request' });
  });

  it('the collector’s own news are told for a week, the newest first', async () => {
    const note = (name: string) =>
      journal.note({ code: 'command.executed', severity: 'info', data: { name } });
    note('first');
    note('second');
    await journal.flush();
    const recent = (await told('alarms'))['recent'] as { data: { name: string } }[];
    expect(recent.map(({ data }) => data.name)).toEqual(['second', 'first']);
    clock = new VirtualClock(T0 + 8 * 24 * HOUR);
    const later = (await told('alarms'))['recent'] as { data: { name: string } }[];
    expect(later.map(({ data }) => data.name)).toEqual([]);
  });
});

describe('what waits', () => {
  const queue = {
    ...{ connected: true, detail: 'connected', refused: 3, refusedWhy: 'no right' },
    ...{ messagesPerS: 1, window: 20, awaitingAck: 2, unsaid: { count: 0, detail: '' } },
    isWithBroker: (row: number) => row === 3,
  };

  it('is told with its age, how long it will take, and what is refused', async () => {
    expect(await told('queue.status', {}, { ...LIVE, queue: () => queue })).toMatchObject({
      ...{ pending: 2, oldest: '2026-06-01T00:00:00Z', drain_eta_s: 2, refused: 3 },
      ...{ refused_why: 'no right', connected: true, window: 20, awaiting_ack: 2, last_row: 2 },
    });
    const away = { ...LIVE, queue: () => ({ ...queue, connected: false }) };
    expect(await told('queue.status', {}, away)).toMatchObject({ drain_eta_s: null });
    expect(await told('queue.status')).toMatchObject({ connected: false, window: 0 });
  });

  it('is sent again, of one meter or of all', async () => {
    const hours = { from: '2026-06-01T00:00:00Z', to: '2026-06-01T02:00:00Z' };
    expect(await told('queue.resend', { meter: 'SP-1', ...hours })).toEqual({ rows: 1 });
    expect(await told('queue.resend', hours)).toEqual({ rows: 2 });
    expect(await run('queue.resend', { meter: 'SP-9', ...hours })).toMatchObject({
      code: 'unknown_meter',
    });
    expect(await run('queue.resend')).toMatchObject({ code: 'bad_request' });
  });
});
