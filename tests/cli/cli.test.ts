// The command line through its functions: exit codes, streams, JSON, and what a technician reads.

import { describe, expect, test } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { EXIT_MEANINGS } from '../../src/cli/exit-codes.ts';
import { table, volume } from '../../src/cli/say.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import { absent, fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const STATUS = {
  collector: 'COL-1',
  utility: 'demo',
  version: '1.2.3',
  now: '2026-11-22T06:12:00.000Z',
  epoch: 'E1',
  upstream: { connected: true, detail: 'MQTT 5' },
  journal: { pending: 2, rows: 40, oldest_pending: '2026-11-22T05:00:00.000Z', detail: 'sound' },
  clock: { synced: true, speed: 1 },
  buses: [{ bus: 'pole-1', type: 'line-serial', open: false, detail: 'port.absent' }],
  meters: [
    {
      meter: 'SP-1',
      inst: 1,
      bus: 'pole-1',
      digits: 8,
      unit: 'ft3',
      pow10: -1,
      read: 1234603,
      at: '2026-11-22T06:00:02.000Z',
      use_this_hour: 12,
      last_hour: { start: '2026-11-22T05:00:00.000Z', q: 'A', use: -3 },
      fault: null,
    },
    {
      meter: 'SP-2',
      inst: null,
      bus: 'pole-1',
      digits: null,
      unit: null,
      pow10: null,
      read: null,
      at: null,
      use_this_hour: null,
      last_hour: null,
      fault: {
        code: 'line.silent',
        detail: 'no\u001b[2J answer',
        since: '2026-11-22T05:59:00.000Z',
      },
    },
  ],
};

const INTERVALS = {
  meter: 'SP-1',
  installations: [{ inst: 1, unit: 'ft3', pow10: 2, digits: 4 }],
  intervals: [
    {
      inst: 1,
      row: 1,
      start: '2026-11-22T04:00:00.000Z',
      read: 7,
      at: '2026-11-22T05:00:00.000Z',
      total: 2,
      use: 1,
      q: 'A',
      flags: ['late'],
      rev: 1,
    },
  ],
  gaps: [
    {
      inst: 1,
      row: 2,
      from: '2026-11-22T05:00:00.000Z',
      to: '2026-11-22T07:00:00.000Z',
      use: 1,
      why: 'bus',
      flags: [],
    },
  ],
};

const PROOF = {
  meter: 'SP-1',
  inst: 1,
  hours: 3,
  gaps: 1,
  sum: 12,
  total: 12,
  ok: true,
  problem: null,
};
const AUDIT = { ok: true, meters: [PROOF], rows: 4, pending: 0 };

function answering(answers: Record<string, unknown>) {
  const given = Object.entries(answers).map(([name, data]): [string, CommandAnswer] => [
    name,
    { ok: true, data },
  ]);
  const { asked, commands } = scriptedCommands(Object.fromEntries(given));
  return { asked, parts: fakeParts({ daemon: () => commands }) };
}

function refusing(code: string) {
  const refusal = { ok: false, code, message: 'No.', hint: '' } as const;
  return fakeParts({ daemon: () => ({ run: async () => refusal }) });
}

describe('a word that is typed wrong', () => {
  test.each([
    ['', 2],
    ['statu --config good.yaml', 2],
    ['status --config', 2],
    ['status --config good.yaml --colour', 2],
    ['intervals --config good.yaml', 2],
    ['config', 2],
    ['config chek good.yaml', 2],
    ['help me', 2],
    ['audit now --config good.yaml', 2],
  ])('"%s" ends with %i, says so on standard error alone', async (line, exit) => {
    const said = await typed(line, fakeParts());
    expect(said.exit).toBe(exit);
    expect(said.out).toBe('');
    expect(said.err.length).toBeGreaterThan(20);
    expect(said.err).not.toMatch(/\.\.\n/);
  });

  test('is answered with the command that was meant', async () => {
    expect((await typed('statu', fakeParts())).err).toContain('Did you mean status?');
  });

  test.each([
    ['statu', '--help'],
    ['verify SP-1 1234', 'help verify'],
    ['alert', 'help alert'],
    ['config set --colour', 'help config set'],
  ])('"%s" is answered with the help to look at: %s', async (line, help) => {
    const said = await typed(line, fakeParts());
    expect(said.err).toContain(`meter-collector ${help}\n`);
    expect((await typed(help, fakeParts())).exit).toBe(0);
  });

  test('has a next step that can be copied, whatever the path', async () => {
    const said = await typed("config check a'b/c\\ d.yaml".replace('\\ ', '\u00a0'), fakeParts());
    expect(said.err).toContain("init --config 'a'\\''b/c\u00a0d.yaml'\n");
  });

  test('of --json alone is JSON too', async () => {
    const said = await typed('--json', fakeParts());
    expect([said.exit, JSON.parse(said.out)]).toMatchObject([2, { error: { code: 'usage.help' } }]);
  });

  test('is an error in JSON too', async () => {
    const said = await typed('read --json', fakeParts());
    expect(said.exit).toBe(2);
    expect(said.err).toBe('');
    expect(Object.keys(JSON.parse(said.out).error)).toEqual(['code', 'message', 'hint']);
    expect(JSON.parse(said.out).error.code).toMatch(/^usage\./);
  });
});

describe('help and version', () => {
  test.each([
    ['--help', 'Examples:'],
    ['help', 'Examples:'],
    ['help status', '--config <file>'],
    ['help config check', '[file]'],
    ['status --help', '--config <file>'],
    ['--version', 'meter-collector 1.2.3'],
    ['version', 'meter-collector 1.2.3'],
  ])('"%s" is an answer, not a failure', async (line, part) => {
    const said = await typed(line, fakeParts());
    expect(said.exit).toBe(0);
    expect(said.err).toBe('');
    expect(said.out).toContain(part);
  });

  test('the exit codes are all told', async () => {
    const { out } = await typed('help exit-codes', fakeParts());
    const codes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130].map(String);
    expect(out.match(/^ *\d+/gm)?.map((one) => one.trim())).toEqual(codes);
    const json = await typed('help exit-codes --json', fakeParts());
    expect(JSON.parse(json.out)).toEqual({ ...EXIT_MEANINGS });
  });

  test('the version in JSON', async () => {
    const { out } = await typed('version --json', fakeParts());
    expect(JSON.parse(out)).toEqual({ name: 'meter-collector', version: '1.2.3' });
  });
});

describe('bad settings', () => {
  test.each([
    'config check bad.yaml',
    'run --config bad.yaml',
    'status --config bad.yaml',
    'intervals SP-1 --config bad.yaml',
    'audit --config bad.yaml',
  ])('"%s" says every problem, ends with 3 and starts nothing', async (line) => {
    const started = () => {
      throw new Error('something was started');
    };
    const parts = fakeParts({
      startCollector: started,
      daemon: started,
      openJournal: started,
    });
    const said = await typed(line, parts);
    expect(said.exit).toBe(3);
    expect(said.out).toBe('');
    expect(said.err.match(/^bad\.yaml:\d+:\d+: .*/gm)).toHaveLength(2);
    const json = await typed(`${line} --json`, parts);
    expect(json.exit).toBe(3);
    const { error } = JSON.parse(json.out);
    expect(error.code).toBe('config.invalid');
    expect(error.problems.map((problem: { code: string }) => problem.code)).toEqual([
      'key.unknown',
      'bus.unknown',
    ]);
  });

  test('a file that is not there is a problem at its beginning', async () => {
    const said = await typed('config check none.yaml', fakeParts());
    expect(said.exit).toBe(3);
    expect(said.err).toContain('none.yaml:1:1: ');
  });

  test('a file that may not be read is a matter of permission', async () => {
    const problem = {
      code: 'file.denied' as const,
      file: 'x',
      line: 1,
      column: 1,
      message: 'No.',
    };
    const loadSettings = async () => ({ ok: false as const, problems: [problem] });
    const { exit, err } = await typed('config check x', fakeParts({ loadSettings }));
    // There is nothing in it to mend.
    expect([exit, err]).toEqual([8, expect.stringContaining('sudo')]);
  });

  test('good ones are said to be good', async () => {
    const said = await typed('config check good.yaml', fakeParts());
    expect(said.exit).toBe(0);
    expect(said.out).toBe('good.yaml is good: 1 meter on 1 bus.\n');
    const json = await typed('config check good.yaml --json', fakeParts());
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, meters: 1, buses: 1, warnings: [] });
  });
});

describe('status', () => {
  test('shows dials and volumes, and no control character of an encoder', async () => {
    const { exit, out, err } = await typed(
      'status --config good.yaml',
      answering({ status: STATUS }).parts,
    );
    expect(exit).toBe(0);
    expect(err).toBe('Something is wrong: meter-collector doctor --config good.yaml\n');
    expect(out.split('\n')[0]).toContain('1 of 2 meters');
    expect(out).toMatch(/SP-1 +1 +pole-1 +01234603 +123460\.3 ft3 .* 1\.2 ft3 +-0\.3 ft3 +A +ok/);
    expect(out).toMatch(/SP-2 +- +pole-1 .* line\.silent since 2026-11-22T05:59:00.000Z/);
    expect(out).not.toContain('\u001b');
  });

  test('says of each bus how busy it is, and the sentence with its next step', async () => {
    const says = 'Bits arrive wrong: baud or parity.';
    const [bus] = STATUS.buses;
    const buses = [{ ...bus, utilisation: 0.126, says, next: 'Try the others.' }];
    const { parts } = answering({ status: { ...STATUS, buses } });
    const { out } = await typed('status --config good.yaml', parts);
    expect(out).toMatch(/pole-1 .* 13 % +Bits arrive wrong: baud or parity\. Try the others\./);
  });

  test('gives the daemon’s own answer as JSON', async () => {
    const { parts } = answering({ status: STATUS });
    const { out, exit } = await typed('status --config good.yaml --json', parts);
    expect(exit).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toEqual(STATUS);
  });

  test('shows a journal whose collector does not run', async () => {
    const { version: _, ...rest } = STATUS;
    const { parts } = answering({ status: { ...rest, now: null, clock: null, buses: [] } });
    const { out } = await typed('status --config good.yaml', parts);
    expect(out).not.toContain('Clock');
    expect(out.split('\n')[0]).not.toContain('answer');
  });
});

describe('intervals', () => {
  test('shows hours and gaps in the meter’s own unit', async () => {
    const { asked, parts } = answering({ intervals: INTERVALS });
    const { exit, out } = await typed(
      'intervals SP-1 --from 2026-11-22 --to 2026-11-23T00:00:00Z --config good.yaml',
      parts,
    );
    expect(exit).toBe(0);
    expect(out).toMatch(/2026-11-22T04:00:00\.000Z +1 +0007 .* 100 ft3 +200 ft3 +A +late rev 1\n/);
    expect(out).toMatch(/2026-11-22T05:00:00\.000Z .* 100 ft3 +bus\n/);
    expect(asked).toEqual([
      [
        'intervals',
        { meter: 'SP-1', from: '2026-11-22T00:00:00.000Z', to: '2026-11-23T00:00:00.000Z' },
      ],
    ]);
  });

  test.each([
    ...['yesterday', '2026-11-22T06:00', '2026-13-01', '2026-02-30', '2026-11-22T06:00:00+02:00'],
    '2026-11-22 --to 2026-11-22',
  ])('does not guess what %s means', async (time) => {
    const { asked, parts } = answering({ intervals: INTERVALS });
    const line = `intervals SP-1 --config good.yaml --from ${time} --json`;
    const { exit, out } = await typed(line, parts);
    expect(exit).toBe(2);
    expect(JSON.parse(out).error.code).toBe('usage.time');
    expect(asked).toEqual([]);
  });

  test('of an unknown meter names the known ones', async () => {
    const said = await typed('intervals SP-9 --config good.yaml', refusing('unknown_meter'));
    expect(said.exit).toBe(2);
    expect(said.err).toContain('SP-1');
  });
});

describe('audit', () => {
  test('ends with 0 when every count is there', async () => {
    const { exit, out } = await typed(
      'audit --config good.yaml',
      answering({ audit: AUDIT }).parts,
    );
    expect(exit).toBe(0);
    expect(out).toMatch(/SP-1 +1 +3 +1 +12 +12 +ok/);
  });

  test('ends with 9 when a count is lost, in both manners', async () => {
    const bad = { ...PROOF, sum: 11, ok: false, problem: '1 count lost' };
    const { parts } = answering({ audit: { ...AUDIT, ok: false, meters: [bad] } });
    const said = await typed('audit --config good.yaml', parts);
    expect(said.exit).toBe(9);
    expect(said.out).toContain('1 count lost');
    const json = await typed('audit --config good.yaml --json', parts);
    expect(json.exit).toBe(9);
    expect(JSON.parse(json.out).ok).toBe(false);
  });
});

describe('the collector that is asked', () => {
  const offline = () => {
    let closed = 0;
    const { commands } = scriptedCommands({ audit: { ok: true, data: AUDIT } });
    const close = async () => {
      closed += 1;
    };
    const opened = { ...commands, close };
    return { openJournal: async () => good(opened), closed: () => closed };
  };

  test('is the running one, and its journal is left alone', async () => {
    const { commands } = scriptedCommands({ audit: { ok: true, data: AUDIT } });
    const openJournal = () => {
      throw new Error('opened under a running collector');
    };
    const parts = fakeParts({ daemon: () => commands, openJournal });
    expect((await typed('audit --config good.yaml', parts)).exit).toBe(0);
  });

  test('is its journal when it does not run, opened once and closed', async () => {
    const { openJournal, closed } = offline();
    const said = await typed(
      'audit --config good.yaml',
      fakeParts({ daemon: () => absent, openJournal }),
    );
    expect(said.exit).toBe(0);
    expect(said.err).toContain('not running');
    expect(closed()).toBe(1);
  });

  test.each([
    ['daemon.silent', 7],
    ['daemon.denied', 8],
    ['forbidden', 8],
    ['bad_request', 2],
    ['no_answer', 4],
    ['verify_failed', 6],
    ['upstream.refused', 5],
    ['internal', 1],
  ])(
    'that answers %s ends the program with %i, and its journal is left alone',
    async (code, exit) => {
      const { openJournal, closed } = offline();
      const said = await typed('audit --config good.yaml --json', {
        ...refusing(code),
        openJournal,
      });
      expect(said.exit).toBe(exit);
      expect(JSON.parse(said.out).error).toMatchObject({ code });
      expect(closed()).toBe(0);
    },
  );

  test.each([
    ['IO error: /data/LOCK: Permission denied', 8, 'forbidden'],
    ["ENOENT: no such file or directory, access '/data'", 1, 'store.failed'],
    ['Corruption: 3 missing files', 1, 'store.failed'],
  ])('whose journal cannot be opened (%s) ends the program with %i', async (detail, exit, code) => {
    const openJournal = async () => faulty('store.failed', detail);
    const said = await typed('audit --config good.yaml --json', fakeParts({ openJournal }));
    expect(said.exit).toBe(exit);
    expect(JSON.parse(said.out).error).toMatchObject({ code });
  });

  test('whose journal another process holds cannot be reached', async () => {
    const openJournal = async () => faulty('store.locked', 'it is locked');
    const said = await typed('audit --config good.yaml --json', fakeParts({ openJournal }));
    expect(said.exit).toBe(7);
    expect(JSON.parse(said.out).error.code).toBe('store.locked');
  });

  test('that is not there yet is not asked for again before a collector has run', async () => {
    const openJournal = async () => faulty('store.failed', 'there is no journal in /x');
    const said = await typed('status --config good.yaml --json', fakeParts({ openJournal }));
    expect(JSON.parse(said.out).error.hint).not.toBe('');
  });

  test('of another version is not shown half', async () => {
    const { parts } = answering({ status: { hello: 1 } });
    const said = await typed('status --config good.yaml --json', parts);
    expect(said.exit).toBe(1);
    expect(JSON.parse(said.out).error.code).toBe('answer.unknown');
  });
});

describe('run', () => {
  function stage() {
    const events: string[] = [];
    let ask = () => undefined as undefined;
    let end = () => undefined as undefined;
    const stopped = new Promise<void>((resolve) => {
      end = () => void resolve();
    });
    const parts = fakeParts({
      startCollector: async () => {
        events.push('started');
        return { stopped, stop: async () => void events.push('stopped') };
      },
      onStop: (listener) => {
        ask = () => void listener();
        return () => void events.push('released');
      },
    });
    return { events, parts, ask: () => ask(), end: () => end() };
  }
  /** Lets everything that is only waiting for promises run. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const until = async (condition: () => boolean) => {
    while (!condition()) await settle();
  };

  test('stops cleanly when asked once', async () => {
    const { events, parts, ask } = stage();
    const ran = typed('run --config good.yaml', parts);
    await until(() => events.includes('started'));
    ask();
    expect((await ran).exit).toBe(0);
    expect(events).toEqual(['started', 'stopped', 'released']);
  });

  test('hears a SIGHUP until it has stopped, for nobody else would take it, and reloads nothing by then', async () => {
    const { events, parts, ask } = stage();
    let hangUp: () => void = () => undefined;
    let over = () => undefined as undefined;
    const stopping = new Promise<void>((resolve) => {
      over = () => void resolve();
    });
    const collector = {
      stop: () => stopping.then(() => void events.push('stopped')),
      reload: async () => void events.push('reloaded'),
    };
    const ran = typed('run --config good.yaml', {
      ...parts,
      startCollector: async () => {
        events.push('started');
        return collector as never;
      },
      onReload: (listener) => {
        hangUp = listener;
        return () => void events.push('deaf');
      },
    });
    await until(() => events.includes('started'));
    await settle();
    hangUp();
    ask();
    await settle();
    hangUp();
    over();
    expect((await ran).exit).toBe(0);
    expect(events).toEqual(['started', 'reloaded', 'stopped', 'deaf', 'released']);
  });

  test('gives up at once when asked twice', async () => {
    const { events, parts, ask } = stage();
    const never = { stop: () => new Promise<void>(() => undefined) };
    const startCollector = async () => {
      events.push('started');
      return never;
    };
    const ran = typed('run --config good.yaml', { ...parts, startCollector });
    await until(() => events.includes('started'));
    ask();
    await settle();
    ask();
    expect((await ran).exit).toBe(130);
  });

  test('leaves a start that waits for its disk', async () => {
    const { events, parts, ask } = stage();
    const startCollector = () => {
      events.push('started');
      return new Promise<never>(() => undefined);
    };
    const ran = typed('run --config good.yaml', { ...parts, startCollector });
    await until(() => events.includes('started'));
    ask();
    expect((await ran).exit).toBe(0);
  });

  test('fails when the collector ends by itself', async () => {
    const { events, parts, end } = stage();
    const ran = typed('run --config good.yaml --json', parts);
    await until(() => events.includes('started'));
    end();
    const { exit, out } = await ran;
    expect(exit).toBe(1);
    expect(JSON.parse(out).error.code).toBe('collector.ended');
  });

  test.each([
    ['a bug', new TypeError('x is undefined'), 1, 'internal'],
    ['the system', Object.assign(new Error('denied'), { code: 'EACCES' }), 8, 'EACCES'],
  ])('shows no stack trace when it fails by %s', async (_whose, error, exit, code) => {
    const startCollector = async () => {
      throw error;
    };
    const said = await typed('run --config good.yaml', fakeParts({ startCollector }));
    expect(said.exit).toBe(exit);
    expect(said.err).not.toMatch(/^\s+at /m);
    const json = await typed('run --config good.yaml --json', fakeParts({ startCollector }));
    expect(JSON.parse(json.out).error.code).toBe(code);
    const traced = await typed('run --config good.yaml', fakeParts({ startCollector }), {
      env: { METER_COLLECTOR_TRACE: '1' },
    });
    expect(/^\s+at /m.test(traced.err)).toBe(code === 'internal');
  });
});

describe('the programs of the simulator', () => {
  test.each([
    ['sim --speed 60 --json', 'sim', ['--json', '--speed', '60'], {}],
    ['demo --for 5', 'demo', ['--for', '5'], {}],
    ['headend --help', 'headend', ['--help'], {}],
    ['help demo', 'demo', ['--help'], {}],
    ['--lang es --no-input sim --speed 60', 'sim', ['--speed', '60'], {}],
    ['--json headend --for 1', 'headend', ['--json', '--for', '1'], {}],
    ['demo --plain --no-color --lang=en', 'demo', ['--plain'], { NO_COLOR: '1' }],
    ['conformance --plain', 'conformance', [], {}],
  ])('"%s" is passed on, and its exit code handed back', async (line, name, args, env) => {
    const ran: unknown[] = [];
    const runProgram = async (...given: unknown[]) => {
      ran.push(given);
      return 42;
    };
    expect(await typed(line, fakeParts({ runProgram }))).toEqual({ exit: 42, out: '', err: '' });
    expect(ran).toEqual([[name, args, env]]);
  });

  test('are told, too, which languages there are', async () => {
    const { exit, err } = await typed('sim --lang xx', fakeParts());
    expect([exit, err.includes('"xx"')]).toEqual([2, true]);
  });
});

describe('colour', () => {
  const RED = '\u001b[31m';
  test.each([
    ['a person looks on', true, {}, '', true],
    ['nobody looks on', false, {}, '', false],
    ['NO_COLOR is set', true, { NO_COLOR: '1' }, '', false],
    ['the terminal is dumb', true, { TERM: 'dumb' }, '', false],
    ['--no-color is said', true, {}, ' --no-color', false],
  ])('when %s', async (_when, isTTY, env, flag, colored) => {
    const { err } = await typed(`status --config none.yaml${flag}`, fakeParts(), { isTTY, env });
    expect(err.includes(RED)).toBe(colored);
  });
});

test('a volume is the counts moved by the power of ten, in exact digits', () => {
  expect(volume(1234603, -1, 'ft3')).toBe('123460.3 ft3');
  expect(volume(-3, -1, 'ft3')).toBe('-0.3 ft3');
  expect(volume(5, -3, 'm3')).toBe('0.005 m3');
  expect(volume(7, 2, 'ft3')).toBe('700 ft3');
  expect(volume(0, 2, 'ft3')).toBe('0 ft3');
  expect(volume(12, 0, 'gal')).toBe('12 gal');
});

test('columns of numbers stand to the right, others to the left', () => {
  expect(
    table(
      ['A', 'N'],
      [
        ['x', '5'],
        ['long', '1234'],
      ],
    ),
  ).toBe('A        N\nx        5\nlong  1234\n');
});
