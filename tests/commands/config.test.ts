// The settings from afar: read, changed with the revision that was read, checked whole, written whole or not at all.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { replaceText } from '../../src/adapters/text-file.ts';
import type { Commands, Journal } from '../../src/boundaries.ts';
import { createCommands } from '../../src/commands/commands.ts';
import { apart } from '../../src/settings/apart.ts';
import { Medium } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { all, openMetered } from '../journal/metered.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'collector.yaml');

const SETTINGS = `# Pole 7, behind the church
version: 1
utility: demo
collector: COL-1
data: ./journal
upstream: { url: "mqtt://127.0.0.1" }
buses:
  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0 }
meters:
  - { meter: SP-1, bus: pole-1, profile: generic-8-digit-line, address: "1" } # the mayor's
`;

let commands: Commands;
let journal: Journal;
let level: string;

beforeEach(async () => {
  writeFileSync(file, SETTINGS);
  level = 'info';
  const medium = new Medium();
  journal = await openMetered(() => medium.open());
  commands = createCommands(
    journal,
    {
      status: async () => ({}),
      configuring: {
        edit: (steps) => apart.edit({ file, root, steps }),
        write: (text) => replaceText(file, text),
        setLogLevel: (next) => {
          level = next;
        },
      },
    },
    { clock: new VirtualClock(0), places: new Map() },
  );
});

async function ask(name: string, args: Record<string, unknown> = {}) {
  const answer = await commands.run(name, args);
  if (!answer.ok) return { code: answer.code };
  return { code: 'ok', ...(answer.data as Readonly<Record<string, unknown>>) };
}
const text = () => readFileSync(file, 'utf8');
const revOf = async () => ((await ask('config.get')) as { rev?: string }).rev;
async function told(): Promise<string[]> {
  await journal.flush();
  return (await all(journal.eventsOf(''))).map(({ code }) => code);
}

describe('the settings from afar', () => {
  it('are told with their revision, whole, by section, by meter', async () => {
    expect(await ask('config.get')).toMatchObject({ settings: { utility: 'demo' } });
    expect(await ask('config.get', { section: 'upstream' })).toMatchObject({
      settings: { url: 'mqtt://127.0.0.1' },
    });
    expect(await ask('config.get', { meter: 'SP-1' })).toMatchObject({
      settings: { address: '1' },
    });
    expect(await ask('config.get', { meter: 'SP-9' })).toEqual({ code: 'bad_request' });
    expect(await ask('config.get', { section: 'constructor' })).toEqual({ code: 'bad_request' });
  });

  it('are changed where the revision is the one that was read, comments kept, the old file beside them', async () => {
    const if_rev = await revOf();
    const changes = [
      { path: '/meters/SP-1/poll_s', value: 300 },
      { path: '/upstream/keepalive_s', value: 20 },
    ];
    const changed = await ask('config.set', { if_rev, changes, by: 'ana' });
    expect(changed).toMatchObject({ code: 'ok', written: true, rev_before: if_rev });
    expect(text()).toContain('# Pole 7, behind the church');
    expect(text()).toMatch(/poll_s: 300.*the mayor/);
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe(SETTINGS);
    expect(await revOf()).toBe((changed as { rev?: string }).rev);
    expect(await ask('config.set', { if_rev, changes })).toEqual({ code: 'conflict' });
    expect(await told()).toEqual(['config.changed']);
  });

  it('dry_run says what would be and writes nothing', async () => {
    const changes = [{ path: '/upstream/keepalive_s', value: 20 }];
    expect(await ask('config.set', { changes, dry_run: true })).toMatchObject({ written: false });
    expect(text()).toBe(SETTINGS);
    expect(await told()).toEqual([]);
  });

  it.each([
    ['a value that the schema refuses', '/upstream/keepalive_s', -5],
    ['a key that nobody knows', '/upstream/keepalives', 5],
    ['a meter on a bus that is not there', '/meters/SP-1/bus', 'pole-9'],
    ['a place that leads nowhere', '/meters/SP-9/poll_s', 60],
  ])('%s is refused, told, and nothing is written', async (_, path, value) => {
    expect(await ask('config.set', { changes: [{ path, value }] })).toEqual({
      code: 'verify_failed',
    });
    expect(text()).toBe(SETTINGS);
    expect(await told()).toEqual(['config.rejected']);
  });

  it.each([
    '/upstream/commands/configure',
    '/upstream/commands',
    '/upstream',
    '/collector',
    '/data',
    '/upstream/key_file',
    '/console',
    '/console/insecure',
  ])('%s is for those who stand at the collector', async (path) => {
    expect(await ask('config.set', { changes: [{ path, value: true }] })).toEqual({
      code: 'forbidden',
    });
    expect(text()).toBe(SETTINGS);
  });

  it.each([
    [undefined],
    [[]],
    ['x'],
    [[{ path: 'upstream' }]],
    [[{ path: '/a/../b' }]],
    [[null]],
    [Array(101).fill({ path: '/log' })],
  ])('changes that are none (%j) are a bad request', async (changes) => {
    expect(await ask('config.set', { changes })).toEqual({ code: 'bad_request' });
  });

  it('a meter is added once, and changed', async () => {
    const meter = { meter: 'SP-2', bus: 'pole-1', profile: 'generic-8-digit-line', address: '2' };
    expect(await ask('meter.add', { ...meter, by: 'ana' })).toMatchObject({
      code: 'ok',
      written: true,
    });
    expect(await ask('meter.add', meter)).toEqual({ code: 'conflict' });
    expect(await ask('meter.update', { meter: 'SP-2', poll_s: 600 })).toMatchObject({ code: 'ok' });
    expect(await ask('config.get', { meter: 'SP-2' })).toMatchObject({
      settings: { ...meter, poll_s: 600 },
    });
    expect(await ask('meter.update', { meter: 'SP-9', poll_s: 600 })).toEqual({
      code: 'verify_failed',
    });
    expect(await ask('meter.add', { ...meter, meter: 'a/b' })).toEqual({ code: 'bad_request' });
  });

  it('the level of the log is changed until the next start', async () => {
    expect(await ask('log.level', { level: 'debug' })).toMatchObject({ code: 'ok' });
    expect(level).toBe('debug');
    expect(await ask('log.level', { level: 'loud' })).toEqual({ code: 'bad_request' });
  });

  it('without a file there is nothing to change', async () => {
    const clock = new VirtualClock(0);
    const offline = createCommands(
      journal,
      { status: async () => ({}) },
      { clock, places: new Map() },
    );
    expect(await offline.run('config.get', {})).toMatchObject({ ok: false, code: 'conflict' });
  });
});
