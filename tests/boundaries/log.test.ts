// Runs the log suite on pino and on the recording fake; then what each promises alone.

import { describe, expect, it } from 'vitest';
import { createPinoLog } from '../../src/adapters/pino-log.ts';
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
