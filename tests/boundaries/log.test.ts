// Runs the log suite on pino and on the recording fake; then what each promises alone.

import { fstatSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPinoLog, goesToJournald } from '../../src/adapters/pino-log.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { logSuite, type WrittenLine } from './log.suite.ts';

logSuite('pino', (level) => {
  let text = '';
  const log = createPinoLog({
    level,
    destination: {
      write: (line) => {
        text += line;
      },
    },
  });
  return { log, lines: () => linesOf(text) };
});

logSuite('the recording log', (level) => {
  const log = new RecordingLog(level);
  return { log, lines: () => log.lines };
});

describe('pino', () => {
  it('states the time of a line in ISO 8601 UTC', () => {
    let line = '';
    const destination = {
      write: (text: string) => {
        line += text;
      },
    };
    createPinoLog({ level: 'info', destination }).info({}, 'read');
    const { time } = JSON.parse(line) as { time: string };
    expect(new Date(time).toISOString()).toBe(time);
  });
});

describe('pino for journald', () => {
  it('puts the priority of its level before each line, which stays whole behind it', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createPinoLog({ level: 'debug', destination, prioritized: true });
    log.debug({}, 'a');
    log.info({ meter: 'SP-1' }, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines.map((line) => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>']);
    expect(JSON.parse(lines[1]?.slice(3) ?? '')).toMatchObject({ meter: 'SP-1', msg: 'b' });
  });

  it('is for a standard output that journald named as its own, and for no other', () => {
    const { dev, ino } = fstatSync(1, { bigint: true });
    expect(goesToJournald({ JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
    expect(goesToJournald({ JOURNAL_STREAM: `${dev}:${ino + 1n}` })).toBe(false);
    expect(goesToJournald({})).toBe(false);
  });
});

describe('the recording log', () => {
  it('keeps the newest lines only', () => {
    const log = new RecordingLog('debug', 5);
    for (let i = 0; i < 100; i += 1) log.info({ i }, 'read');
    expect(log.lines.length).toBeLessThanOrEqual(10);
    expect(log.lines.at(-1)?.fields['i']).toBe(99);
  });
});

function linesOf(text: string): WrittenLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { level, msg, time: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
      return { level: String(level), message: String(msg), fields };
    });
}
