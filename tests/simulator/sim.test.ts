// The `sim` program: what it says, what it leaves behind, and how it ends.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseFault } from '../../simulator/faults.ts';
import { runSim } from '../../simulator/sim.ts';

const folders: string[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sim-'));
  folders.push(folder);
  return folder;
}

/** Runs the program and gathers what it prints. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  const code = await runSim(argv);
  vi.restoreAllMocks();
  return { code, out: out.join(''), err: err.join('') };
}

describe('the sim program', () => {
  test('builds a street, says how to read it, ends by itself and leaves settings and truth', async () => {
    const folder = freshFolder();
    const { code, out } = await run(
      '--for',
      '0.8',
      '--speed',
      '7200',
      '--folder',
      folder,
      '--json',
    );
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ type: 'street', seed: 1, speed: 7200 });
    expect(lines[0].next).toContain(join(folder, 'collector.yaml'));
    expect(lines[0].meters).toHaveLength(8);
    const dials = lines.filter(({ type }) => type === 'dial');
    expect(dials.map(({ meter }) => meter)).toEqual(
      lines[0].meters.map(({ meter }: { meter: string }) => meter),
    );
    expect(readFileSync(join(folder, 'collector.yaml'), 'utf8')).toContain('version: 1');
    expect(readFileSync(join(folder, 'truth.ndjson'), 'utf8')).toContain('"type":"count"');
  });

  test('says the same to people, with the command to run next', async () => {
    const folder = freshFolder();
    const { code, out } = await run('--for', '0', '--folder', folder, '--seed', '9');
    expect(code).toBe(0);
    expect(out).toContain(`meter-collector run --config ${join(folder, 'collector.yaml')}`);
    expect(out).toContain('bus-3  modbus-rtu');
  });

  test('names settings in a folder with blanks as a shell takes them', async () => {
    const folder = join(freshFolder(), "it's a street");
    const { out } = await run('--for', '0', '--folder', folder);
    const quoted = join(folder, 'collector.yaml').replace("'", "'\\''");
    expect(out).toContain(`meter-collector run --config '${quoted}'\n`);
  });

  test.each([
    [['--start', '2026-02-30']],
    [['--meters', '7']],
    [['--meters', '8.5']],
    [['--speed', '0']],
    [['--speed', 'fast']],
    [['--start', 'yesterday']],
    [['--broker', 'http://127.0.0.1']],
    [['--fault', 'silent:SP-00001@5h-2h']],
    [['--fault', 'silent:SP-00099@2h-5h']],
    [['--fault', 'unplug:bus-9@2h-5h']],
    [['--unknown']],
    [['stray']],
    [['--start', '2026-06-01T00:00:00']],
    [['--start', 'June 1 2026']],
    [['--tcp-port', '0']],
  ])('ends with 2 on the command line %j', async (argv) => {
    const { code, out } = await run(...argv, '--json', '--for', '0', '--folder', freshFolder());
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'bad_request' } });
  });

  test('ends with 1 and no stack trace when its folder cannot be made', async () => {
    const file = join(freshFolder(), 'a-file');
    writeFileSync(file, '');
    const { code, err } = await run('--for', '0', '--folder', join(file, 'below'));
    expect(code).toBe(1);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'at %s it unplugs its ports and completes the truth, however often the signal comes',
    async (signal) => {
      const folder = freshFolder();
      const before = process.listenerCount(signal);
      const running = run('--folder', folder, '--seed', '9');
      await vi.waitFor(() => expect(existsSync(join(folder, 'bus-3.tty'))).toBe(true), 5_000);
      // The terminal gives it to us and to npm, which passes it on: nothing of the system's may end us meanwhile.
      process.emit(signal, signal);
      process.emit(signal, signal);
      await Promise.resolve();
      expect(process.listenerCount(signal)).toBeGreaterThan(before);
      expect((await running).code).toBe(0);
      for (const name of process.listeners(signal).slice(before)) process.off(signal, name);
      expect(readdirSync(folder).sort()).toEqual(['collector.yaml', 'truth.ndjson']);
      const truth = readFileSync(join(folder, 'truth.ndjson'), 'utf8').trimEnd().split('\n');
      expect(truth.map((line) => JSON.parse(line).type)).toContain('meter');
    },
  );

  test('reads fault plans in simulated hours', () => {
    expect(parseFault('silent:SP-00003@2h-5h')).toEqual({
      kind: 'silent',
      meter: 'SP-00003',
      from: 2,
      to: 5,
    });
    expect(parseFault('unplug:bus-1@0.5h-8h')).toEqual({
      kind: 'unplug',
      bus: 'bus-1',
      from: 0.5,
      to: 8,
    });
    expect(parseFault('unplug:bus-1')).toBeUndefined();
    expect(parseFault('burn:bus-1@1h-2h')).toBeUndefined();
  });
});
