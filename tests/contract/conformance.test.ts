// The conformance check as a person runs it: a line a rule, and its exit code, over a recording and on a live broker.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startBroker } from '../../simulator/broker.ts';
import { duration, runConformance } from '../../simulator/conformance.ts';
import type { Message } from '../../simulator/contract-rules/checker.ts';
import { RULES } from '../../simulator/contract-rules/verdicts.ts';
import { Recorder, readRecording } from '../../simulator/recording.ts';
import { VirtualWorld } from '../whole/virtual-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
let heard: Message[];
beforeAll(async () => {
  const world = new VirtualWorld({ seed: 21, meters: 4 });
  await world.start();
  await world.run(4.2);
  await world.stop();
  heard = world.broker.received;
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
async function recorded(messages: readonly Message[]): Promise<string> {
  files += 1;
  const path = join(folder, `${files}.ndjson`);
  const recorder = new Recorder(path);
  for (const message of messages) recorder.add(message);
  await recorder.close();
  return path;
}

async function run(...argv: string[]): Promise<{ exit: number; lines: string[] }> {
  const said: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const exit = await runConformance(argv);
  vi.restoreAllMocks();
  return { exit, lines: said.join('').trim().split('\n') };
}

/** The same, said in another utility. */
const elsewhere = (message: Message): Message => ({
  ...message,
  topic: message.topic.replace(/^(watermeter-v1)\/[^/]+/, '$1/elsewhere'),
});

const spoilt = () =>
  heard.map((message) =>
    message.topic.endsWith('/interval')
      ? { ...message, payload: message.payload.replace(/"use":(\d+)/, '"use":$1.5') }
      : message,
  );

describe('the conformance check of a recording', () => {
  test.skipIf(!existsSync('/dev/full'))('a disk that is full is told, not thrown', async () => {
    const failures: unknown[] = [];
    const recorder = new Recorder('/dev/full', (error) => failures.push(error));
    for (const message of heard) recorder.add(message);
    await expect(recorder.close()).rejects.toMatchObject({ code: 'ENOSPC', path: '/dev/full' });
    expect(failures).toMatchObject([{ code: 'ENOSPC', path: '/dev/full' }]);
  });

  test('--utility takes one of several utilities out of a recording', async () => {
    const path = await recorded([...spoilt(), ...heard.map(elsewhere)]);
    expect((await run('--recording', path)).exit).toBe(9);
    expect((await run('--recording', path, '--utility', 'elsewhere')).exit).toBe(0);
    expect((await run('--recording', path, '--utility', 'nobody')).exit).toBe(1);
  });

  test('what only a live collector is asked is refused of a recording', async () => {
    expect((await run('--recording', await recorded(heard), '--for', '1s')).exit).toBe(2);
  });

  test('has a line for every rule and ends with 0 when none is broken', async () => {
    const { exit, lines } = await run('--recording', await recorded(heard));
    expect(exit).toBe(0);
    const rules = lines.map((line) => line.split(' ')[0]);
    expect(rules).toEqual(expect.arrayContaining(Object.keys(RULES)));
    expect(lines.find((line) => line.startsWith('I5 '))).toContain('passed');
    expect(lines.find((line) => line.startsWith('C1 '))).toContain('not seen');
  });

  test('ends with 9 and shows what was broken', async () => {
    const { exit, lines } = await run('--recording', await recorded(spoilt()), '--json');
    expect(exit).toBe(9);
    const verdicts = lines.map((line) => JSON.parse(line));
    expect(verdicts.map(({ rule }) => rule)).toEqual(Object.keys(RULES));
    const failed = verdicts.filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ rule }) => rule)).toEqual(['I2']);
    expect(failed[0].breaches[0]).toMatchObject({ rule: 'I2', topic: expect.any(String) });
  });

  test('judges one collector alone where it is asked to', async () => {
    const other = spoilt().map((message) => ({
      ...message,
      topic: message.topic.replace('COL-1', 'COL-2'),
      payload: message.payload.replaceAll('COL-1', 'COL-2').replaceAll('"SP-', '"SQ-'),
    }));
    const both = await recorded([
      ...heard,
      ...other.map((m) => ({ ...m, topic: m.topic.replace('/SP-', '/SQ-') })),
    ]);
    expect((await run('--recording', both)).exit).toBe(9);
    expect((await run('--recording', both, '--collector', 'COL-1')).exit).toBe(0);
  });

  test('a last line that was cut off is left out, any other that is no message is told', async () => {
    const torn = join(folder, 'torn.ndjson');
    const line =
      '{"at":"2026-06-01T00:00:00.000Z","topic":"a","qos":1,"retain":false,"payload":""}';
    writeFileSync(torn, `${line}\n{"at":"20`);
    const read: Message[] = [];
    for await (const message of readRecording(torn)) read.push(message);
    expect(read).toHaveLength(1);
    writeFileSync(torn, `${line}\nwater\n${line}\n`);
    expect((await run('--recording', torn, '--json')).exit).toBe(1);
    expect((await run('--recording', join(folder, 'none'), '--json')).exit).toBe(1);
  });
});

describe('the conformance check of a live collector', () => {
  test('listens for its time, then judges', async () => {
    const broker = await startBroker();
    const collector = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
    const publish = async (messages: readonly Message[]) => {
      for (const { topic, payload, qos, retain } of messages) {
        await collector.publishAsync(topic, payload, { qos: qos as 0 | 1, retain });
      }
    };
    const judged = run('--broker', broker.url, '--utility', 'test', '--for', '3s', '--json');
    await vi.waitFor(() => expect(broker.clients()).toBe(2), 5_000);
    await publish(heard);
    const { exit, lines } = await judged;
    expect(exit).toBe(0);
    const i5 = lines.map((line) => JSON.parse(line)).find(({ rule }) => rule === 'I5');
    expect(i5).toMatchObject({ outcome: 'passed' });
    await collector.endAsync();
    await broker.close();
  });

  test.each([
    ['no broker', ['--broker', 'mqtt://127.0.0.1:1'], 5],
    ['neither broker nor recording', [], 2],
    ['both', ['--broker', 'mqtt://127.0.0.1:1', '--recording', 'x'], 2],
    ['a time that is none', ['--broker', 'mqtt://127.0.0.1:1', '--for', 'long'], 2],
  ])('%s ends it with its exit code', async (_, argv, code) => {
    expect((await run(...argv)).exit).toBe(code);
  });

  test('times are seconds, minutes, hours and days', () => {
    expect(['90', '90s', '20m', '2h', '3d', '1.5h'].map(duration)).toEqual([
      ...[90, 90, 1_200, 7_200, 259_200, 5_400],
    ]);
  });
});
