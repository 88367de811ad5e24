// The page for head-end developers: every example keeps its schema, every topic is told, and its SQL keeps each hour once.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../src/commands/classes.ts';
import { FLAGS } from '../../src/domain/entry.ts';
import { Life } from '../journal/life.ts';
import { HOUR } from '../journal/metered.ts';
import { assertContract, kindOf, SCHEMAS, validatorOf } from './schemas.ts';

const path = fileURLToPath(new URL('../../docs/head-end.md', import.meta.url));
const page = readFileSync(path, 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    (m) => m[1] ?? '',
  );
const examples = blocks('json');
/** The rows of the table whose first column is headed so, by column. */
const blocksOfTable = (head: string) => {
  const [, table = ''] = new RegExp(`\\| ${head} .*\\n((?:\\|.*\\n)+)`).exec(page) ?? [];
  return table.split('\n').map((row) => row.split('|').slice(1));
};
const kinds = [...SCHEMAS.keys()].filter((kind) => kind !== 'common');

describe('the page for head-end developers', () => {
  it('has an example of every message, and each keeps its schema', () => {
    const shown = examples.map((example) => {
      const message = JSON.parse(example) as { type: string };
      const validate = validatorOf(message.type);
      expect([validate(message), validate.errors]).toEqual([true, null]);
      return message.type;
    });
    expect([...new Set(shown)].sort()).toEqual([...kinds].sort());
  });

  it('has a line for mosquitto_sub or mosquitto_pub on every topic', () => {
    const lines = blocks('sh').join('\n');
    const topics = [...lines.matchAll(/-t '([^']+)'/g)].map((m) =>
      (m[1] ?? '').replace(/\+/g, 'X'),
    );
    expect([...new Set(topics.map((topic) => kindOf(topic)))].sort()).toEqual([...kinds].sort());
    for (const [, topic = '', message = ''] of lines.matchAll(
      /mosquitto_pub .*?-t '([^']+)' -m '([^']+)'/g,
    )) {
      expect(() => assertContract(topic, message)).not.toThrow();
    }
    const wills = [
      ...lines.matchAll(/^(\w+) .*--will-topic '([^']+)' .*--will-payload '([^']+)'/gm),
    ];
    // Who leaves cleanly has no will.
    expect(wills.map(([, program]) => program)).toEqual(['mosquitto_sub']);
    for (const [, , topic = '', message = ''] of wills) {
      expect(() => assertContract(topic, message)).not.toThrow();
    }
  });

  it('lets no two programs share an id, which would push each other off the broker', () => {
    const ids = [...page.matchAll(/ -i (\S+)/g)].map((match) => match[1]);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tells the arguments of every command, and shows a birth with those that are always allowed', () => {
    const table = blocksOfTable('command');
    const told = new Map(
      table.flatMap(([names = '', kind = '']) =>
        [...names.matchAll(/`([a-z._]+)`/g)].map((match) => [match[1] ?? '', kind.trim()]),
      ),
    );
    for (const kind of ['read', 'operate', 'configure'] as const) {
      const mine = [...told].filter(([, one]) => one === kind).map(([name]) => name);
      expect(mine.sort()).toEqual(commandsOf([kind]).sort());
    }
    const birth = examples.map((one) => JSON.parse(one)).find(({ type }) => type === 'birth');
    expect(birth.commands).toEqual(commandsOf(['read']));
  });

  it('explains every flag, and links to files that are there', () => {
    for (const flag of FLAGS) expect(page).toContain(`| \`${flag}\``);
    const links = [...page.matchAll(/\]\((?!http)([^)#]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(kinds.length);
    expect(links.filter((link) => !existsSync(join(dirname(path), link)))).toEqual([]);
  });
});

const hasSqlite = spawnSync('sqlite3', ['-version']).error === undefined;

describe.skipIf(!hasSqlite)('the SQL of the page (needs sqlite3)', () => {
  const [schema = '', hour = '', gap = '', row = '', epoch = '', proof = ''] = blocks('sql');
  const literal = (one: unknown) => (typeof one === 'string' ? `'${one}'` : String(one));
  const bound = (sql: string, values: Record<string, unknown>) =>
    sql.replace(/:(\w+)/g, (_, name: string) => literal(values[name] ?? null));
  const run = (...statements: string[]) =>
    execFileSync('sqlite3', [':memory:'], {
      input: [schema, ...statements].join('\n'),
      encoding: 'utf8',
    })
      .trim()
      .split('\n');

  const journal = { utility: 'demo', collector: 'COL-1', epoch: 'E', row: 1 };
  const place = { ...journal, meter: 'SP-1', inst: 1, unit: 'ft3', pow10: -1, digits: 8 };
  const hourOf = (start: string, total: number | null, use: number | null, rev = 0) =>
    bound(hour, { ...place, start, rev, read: total, at: start, total, use, q: 'A', flags: '' });
  const gapOf = (from: string, use: number | null, rev = 0) =>
    bound(gap, { ...place, from, to: from, rev, use, why: 'bus', flags: '' });
  const ALL = 'SELECT start, use_counts, rev FROM hours ORDER BY start;';

  it('keeps an hour once however often it comes, and the highest rev in whatever order', () => {
    const hours = [
      hourOf('03', 5, 5),
      hourOf('03', 5, 5),
      hourOf('04', 9, 4, 2),
      hourOf('04', 8, 3, 1),
    ];
    expect(run(...hours, ALL)).toEqual(['03|5|0', '04|4|2']);
    expect(run(...hours, hourOf('04', 12, 7, 3), ALL)).toEqual(['03|5|0', '04|7|3']);
  });

  it('names the type of what is NULL in a union, which PostgreSQL takes for text else', () => {
    expect(proof.match(/\bNULL AS \w+/g)).toEqual(['NULL AS BIGINT']);
  });

  it('withdraws a gap, and numbers a row once', () => {
    const gaps = [gapOf('03:10', 7), gapOf('03:10', null, 1), gapOf('03:10', 7)];
    expect(run(...gaps, "SELECT coalesce(use_counts, 'withdrawn'), rev FROM gaps;")).toEqual([
      'withdrawn|1',
    ]);
    const stored = bound(row, { utility: 'demo', collector: 'C', epoch: 'E', row: 7 });
    expect(run(stored, stored, 'SELECT count(*) FROM rows_stored;')).toEqual(['1']);
  });

  it('proves that hours and gaps sum to the dial, and shows where they do not', () => {
    const whole = [
      hourOf('03', 5, 5),
      gapOf('04', 3),
      hourOf('06', 12, 4),
      hourOf('05', null, null),
    ];
    expect(run(...whole, proof)).toEqual(['']);
    expect(run(...whole, hourOf('07', 20, 7), proof)).toEqual(['demo|SP-1|1|19|20']);
    // A place of the same name at another utility is another place.
    const theirs = bound(hour, {
      ...{ ...place, utility: 'other', start: '09', rev: 0, read: 2, at: '09', total: 2, use: 2 },
      ...{ q: 'A', flags: '' },
    });
    expect(run(...whole, theirs, proof)).toEqual(['']);
  });

  /** The statements that store a message. */
  const stored = (payload: string): string[] => {
    const { intervals, gaps, data, flags, ...head } = JSON.parse(payload);
    const fields = { ...head, utility: 'demo', rev: 0 };
    if (head.type === 'event') {
      const from = data.backup_epoch ?? data.epoch_before;
      if (head.code !== 'journal.repaired' || from === undefined) return [];
      if (data.new_epoch === null) return [];
      return [bound(epoch, { ...fields, ...data, from, rows: data.backup_rows })];
    }
    const all = (sql: string, entries: { flags: string[] }[]) =>
      entries.map((one) => bound(sql, { ...fields, ...one, flags: one.flags.join(' ') }));
    return [...all(hour, intervals), ...all(gap, gaps)];
  };

  it('has every count once after restores and a repair, in whatever order the messages come', async () => {
    const life = await Life.begin();
    await life.read(20, 3);
    await life.deliver();
    const first = await life.backup();
    await life.read(5, 3);
    await life.silent(4, 7);
    await life.read(5, 3);
    await life.deliver();
    await life.restore(first);
    await life.read(5.5, 3);
    await life.silent(4, 2);
    await life.read(2, 3);
    await life.deliver();
    await life.restore(first);
    await life.read(3, 3);
    await life.loseState();
    await life.read(3, 3);
    expect(await life.problems()).toEqual([]);
    const truth = life.dials.get((life.ledger.latest('SP-1')?.start ?? 0) + HOUR);
    const sent = life.sent.map(({ payload }) => payload);
    const SUM =
      'SELECT sum(use_counts) FROM (SELECT use_counts FROM hours UNION ALL SELECT use_counts FROM gaps) AS every;';
    for (const order of [sent, sent.toReversed(), [...sent, ...sent]]) {
      const statements = order.flatMap(stored);
      expect(run(...statements, SUM)).toEqual([String(truth)]);
      expect(run(...statements, proof)).toEqual(['']);
    }
    const deaf = sent.filter((one) => JSON.parse(one).type !== 'event').flatMap(stored);
    expect(run(...deaf, SUM)).not.toEqual([String(truth)]);
  });
});
