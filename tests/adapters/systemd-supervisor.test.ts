// systemd is told by its own tool over a real datagram socket.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createSupervisor } from '../../src/adapters/systemd-supervisor.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { until } from '../fakes/until.ts';

const CAN = ['perl', 'systemd-notify'].every((tool) => spawnSync(tool, ['--version']).status === 0);

/** Prints what comes, and lets go of the descriptor by which systemd-notify waits for that. */
const LISTENER = `use IO::Socket::UNIX; $| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]);
while (1) { $socket->recv(my $said, 4096); print "$said\n"; }`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A socket as systemd's, and what came over it. */
async function listening() {
  const folder = await mkdtemp(join(tmpdir(), 'notify-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'notify');
  const listener = spawn('perl', ['-e', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(async () => {
    listener.kill('SIGKILL');
    await once(listener, 'close');
  });
  let said = '';
  listener.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await until('the socket', () => existsSync(path));
  return { path, said: () => said };
}

describe.skipIf(!CAN)('systemd (needs perl and systemd-notify)', () => {
  it('hears that the collector is ready, lives and stops', async () => {
    const { path, said } = await listening();
    const log = new RecordingLog();
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '60000000', WATCHDOG_PID: `${process.pid}` };
    // The tool takes its socket from the environment of the process.
    process.env['NOTIFY_SOCKET'] = path;
    cleanups.push(() => delete process.env['NOTIFY_SOCKET']);
    const supervisor = createSupervisor({ env, log });
    expect(supervisor.watchdogMs).toBe(60_000);
    await supervisor.ready();
    await supervisor.alive('12 meters, 0 not answering');
    await supervisor.stopping();
    await until('the last word', () => said().includes('STOPPING=1'));
    expect(said()).toMatch(/READY=1[\s\S]*WATCHDOG=1[\s\S]*STOPPING=1/);
    expect(said()).toContain('STATUS=12 meters, 0 not answering');
    expect(log.lines).toEqual([]);
  });

  it('that does not listen is told of once in the log, and harms nothing', async () => {
    const log = new RecordingLog();
    process.env['NOTIFY_SOCKET'] = '/nowhere/notify';
    cleanups.push(() => delete process.env['NOTIFY_SOCKET']);
    const supervisor = createSupervisor({ env: { NOTIFY_SOCKET: '/nowhere/notify' }, log });
    expect(supervisor.watchdogMs).toBeNull();
    await supervisor.ready();
    await supervisor.alive('well');
    expect(log.lines.length).toBeGreaterThan(0);
    expect(log.lines.length).toBeLessThanOrEqual(2);
  });
});

describe('without systemd', () => {
  it('nobody is told, and a watchdog that is another’s is not fed', async () => {
    const log = new RecordingLog();
    const nobody = createSupervisor({ env: {}, log });
    expect(nobody.watchdogMs).toBeNull();
    await nobody.ready();
    const env = { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' };
    expect(createSupervisor({ env, log }).watchdogMs).toBeNull();
    expect(log.lines).toEqual([]);
  });
});
