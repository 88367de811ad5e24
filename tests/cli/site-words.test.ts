// The words at the meter: verify, meter, the led change-out, queue, config and events with filters, as asked and as said.

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { fakeParts, scriptedCommands, typed } from './fake-parts.ts';
import { ANSWERS } from './main-outputs.ts';

const SCHEMA = new URL('../../config/settings.schema.json', import.meta.url);
const good = (data: unknown): CommandAnswer => ({ ok: true, data });
const verified = (verdict: string) =>
  good({
    meter: 'SP-1',
    verdict,
    places: { register: '00000007', dial: '00000009', difference: 2 },
  });

function answering(
  answers: Readonly<Record<string, CommandAnswer>>,
  prompts: readonly string[] = [],
) {
  const { asked, commands } = scriptedCommands(answers);
  const questions: string[] = [];
  const left = [...prompts];
  const parts = fakeParts({
    daemon: () => commands,
    prompt: async (question) => {
      questions.push(question);
      return left.shift() ?? null;
    },
  });
  return { asked, questions, parts };
}

describe('verify', () => {
  it.each([
    ['match', 0],
    ['moved', 0],
    ['ignored_digit_match', 0],
    ['off_by_digit', 6],
    ['scale', 6],
    ['wrong_meter', 6],
    ['mismatch', 6],
  ])('a dial that is %s ends with %i', async (verdict, exit) => {
    const { asked, parts } = answering({ verify: verified(verdict) });
    const said = await typed('verify SP-1 --dial 00000009', parts);
    expect(said.exit).toBe(exit);
    expect(said.out).not.toContain('site.');
    expect(asked).toEqual([['verify', { meter: 'SP-1', dial: '00000009' }]]);
  });

  it('asks for the dial where a person sits at a terminal, before anything is shown', async () => {
    const { asked, questions, parts } = answering({ verify: verified('match') }, [
      'x',
      '0000 0007',
    ]);
    const { exit } = await typed('verify SP-1', parts, { isTTY: true });
    expect(exit).toBe(0);
    expect(questions).toHaveLength(2);
    expect(asked).toEqual([['verify', { meter: 'SP-1', dial: '00000007' }]]);
  });

  it.each([['--no-input'], ['--json']])('asks nothing with %s', async (flag) => {
    const { questions, parts } = answering({ verify: verified('match') });
    expect((await typed(`verify SP-1 ${flag}`, parts, { isTTY: true })).exit).toBe(2);
    expect(questions).toEqual([]);
  });

  it('of a silent meter ends with 4', async () => {
    const refusal = { ok: false, code: 'no_answer', message: 'No.', hint: '' } as const;
    const { parts } = answering({ verify: refusal });
    expect((await typed('verify SP-1 --dial 7', parts)).exit).toBe(4);
  });
});

describe('meter', () => {
  it.each([
    [
      'meter add SP-2 --bus b --profile p --address 2 --digits 4 --unit ft3 --pow10 2 --route 12 --by ana',
      'meter.add',
      {
        ...{ meter: 'SP-2', bus: 'b', profile: 'p', address: '2', route: '12', by: 'ana' },
        dial: { digits: 4, unit: 'ft3', pow10: 2 },
      },
    ],
    [
      'meter edit SP-1 --poll-s 300 --dry-run',
      'meter.update',
      { meter: 'SP-1', poll_s: 300, dry_run: true },
    ],
    ['meter remove SP-1 --confirm SP-1', 'config.set', { changes: [{ path: '/meters/SP-1' }] }],
  ])('"%s" asks for %s', async (line, name, args) => {
    const { asked, parts } = answering({ [name]: good({ written: true }) });
    expect((await typed(line, parts)).exit).toBe(0);
    expect(asked).toEqual([[name, args]]);
  });

  it.each([
    ['meter remove SP-1'],
    ['meter remove SP-1 --confirm SP-2'],
    ['meter edit SP-1'],
    ['meter add SP-2'],
    ['meter add SP-2 --bus b --profile p --address 2 --digits x'],
    ['meter edit SP-1 --poll-s 5m'],
  ])('"%s" changes nothing', async (line) => {
    const { asked, parts } = answering({});
    expect((await typed(line, parts)).exit).toBe(2);
    expect(asked).toEqual([]);
  });

  it('is removed by a person only after its name was typed', async () => {
    const { asked, parts } = answering({ 'config.set': good({ written: true }) }, ['SP-2']);
    expect((await typed('meter remove SP-1', parts, { isTTY: true })).exit).toBe(2);
    expect(asked).toEqual([]);
  });

  it('shows one meter, and that it was never proved', async () => {
    const { parts } = answering({ 'meter.show': good(ANSWERS['meter.show']) });
    const { out, err } = await typed('meter show SP-1', parts);
    expect(out).toMatch(/Register id +1\n/);
    expect(err).toContain('meter-collector commission SP-1');
  });

  it('lists with tabs for scripts', async () => {
    const { parts } = answering({ 'meter.list': good(ANSWERS['meter.list']) });
    const { out } = await typed('meter list --plain', parts);
    expect(out.split('\n')[1]).toBe('SP-1\t1\t-\t00000007\t0.7 ft3\tnever');
  });
});

describe('a change-out led at a terminal', () => {
  /** What the collector keeps of one that was begun elsewhere. */
  const begun = (step: string) => ({
    ...{ meter: 'SP-1', step, began: '2026-06-01T10:00:00Z', by: 'ana', inst: 1 },
    ...{ final: '00000009', register_id: null },
  });
  const listed = (...changeouts: object[]) => ({ 'changeout.list': good({ changeouts }) });
  const changed = good({ meter: 'SP-1', inst: 2, final: 9 });
  const answers = { ...listed(), 'changeout.keep': good({}), 'changeout.drop': good({}) };
  const NEW = ['55501234', '', '8', 'ft3', '-1', '00000100'];

  it('takes the final read, the swap, the new meter and its initial read in this order', async () => {
    const { asked, parts } = answering(
      { ...answers, verify: verified('match'), changeout: changed },
      ['00000009', '', ...NEW],
    );
    const { exit, out } = await typed('changeout SP-1 --by t4', parts, { isTTY: true });
    expect(exit).toBe(0);
    expect(asked).toMatchObject([
      ['changeout.list', {}],
      ['verify', { meter: 'SP-1', dial: '00000009' }],
      ['changeout.keep', { meter: 'SP-1', step: 'swap', final: '00000009', by: 't4' }],
      ['changeout.keep', { meter: 'SP-1', step: 'scan', final: '00000009', by: 't4' }],
      [
        'changeout',
        {
          ...{ meter: 'SP-1', final: '00000009', initial: '00000100', register_id: '55501234' },
          ...{ digits: '8', unit: 'ft3', pow10: '-1' },
        },
      ],
      ['verify', { meter: 'SP-1', dial: '00000100' }],
      ['changeout.drop', { meter: 'SP-1' }],
    ]);
    expect(out).toContain('installation 2');
  });

  it('goes on where the old meter is silent, and stays open where the new dial is another', async () => {
    const calls: string[] = [];
    const run = async (name: string): Promise<CommandAnswer> => {
      calls.push(name);
      if (name === 'changeout') return changed;
      if (name !== 'verify') return answers[name as keyof typeof answers];
      if (calls.includes('changeout')) return verified('mismatch');
      return { ok: false, code: 'no_answer', message: 'No.', hint: '' };
    };
    const left = ['00000009', '', '1', '', '', '', '', '00000100'];
    const parts = fakeParts({ daemon: () => ({ run }), prompt: async () => left.shift() ?? null });
    expect((await typed('changeout SP-1', parts, { isTTY: true })).exit).toBe(6);
    expect(calls.filter((name) => !name.includes('.'))).toEqual(['verify', 'changeout', 'verify']);
    expect(calls).not.toContain('changeout.drop');
  });

  it('that is left half way changes nothing', async () => {
    const script = { ...answers, verify: verified('match') };
    const { asked, parts } = answering(script, ['00000009']);
    expect((await typed('changeout SP-1', parts, { isTTY: true })).exit).toBe(130);
    expect(asked.map(([name]) => name)).not.toContain('changeout');
  });

  it.each([
    ['swap', ['', ...NEW], ['changeout.keep', 'changeout', 'verify', 'changeout.drop']],
    ['scan', NEW, ['changeout', 'verify', 'changeout.drop']],
    ['told', NEW, ['changeout', 'verify', 'changeout.drop']],
    ['initial', NEW.slice(-1), ['verify', 'changeout.drop']],
  ])(
    'that was left at "%s" goes on there, with the old dial as it was read',
    async (step, prompts, calls) => {
      const other = { ...begun('swap'), meter: 'SP-2', final: '7' };
      const script = { ...answers, ...listed(other, begun(step)) };
      const { asked, parts } = answering(
        { ...script, verify: verified('match'), changeout: changed },
        prompts,
      );
      const { exit, err } = await typed('changeout SP-1', parts, { isTTY: true });
      expect(exit).toBe(0);
      expect(err).toContain('begun at 2026-06-01T10:00:00Z; the old dial showed 00000009');
      expect(asked.map(([name]) => name)).toEqual(['changeout.list', ...calls]);
      for (const [name, args] of asked) {
        if (name === 'changeout')
          expect(args).toMatchObject({ final: '00000009', initial: '00000100' });
      }
    },
  );

  it('says so where what is known cannot be kept, and goes on', async () => {
    const full = {
      ok: false,
      code: 'busy',
      message: '200 change-outs are under way.',
      hint: '',
    } as const;
    const script = {
      ...answers,
      'changeout.keep': full,
      verify: verified('match'),
      changeout: changed,
    };
    const { parts } = answering(script, ['00000009', '', ...NEW]);
    const { exit, err } = await typed('changeout SP-1', parts, { isTTY: true });
    expect([exit, err.split('could not be kept').length]).toEqual([0, 3]);
  });

  it('is refused where nobody can be asked and nothing is said of either meter', async () => {
    const { asked, parts } = answering({ ...answers, changeout: changed });
    const { exit, out } = await typed('changeout SP-1 --by t4 --json', parts);
    expect([exit, JSON.parse(out)]).toMatchObject([2, { error: { code: 'usage.missing' } }]);
    expect(asked).toEqual([]);
    expect((await typed('changeout SP-1 --body-serial N-1', parts)).exit).toBe(0);
  });

  it('is forgotten with --give-up, and nothing is asked', async () => {
    const { asked, questions, parts } = answering(answers);
    const { exit, out } = await typed('changeout SP-1 --give-up', parts, { isTTY: true });
    expect(exit).toBe(0);
    // What the collector was told of the new meter is not taken back.
    expect(out).toContain('told already stays told');
    expect(asked).toEqual([['changeout.drop', { meter: 'SP-1' }]]);
    expect(questions).toEqual([]);
  });
});

describe('queue and config', () => {
  it('sends again what is asked for, of one meter or of all', async () => {
    const { asked, parts } = answering({ 'queue.resend': good({ rows: 2 }) });
    const span = '--from 2026-11-22 --to 2026-11-22T06:00:00Z';
    expect((await typed(`queue resend SP-1 ${span}`, parts)).exit).toBe(0);
    expect((await typed(`queue resend ${span}`, parts)).out).toContain('2 rows');
    const [from, to] = ['2026-11-22T00:00:00.000Z', '2026-11-22T06:00:00.000Z'];
    expect(asked).toEqual([
      ['queue.resend', { meter: 'SP-1', from, to }],
      ['queue.resend', { from, to }],
    ]);
    expect((await typed('queue resend --from yesterday --to 2026-11-22', parts)).exit).toBe(2);
    expect((await typed('queue resend --from 2026-11-22 --to 2026-11-21', parts)).exit).toBe(2);
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['config show', 'config.get', {}],
    ['config show upstream', 'config.get', { section: 'upstream' }],
    ['config show meters.SP-1', 'config.get', { meter: 'SP-1' }],
    [
      'config set upstream.keepalive_s 60 --by ana',
      'config.set',
      { changes: [{ path: '/upstream/keepalive_s', value: 60 }], by: 'ana' },
    ],
    ['config set /alerts', 'config.set', { changes: [{ path: '/alerts' }] }],
    ['config diff', 'config.diff', {}],
    ['config apply', 'config.apply', {}],
  ])('"%s" asks for %s', async (line, name, args) => {
    const data = { settings: {}, changes: [], applied: [], restart_required: [], written: true };
    const { asked, parts } = answering({ [name]: good(data) });
    expect((await typed(line, parts)).exit).toBe(0);
    expect(asked).toEqual([[name, args]]);
  });

  it.each([
    ['meters.SP-1.register_id', '1234', '1234'],
    ['meters.SP-1.register_id', '00123', '00123'],
    ['meters.SP-1.register_id', '1e5', '1e5'],
    ['/meters/SP-1/service_point', 'true', 'true'],
    ['upstream.username', '"1234"', '1234'],
    ['utility', 'null', 'null'],
    ['meters.SP-1.address', '5', 5],
    ['meters.SP-1.address', '007', '007'],
    ['meters.SP-1.address', '1e1', '1e1'],
    ['meters.SP-1.poll_s', '300', 300],
    ['meters.SP-1.dial.digits', '4', 4],
    ['upstream.last', 'true', true],
    ['console.allowed_hosts', '["a.lan"]', ['a.lan']],
    ['no.such.place', '7', 7],
  ])('sets %s to %s as its place takes it', async (path, value, taken) => {
    const schemaText = () => readFile(SCHEMA, 'utf8');
    const { asked, parts } = answering({ 'config.set': good({ written: true }) });
    expect((await typed(['config', 'set', path, value], { ...parts, schemaText })).exit).toBe(0);
    const place = `/${path.replace(/^\//, '').replaceAll('.', '/')}`;
    expect(asked).toEqual([['config.set', { changes: [{ path: place, value: taken }] }]]);
  });

  it('says of a key without a value that it is taken out', async () => {
    const { parts } = answering({ 'config.set': good({ written: true }) });
    const [gone, set] = [
      await typed('config set /alerts', parts),
      await typed('config set /a 1', parts),
    ];
    expect(gone.out).toBe('/alerts is taken out.\n');
    expect(set.out).toBe('/a is written.\n');
  });

  it('compares with another file by its text', async () => {
    const { asked, parts } = answering({ 'config.diff': good({ changes: [] }) });
    await typed('config diff good.yaml', parts);
    expect(asked).toMatchObject([['config.diff', { text: expect.stringContaining('COL-1') }]]);
  });

  it('gives the schema as it is', async () => {
    expect((await typed('config schema', fakeParts())).out).toBe('{}\n');
  });
});

describe('events with filters', () => {
  const event = (id: string, code: string, phase: string, hour: number) => ({
    ...{ meter: 'SP-1', id, code, phase, severity: 'minor', data: {} },
    at: `2026-11-22T0${hour}:00:00Z`,
  });
  const events = [
    event('a', 'leak.slow', 'raise', 1),
    event('b', 'read.silent', 'raise', 2),
    event('b', 'read.silent', 'clear', 3),
    event('c', 'leak.slow', 'raise', 4),
  ];

  it.each([
    ['--open', ['a', 'c']],
    ['--code leak.slow,flow.burst', ['a', 'c']],
    ['--code read.silent', ['b', 'b']],
    ['--from 2026-11-22T02:00:00Z --to 2026-11-22T04:00:00Z', ['b', 'b']],
    ['--last 1', ['c']],
    ['--severity major', []],
  ])('%s tells those alone', async (flags, ids) => {
    const { parts } = answering({ events: good({ events }) });
    const { out } = await typed(`events ${flags} --json`, parts);
    expect(JSON.parse(out).events.map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  it('refuses times and numbers that are none', async () => {
    const { parts } = answering({ events: good({ events }) });
    expect((await typed('events --from today', parts)).exit).toBe(2);
    expect((await typed('events --from 2026-02-30', parts)).exit).toBe(2);
    expect((await typed('events --from 2026-02-02 --to 2026-02-01', parts)).exit).toBe(2);
    expect((await typed('events --last many', parts)).exit).toBe(2);
    for (const wrong of ['--code leak.none', '--code read.silent,nope', '--severity minr']) {
      const refused = await typed(`events ${wrong}`, parts);
      expect(refused.exit).toBe(2);
      expect(refused.err).toMatch(/leak\.continuous|info, minor, major/);
    }
  });
});

describe('status --watch', () => {
  it('looks again and again until somebody asks to stop, and that is no failure', async () => {
    const { asked, commands } = scriptedCommands({ status: good(ANSWERS['status']) });
    let stop = () => undefined as undefined;
    const pauses: number[] = [];
    const parts = fakeParts({
      daemon: () => commands,
      onStop: (listener) => {
        stop = () => void listener();
        return () => undefined;
      },
      pause: async (ms) => {
        pauses.push(ms);
        if (pauses.length === 3) stop();
      },
    });
    const { exit, out } = await typed('status --watch --every 5 --json', parts);
    expect(exit).toBe(0);
    expect(pauses).toEqual([5_000, 5_000, 5_000]);
    expect(asked).toHaveLength(3);
    expect(out.trimEnd().split('\n')).toHaveLength(3);
  });

  it('does not watch at a speed that is none', async () => {
    expect((await typed('status --watch --every 0', fakeParts())).exit).toBe(2);
  });
});
