// Shows the demo's parts: what it prints, how its collector's end is noticed, how the truth is read back.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { audit } from '../../simulator/audit.ts';
import { auditLine, reportAudit } from '../../simulator/audit-report.ts';
import { CollectorProcess } from '../../simulator/collector-process.ts';
import { runDemo } from '../../simulator/demo.ts';
import { jsonDisplay, plainDisplay } from '../../simulator/demo-display.ts';
import { HOUR_MS, type HourEntry } from '../../simulator/entries.ts';
import { readTruth } from '../../simulator/head-end-program.ts';
import { listenForStop } from '../../simulator/stop-request.ts';
import type { MeterTruth } from '../../simulator/truth.ts';
import { correctLedger, START } from './correct-ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

const EIGHT = { digits: 8, unit: 'ft3', pow10: -1 };
const meterTruth = (meter: string): MeterTruth => ({
  ...{ meter, bus: 'bus-1', profile: 'generic-8-digit-line', registerId: null },
  ...{ ...EIGHT, initial: 0, labels: [] },
});
const hour = (meter: string, index: number, use: number | null, q: string): HourEntry => ({
  ...{ kind: 'hour', meter, inst: 1, ...EIGHT, rev: 0, start: START + index * HOUR_MS },
  ...{ read: use, at: null, total: use, use, q },
});

describe('the demo without a terminal', () => {
  const meters = [meterTruth('SP-1'), meterTruth('SP-2')];

  test('has one line for an hour, once every meter has told it', () => {
    const lines: string[] = [];
    const display = plainDisplay(meters, (line) => lines.push(line));
    display.arrived(hour('SP-1', 0, 100, 'A'));
    expect(lines).toEqual([]);
    display.arrived(hour('SP-2', 0, null, 'M'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^2026-06-01 00:00 {2}2 of 2 meters +10\.0 ft3 +75 gal {2}A 1, M 1$/);
  });

  test('does not wait for ever for a meter, and leaves no hour out at the end', () => {
    const lines: string[] = [];
    const display = plainDisplay(meters, (line) => lines.push(line));
    display.arrived(hour('SP-1', 0, 1, 'A'));
    display.arrived(hour('SP-1', 1, 2, 'A'));
    expect(lines).toEqual([]);
    display.arrived(hour('SP-1', 2, 3, 'A'));
    expect(lines).toHaveLength(1);
    display.end();
    expect(lines.map((line) => line.slice(11, 31))).toEqual([
      '00:00  1 of 2 meters',
      '01:00  1 of 2 meters',
      '02:00  1 of 2 meters',
    ]);
  });

  test('with --json tells each hour with its start, use and quality', () => {
    const lines: string[] = [];
    jsonDisplay((line) => lines.push(line)).arrived(hour('SP-1', 3, 12, 'P'));
    const told = { type: 'hour', meter: 'SP-1', start: '2026-06-01T03:00:00Z', use: 12, q: 'P' };
    expect(lines.map((line) => JSON.parse(line))).toEqual([told]);
  });

  test('ends with an audit line of exactly the agreed keys', () => {
    const polls = Array.from({ length: 9 }, () => ({ flow: 2, fate: 'read' as const }));
    const made = correctLedger([{ meter: 'SP-1', digits: 8, initial: 0, offset: 0, polls }]);
    const result = audit(made.truth, made.entries, made);
    expect(auditLine(result)).toBe(
      '{"type":"audit","meters":1,"hours":2,"truth":16,"head_end":16,"lost":0,"invented":0,"duplicates":0}',
    );
    expect(reportAudit(result).at(-1)).toContain('passes');
    const spoilt = audit(made.truth, made.entries.slice(1), made);
    expect(reportAudit(spoilt).at(-1)).toContain('fails: 8 counts lost');
  });
});

describe('the truth of a simulation', () => {
  test('is read back from its file, but for a line still being written', async () => {
    const path = join(folder, 'truth.ndjson');
    const at = '2026-06-01T00:00:00.500Z';
    const lines = [
      { type: 'meter', ...meterTruth('SP-1') },
      { type: 'count', meter: 'SP-1', at, count: 7 },
      { type: 'served', meter: 'SP-1', at, register: 7, count: 7 },
    ].map((line) => JSON.stringify(line));
    writeFileSync(path, `${lines.join('\n')}\n{"type":"served","meter":"SP-1","a`);
    const truth = await readTruth(path);
    expect(truth.meters).toEqual([{ meter: 'SP-1', ...EIGHT }]);
    expect(truth.served('SP-1')).toEqual([{ at: START + 500, register: 7, count: 7 }]);
  });
});

/** A program that stands for the collector. */
function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the collector of the demo', () => {
  test('is asked to stop and says how it ended', async () => {
    const log = join(folder, 'polite.log');
    const path = program(
      'polite.mjs',
      "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('up');",
    );
    const collector = CollectorProcess.start(path, 'none', log);
    await vi.waitFor(() => expect(collector.lastLines()).toEqual(['up']), 5_000);
    expect(await collector.stop()).toBe(true);
    expect(await collector.ended).toBe('ended with exit code 0');
  });

  test('is told of when it dies, with the end of its log, and nothing is left behind', async () => {
    const said: string[] = [];
    const write = (text: string | Uint8Array) => said.push(String(text)) > 0;
    vi.spyOn(process.stdout, 'write').mockImplementation(write);
    vi.spyOn(process.stderr, 'write').mockImplementation(write);
    const path = program(
      'sick.mjs',
      "console.log(process.argv.at(-2)); console.error('no water'); process.exitCode = 9;",
    );
    expect(await runDemo(['--for', '20', '--json'], path)).toBe(1);
    const error = said.map((line) => line.trim()).find((line) => line.includes('"error"')) ?? '';
    const { message, hint } = JSON.parse(error).error;
    expect(message).toContain('exit code 9');
    expect(hint).toContain('no water');
    const config = /^\S+collector\.yaml$/m.exec(hint)?.[0] ?? '';
    expect(config).not.toBe('');
    expect(existsSync(config)).toBe(false);
  });
});

describe('the command line of the demo', () => {
  test.each([
    ['an unknown option', ['--sped', '3'], 2],
    ['a speed that is no number', ['--speed', 'fast'], 2],
    ['fewer meters than show all transports', ['--meters', '3'], 2],
    ['a broker that is no URL', ['--broker', 'localhost'], 2],
    ['a broker that is not there', ['--broker', 'mqtt://127.0.0.1:1'], 5],
    ['no place for its folder', [], 1, '/proc/nowhere'],
  ])('%s ends it with its exit code', async (_, argv, code, place = tmpdir()) => {
    vi.stubEnv('TMPDIR', place);
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const idle = program('idle.mjs', '');
    expect(await runDemo([...argv, '--for', '1'], idle)).toBe(code);
    vi.unstubAllEnvs();
  });
});

describe('the request to stop', () => {
  test('two signals of one press are one, a later one ends at once', async () => {
    let atOnce = 0;
    const stop = listenForStop(undefined, () => {
      atOnce += 1;
    });
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGINT', 'SIGINT');
    await stop.requested;
    expect(atOnce).toBe(0);
    await vi.waitFor(() => {
      process.emit('SIGINT', 'SIGINT');
      expect(atOnce).toBe(1);
    }, 5_000);
    stop.release();
  });

  test('a reader of the output that goes is a request, and nothing else', async () => {
    const before = process.stdout.listenerCount('error');
    const stop = listenForStop(undefined, () => undefined);
    process.stdout.emit('error', new Error('write EPIPE'));
    // Whoever waits for this or for a death takes a word that comes with it for the death's.
    expect(await stop.requested).toBeUndefined();
    stop.release();
    expect(process.stdout.listenerCount('error')).toBe(before);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'a %s that its parent passes on late, when all is closed, ends it no other way',
    async (signal) => {
      const before = process.listenerCount(signal);
      const stop = listenForStop(undefined, () => undefined);
      process.emit(signal, signal);
      await stop.requested;
      stop.release();
      // Where nobody listens, a signal of the system ends the process at once, by itself.
      expect(process.listenerCount(signal)).toBe(before + 1);
      for (const late of process.listeners(signal).slice(before)) process.off(signal, late);
    },
  );

  test('the time given ends it without a signal', async () => {
    const long = listenForStop(60, () => undefined);
    const short = listenForStop(0.01, () => undefined);
    const first = await Promise.race([
      long.requested.then(() => 'long'),
      short.requested.then(() => 'short'),
    ]);
    expect(first).toBe('short');
    long.release();
    short.release();
  });
});
