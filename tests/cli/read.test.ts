// `read METER` on the command line: what was typed, what is said, and the exit code of each refusal.

import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const SEEN = {
  ...{ meter: 'SP-1', inst: 1, read: 1_234_603, dial: '01234603', digits: 8, unit: 'ft3' },
  ...{ pow10: -1, at: '2026-06-01T00:15:00Z', q: 'A' },
};

async function read(line: string, answer: CommandAnswer) {
  const { asked, commands } = scriptedCommands({ read: answer });
  const said = await typed(
    `read ${line} --config good.yaml`,
    fakeParts({ daemon: () => commands }),
  );
  return { ...said, asked };
}

describe('read', () => {
  it('says what the dial shows, in counts, in volume and when', async () => {
    const { exit, out, asked } = await read('SP-1', { ok: true, data: SEEN });
    expect(exit).toBe(0);
    expect(out).toBe('SP-1 shows 01234603, 123460.3 ft3, read at 2026-06-01T00:15:00Z.\n');
    expect(asked).toEqual([['read', { meter: 'SP-1' }]]);
  });

  it('a doubted reading is not said to count', async () => {
    const { exit, out } = await read('SP-1', { ok: true, data: { ...SEEN, q: 'S' } });
    expect(exit).toBe(0);
    expect(out).toContain('does not count');
  });

  it('in JSON is the collector’s answer', async () => {
    const { out } = await read('SP-1 --json', { ok: true, data: SEEN });
    expect(JSON.parse(out)).toEqual(SEEN);
  });

  it('waits as long as was asked', async () => {
    const { asked } = await read('SP-1 --within 5', { ok: true, data: SEEN });
    expect(asked).toEqual([['read', { meter: 'SP-1', within_s: 5 }]]);
  });

  it.each([
    ['no_answer', 4],
    ['busy', 1],
    ['unknown_meter', 2],
    ['daemon.absent', 7],
  ])('a refusal for %s ends with %i', async (code, exit) => {
    const refusal = { ok: false, code, message: 'No.', hint: '' } as const;
    expect((await read('SP-1', refusal)).exit).toBe(exit);
  });

  it('without a collector nothing is read from the journal instead', async () => {
    const openJournal = async () => {
      throw new Error('the journal was opened');
    };
    const said = await typed('read SP-1 --config good.yaml', fakeParts({ openJournal }));
    expect(said.exit).toBe(7);
    expect(said.err).toContain('meter-collector run --config good.yaml');
  });
});
