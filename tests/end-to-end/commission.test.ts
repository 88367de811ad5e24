// A new meter commissioned on the real program: found on its port, written into the settings file with its comments kept, proved, reported.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { callCommands } from '../../src/adapters/control-socket.ts';
import { crc16 } from '../../src/codec/modbus-reply.ts';
import { plugTerminal } from '../fakes/pseudo-terminal.ts';
import { aedes } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const MAIN = join(ROOT, 'dist/src/main.js');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Step {
  readonly step: string;
  readonly state: string;
  readonly result: Record<string, unknown> | null;
}

/** Devices that answer for the dial of their address. */
function devices(path: string, dials: Map<number, number>): void {
  const terminal = plugTerminal(path);
  cleanups.push(() => terminal.unplug());
  let heard = Buffer.alloc(0);
  terminal.onHeard((bytes) => {
    heard = Buffer.concat([heard, bytes]);
    for (; heard.length >= 8; heard = heard.subarray(8)) {
      const register = dials.get(heard[0] ?? 0);
      if (register === undefined) continue;
      const frame = Buffer.alloc(9);
      frame.set([heard[0] ?? 0, heard[1] ?? 3, 4]);
      frame.writeUInt32BE(register, 3);
      frame.writeUInt16LE(crc16(frame.subarray(0, 7)), 7);
      terminal.say(frame);
    }
  });
}

describe.skipIf(!existsSync(MAIN))('a new meter (needs npm run build)', () => {
  it('is added, proved by dial and tap, and reported, while the others are read on', async () => {
    const home = await mkdtemp(join(tmpdir(), 'commission-'));
    cleanups.push(() => rm(home, { recursive: true, force: true }));
    const dials = new Map([
      [1, 5_000_000],
      [2, 1_234_603],
    ]);
    devices(join(home, 'ttyUSB0'), dials);
    const broker = await aedes();
    cleanups.push(() => broker.dispose());
    await broker.start();
    const settings = join(home, 'settings.yaml');
    await writeFile(
      settings,
      `# the pit behind the church
version: 1
utility: demo
collector: COL-1
data: ./journal
control: ./control.sock
time: { speed: 1, real: "${new Date().toISOString()}", simulated: "2026-06-01T12:30:00.000Z" }
upstream: { url: "mqtt://127.0.0.1:${broker.port}", smear_s: 300 }
buses:
  - { bus: pit, type: modbus-rtu, path: ./ttyUSB0, timeout_ms: 200 } # blue cable
meters:
  - { meter: SP-1, bus: pit, profile: generic-8-digit-modbus, address: 1 }
`,
    );
    const child = spawn(process.execPath, [MAIN, 'run', '--config', settings], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    await until('the collector collects', () => out.includes('"collecting"'), 20_000);
    const commands = callCommands(join(home, 'control.sock'));
    const ask = async (name: string, args: object = {}) => {
      const answer = await commands.run(name, { ...args });
      if (!answer.ok) throw new Error(`${name}: ${answer.code}: ${answer.message}`);
      return answer.data as Record<string, unknown>;
    };
    const { id } = (await ask('commission.begin', { bus: 'pit', by: 'Ana' })) as { id: string };
    const step = async (name: string, args: object = {}): Promise<Step> => {
      let told = await ask('commission.step', { id, step: name, ...args });
      const now = () => (told['steps'] as Step[]).find((one) => one.step === name) as Step;
      await until(
        `${name} ends`,
        async () => {
          if (now().state !== 'running' || now().result?.['phase'] === 'open') return true;
          told = await ask('commission.get', { id });
          return false;
        },
        60_000,
      );
      return now();
    };

    expect(await step('port')).toMatchObject({ state: 'done', result: { bus: 'pit' } });
    await ask('bus.scan', { bus: 'pit', addresses: '2', profiles: ['generic-8-digit-modbus'] });
    await until(
      'the scan is over',
      async () => {
        const scan = await ask('bus.scan.progress', { bus: 'pit' });
        return scan['over'] === true;
      },
      60_000,
    );
    const found = await ask('bus.scan.progress', { bus: 'pit' });
    expect(found['found']).toMatchObject([{ address: '2' }]);
    const device = { meter: 'SP-2', address: '2', profile: 'generic-8-digit-modbus' };
    expect(await step('device', device)).toMatchObject({
      state: 'done',
      result: { meter: 'SP-2', added: true, digits: 8, unit: 'ft3', pow10: -1 },
    });
    expect(await step('reads')).toMatchObject({ state: 'done' });
    expect(await step('dial', { dial: '01284603' })).toMatchObject({
      state: 'failed',
      result: { verdict: 'off_by_digit', place: 4 },
    });
    expect(await step('dial', { dial: '05000000' })).toMatchObject({
      result: { verdict: 'wrong_meter', others: ['SP-1'] },
    });
    expect(await step('dial', { dial: '01234603' })).toMatchObject({ state: 'done' });
    expect(await step('resolution', { digits: 8, unit: 'ft3', pow10: -1 })).toMatchObject({
      state: 'done',
    });
    // The first tap is the neighbour's.
    await step('tap', { action: 'begin' });
    dials.set(1, 5_000_006);
    expect(await step('tap', { action: 'end' })).toMatchObject({
      state: 'failed',
      result: { verdict: 'wrong_meter', suspects: ['SP-1'] },
    });
    await step('tap', { action: 'begin' });
    dials.set(2, 1_234_609);
    expect(await step('tap', { action: 'end' })).toMatchObject({
      state: 'done',
      result: { verdict: 'rose', counts: 6 },
    });
    const bound = { body_serial: 'B-77', service_point: 'P-7', route: '12' };
    expect(await step('bind', bound)).toMatchObject({ state: 'done', result: bound });
    expect(await step('polls', { seconds: 3 })).toMatchObject({ state: 'done' });
    const began = performance.now();
    expect(await step('upstream')).toMatchObject({
      state: 'done',
      result: { acknowledged_by: 'broker' },
    });
    // Not after the smear of the hourly send.
    expect(performance.now() - began).toBeLessThan(20_000);
    const { result } = await step('finish');
    const report = await ask('report.get', { id: result?.['report'], format: 'json' });
    const hash = createHash('sha256').update(String(report['text'])).digest('hex');
    expect([hash, report['sha256']]).toEqual([result?.['sha256'], result?.['sha256']]);
    const page = await ask('report.get', { id: result?.['report'], format: 'html', lang: 'es' });
    expect(page['text']).toMatch(/Puesta en servicio de SP-2[\s\S]*<svg[\s\S]*B-77/);

    const file = await readFile(settings, 'utf8');
    expect(file).toContain('# the pit behind the church');
    expect(file).toContain('# blue cable');
    expect(file).toMatch(/meter: SP-2[\s\S]*B-77/);
    expect(await ask('meter.show', { meter: 'SP-2' })).toMatchObject({
      commissioned: { by: 'Ana', report: result?.['report'] },
      settings: { body_serial: 'B-77' },
    });
    expect(await ask('config.diff')).toMatchObject({ changes: [] });
    expect(await ask('audit')).toMatchObject({ ok: true });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }, 120_000);
});
