// What is typed to look after the journal, what is asked of whom, and what is said of the answer.

import { expect, it } from 'vitest';
import type { CommandAnswer, Commands } from '../../src/boundaries.ts';
import type { Parts } from '../../src/cli/parts.ts';
import { fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const SOUND = {
  ...{
    ok: true,
    rows: 9,
    pending: 2,
    acknowledged: 7,
    records: 40,
    problems: [],
    problem_count: 0,
  },
  meters: [
    { meter: 'SP-1', inst: 1, hours: 9, gaps: 0, sum: 5, total: 5, ok: true, problem: null },
  ],
};
const good = (data: unknown): CommandAnswer => ({ ok: true, data });
const CONFIG = '--config good.yaml';

/** Files that the collector writes are where this terminal looks. */
const seeing = (parts: Parts): Parts => ({
  ...parts,
  host: { ...parts.host, has: async () => true },
});

it.each([
  ['backup /tmp/b', 'journal.backup', 'backup --config good.yaml /var/lib/meter-collector/b'],
  [
    'audit --export /tmp/b',
    'journal.export',
    'audit --config good.yaml --export /var/lib/meter-collector/b',
  ],
])('"%s" of a service with a /tmp of its own is not told as done', async (line, name, next) => {
  const { asked, commands } = scriptedCommands({ [name]: good({ file: '/tmp/b', bytes: 1 }) });
  const { exit, out, err } = await typed(
    `${line} ${CONFIG}`,
    fakeParts({ daemon: () => commands }),
  );
  expect([exit, out, asked.length]).toEqual([1, '', 1]);
  expect(err).toContain(`meter-collector ${next}`);
  const message = '/tmp/b was not written: the disk of /tmp/b can only be read.';
  const refusal = { ok: false, code: 'internal', message, hint: '' } as const;
  const refusing = scriptedCommands({ [name]: refusal }).commands;
  const refused = await typed(`${line} ${CONFIG}`, seeing(fakeParts({ daemon: () => refusing })));
  expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining(next)]);
});

it('an audit whose records do not all hold ends with 9 and says the exact places', async () => {
  const place = 'the record i/SP-1/0001/0000000007 is damaged';
  const broken = { ...SOUND, ok: false, problems: [place], problem_count: 3 };
  const { commands } = scriptedCommands({ audit: good(broken) });
  const said = await typed(`audit ${CONFIG}`, fakeParts({ daemon: () => commands }));
  expect(said.exit).toBe(9);
  expect(said.out).toContain(place);
  expect(said.out).toContain('and 2 more');
});

it('an audit says on standard error how far it is, and on standard output only the answer', async () => {
  let tick = () => {};
  const commands: Commands = {
    async run(name) {
      if (name === 'audit.progress') return good({ records: 4_000 });
      tick();
      await Promise.resolve();
      await Promise.resolve();
      return good(SOUND);
    },
  };
  const every = (_: number, act: () => void) => {
    tick = act;
    return () => undefined;
  };
  const parts = fakeParts({ daemon: () => commands, every });
  const said = await typed(`audit --json ${CONFIG}`, parts, { isTTY: true });
  expect(said.exit).toBe(0);
  expect(said.err).toBe('\r4000 records read\n');
  expect(JSON.parse(said.out)).toEqual(SOUND);
});

it('audit --export has the journal written to a whole path first', async () => {
  const { asked, commands } = scriptedCommands({
    audit: good(SOUND),
    'journal.export': good({ file: '/tmp/x.ndjson', bytes: 12 }),
  });
  const parts = seeing(fakeParts({ daemon: () => commands }));
  expect((await typed(`audit --export /tmp/x.ndjson ${CONFIG}`, parts)).exit).toBe(0);
  expect(asked).toEqual([
    ['journal.export', { file: '/tmp/x.ndjson' }],
    ['audit', {}],
  ]);
});

it('journal stats shows the wear of the day against its budget', async () => {
  const stats = {
    ...{
      rows: 9,
      pending: 2,
      bytes: 5_000_000,
      free_bytes: 1e9,
      bytes_of: { increments: 4_000_000 },
    },
    ...{ oldest_increment: null, oldest_hour: null, days_kept: { increments: 3, hours: 4.5 } },
    limits: {
      increment_days: 45,
      hour_days: 400,
      event_days: 400,
      max_bytes: 1e9,
      min_free_bytes: 1,
    },
    ...{ days_left: 700, written_today: 10_000_000, write_budget: 40_000_000 },
  };
  const { commands } = scriptedCommands({ 'journal.stats': good(stats) });
  const parts = fakeParts({ daemon: () => commands });
  const said = await typed(`journal stats ${CONFIG}`, parts);
  expect(said.out).toMatch(/10\.0 MB, budget 40\.0 MB \(25 % of it\)/);
  expect(said.out).toMatch(/4\.5 of 400 days/);
  expect(JSON.parse((await typed(`journal stats --json ${CONFIG}`, parts)).out)).toEqual(stats);
});

it('backup asks whoever holds the journal, restore nobody but the folder, and force only when it is typed', async () => {
  const { asked, commands } = scriptedCommands({
    'journal.backup': good({ file: '/tmp/b', bytes: 1 }),
  });
  const restored: unknown[] = [];
  const plain = fakeParts({
    daemon: () => commands,
    restoreJournal: async (_, file, force) => {
      restored.push([file, force]);
      return { ok: false, code: 'conflict', message: 'Newer.', hint: 'Add --force.' };
    },
  });
  const parts = seeing(plain);
  expect((await typed(`backup /tmp/b ${CONFIG}`, parts)).exit).toBe(0);
  expect(asked).toEqual([['journal.backup', { file: '/tmp/b' }]]);
  const refused = await typed(`restore /tmp/b --json ${CONFIG}`, parts);
  expect(refused.exit).toBe(1);
  expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'conflict' } });
  await typed(`restore /tmp/b --force ${CONFIG}`, parts);
  expect(restored).toEqual([
    ['/tmp/b', false],
    ['/tmp/b', true],
  ]);
});
