// What every Log promises.

import { describe, expect, it } from 'vitest';
import type { Log } from '../../src/boundaries.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface WrittenLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogRig {
  readonly log: Log;
  /** The lines written so far. */
  lines(): readonly WrittenLine[];
}

export function logSuite(name: string, open: (level: LogLevel) => LogRig): void {
  describe(`${name} as a Log`, () => {
    it('a line carries its level, its message and its fields', () => {
      const { log, lines } = open('debug');
      log.debug({ bus: 'pole-1' }, 'asked');
      log.info({ meter: 'SP-1', read: 1_234_603 }, 'read');
      log.warn({ meter: 'SP-2', fault: { code: 'line.silent' } }, 'silent');
      log.error({}, 'the journal failed');
      expect(lines()).toEqual([
        { level: 'debug', message: 'asked', fields: { bus: 'pole-1' } },
        { level: 'info', message: 'read', fields: { meter: 'SP-1', read: 1_234_603 } },
        {
          level: 'warn',
          message: 'silent',
          fields: { meter: 'SP-2', fault: { code: 'line.silent' } },
        },
        { level: 'error', message: 'the journal failed', fields: {} },
      ]);
    });

    it('lines below the level are not written', () => {
      const { log, lines } = open('warn');
      log.debug({}, 'no');
      log.info({}, 'no');
      log.warn({}, 'yes');
      log.error({}, 'yes');
      expect(lines().map((line) => line.level)).toEqual(['warn', 'error']);
    });

    it('a secret that slips into the fields is not shown', () => {
      const { log, lines } = open('debug');
      const canary = 'CANARY-7c1f';
      log.info({ password: canary, upstream: { username: 'COL-1', password: canary } }, 'settings');
      log.info({ a: { b: { token: canary } }, secret: canary }, 'deeper');
      expect(JSON.stringify(lines())).not.toContain(canary);
      expect(lines()[0]?.fields['upstream']).toHaveProperty('username', 'COL-1');
    });

    it('a message from outside cannot begin a line of its own', () => {
      const { log, lines } = open('debug');
      log.info({ answer: 'R1234\r\n{"level":"error"}' }, 'odd\nanswer');
      expect(lines()).toHaveLength(1);
      expect(lines()[0]?.message).toBe('odd\nanswer');
    });

    it('fields that run in a circle do not stop the caller', () => {
      const { log, lines } = open('debug');
      const ring: Record<string, unknown> = { meter: 'SP-1' };
      ring['self'] = ring;
      log.info({ ring }, 'ring');
      expect(lines()[0]?.message).toBe('ring');
    });
  });
}
