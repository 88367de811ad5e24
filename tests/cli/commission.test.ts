// `commission`: each step asked and passed on in its order, at a terminal and by options alone; failures, skips, resuming, the report.

import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import { STEPS } from '../../src/cli/commission-steps.ts';
import { fakeParts, typed } from './fake-parts.ts';

type Args = Readonly<Record<string, unknown>>;
type State = 'todo' | 'running' | 'done' | 'failed' | 'skipped';
interface Step {
  step: string;
  state: State;
  result: Args | null;
}

const good = (data: unknown): CommandAnswer => ({ ok: true, data });
const FOUND = [
  {
    ...{ way: 'line', baud: 9600, parity: 'none', address: '7', garbled: false },
    fits: [{ profile: 'generic-8-digit-line', digits: '01234603', id: '7' }],
  },
];

/** A collector that takes every step; `outcomes` say otherwise, one after the other. */
function collector(outcomes: Readonly<Record<string, readonly [State, Args][]>> = {}) {
  const asked: [string, Args][] = [];
  const steps: Step[] = STEPS.map((step) => ({ step, state: 'todo', result: null }));
  const left = new Map(Object.entries(outcomes).map(([step, all]) => [step, [...all]]));
  let meter: string | null = null;
  const told = (): CommandAnswer => {
    const next = steps.find(({ state }) => state !== 'done' && state !== 'skipped')?.step ?? null;
    const plain = steps.map((one) => ({ ...one }));
    return good({ id: 'C1', meter, steps: plain, next, done: next === null });
  };
  const step = (args: Args) => {
    const found = steps.find((one) => one.step === args['step']);
    if (!found) return { ok: false, code: 'bad_request', message: 'No step.', hint: '' } as const;
    if (typeof args['meter'] === 'string') meter = args['meter'];
    if (args['skip'] === true) Object.assign(found, { state: 'skipped', result: args });
    else if (args['action'] === 'begin') {
      Object.assign(found, { state: 'running', result: { phase: 'open' } });
    } else {
      const [state, result] = left.get(found.step)?.shift() ?? ['done', resultOf(found.step, args)];
      Object.assign(found, { state, result });
    }
    return told();
  };
  const run = async (name: string, args: Args): Promise<CommandAnswer> => {
    asked.push([name, args]);
    switch (name) {
      case 'commission.begin':
        meter = (args['meter'] as string | undefined) ?? null;
        return told();
      case 'commission.get': {
        const running = steps.find(({ state }) => state === 'running');
        if (running) Object.assign(running, { state: 'done', result: {} });
        return told();
      }
      case 'commission.list':
        meter ??= 'SP-1';
        return good({ sessions: [{ id: 'C1', meter, steps, next: 'port', done: false }] });
      case 'commission.step':
        return step(args);
      case 'bus.scan':
        return good({});
      case 'bus.scan.progress':
        return good({ asked: 1, of: 1, found: FOUND, left_ms: 0, over: true, fault: null });
      case 'report.get':
        return good({ id: 'R1', sha256: 'abc', text: 'THE REPORT' });
      default:
        return { ok: false, code: 'unknown_command', message: name, hint: '' };
    }
  };
  const stepped = () =>
    asked.flatMap(([name, args]) => (name === 'commission.step' ? [String(args['step'])] : []));
  return { asked, run, stepped };
}

function resultOf(step: string, args: Args): Args {
  if (step === 'dial') return { verdict: 'match', places: { register: String(args['dial']) } };
  if (step === 'finish') return { report: 'R1' };
  if (step === 'device')
    return { meter: 'SP-1', address: '7', profile: 'p', digits: 8, unit: 'ft3', pow10: -1 };
  return {};
}

function stage(outcomes: Parameters<typeof collector>[0] = {}, prompts: readonly string[] = []) {
  const daemon = collector(outcomes);
  const left = [...prompts];
  const questions: string[] = [];
  const written = new Map<string, string>();
  const pauses: number[] = [];
  const parts = fakeParts({
    daemon: () => ({ run: daemon.run }),
    prompt: async (question) => {
      questions.push(question);
      return left.shift() ?? null;
    },
    pause: async (ms) => void pauses.push(ms),
    createFile: async (path) => ({
      write: async (text) => void written.set(path, text),
      close: async () => undefined,
    }),
  });
  return { ...daemon, parts, questions, written, pauses, left };
}

const BY_OPTIONS =
  'commission SP-1 --by ana --dial 01234603 --digits 8 --unit ft3 --pow10 -1 --tap 60s --body-serial 77 --polls-s 5';

describe('commission by options alone', () => {
  it('goes through every step in its order, with what was said for each', async () => {
    const { asked, stepped, parts, pauses } = stage();
    const { exit, out } = await typed(`${BY_OPTIONS} --json`, parts);
    expect(exit).toBe(0);
    expect(stepped()).toEqual([
      ...['port', 'device', 'reads', 'dial', 'resolution', 'tap', 'tap', 'bind', 'polls'],
      ...['upstream', 'finish'],
    ]);
    const said = (step: string) => asked.find(([, args]) => args['step'] === step)?.[1];
    expect(asked[0]).toEqual(['commission.begin', { meter: 'SP-1', by: 'ana' }]);
    expect(said('device')).toMatchObject({ meter: 'SP-1' });
    expect(said('dial')).toMatchObject({ dial: '01234603' });
    expect(said('resolution')).toMatchObject({ digits: 8, unit: 'ft3', pow10: -1 });
    expect(said('bind')).toEqual({ id: 'C1', step: 'bind', body_serial: '77' });
    expect(said('polls')).toMatchObject({ seconds: 5 });
    expect(pauses).toContain(60_000);
    expect(JSON.parse(out)).toMatchObject({ done: true, report: { id: 'R1', sha256: 'abc' } });
  });

  it('adds a new meter by its address and profile', async () => {
    const { asked, parts } = stage();
    const device = '--bus pole-1 --address 7 --profile generic-8-digit-line';
    const line = BY_OPTIONS.replace('SP-1', 'SP-9');
    expect((await typed(`${line} ${device}`, parts)).exit).toBe(0);
    expect(asked[0]).toEqual(['commission.begin', { bus: 'pole-1', by: 'ana' }]);
    expect(asked).toContainEqual([
      'commission.step',
      {
        ...{ id: 'C1', step: 'device', meter: 'SP-9', bus: 'pole-1', address: '7' },
        profile: 'generic-8-digit-line',
      },
    ]);
  });

  it.each([
    ['dial', { code: 'mismatch', verdict: 'mismatch' }, 6],
    ['reads', { code: 'no_answer', message: 'No.' }, 4],
    ['tap', { code: 'wrong_meter', verdict: 'wrong_meter', places: { meters: 'SP-2' } }, 6],
    ['upstream', { code: 'not_connected' }, 5],
  ] as const)('ends where the step %s fails, with how to go on', async (step, result, exit) => {
    const { stepped, parts } = stage({ [step]: [['failed', result]] });
    const said = await typed(BY_OPTIONS, parts);
    expect(said.exit).toBe(exit);
    expect(stepped().at(-1)).toBe(step);
    expect(said.err).toContain('commission --resume C1');
    const json = await typed(`${BY_OPTIONS} --json`, stage({ [step]: [['failed', result]] }).parts);
    expect(JSON.parse(json.out).error).toMatchObject({ code: result.code, step });
  });

  it('goes past a step with its reason', async () => {
    const { asked, parts } = stage();
    const words = [...BY_OPTIONS.split(' '), '--skip', 'tap=no water', '--skip', 'polls=night'];
    expect((await typed(words, parts)).exit).toBe(0);
    expect(asked).toContainEqual([
      'commission.step',
      { id: 'C1', step: 'tap', skip: true, reason: 'no water' },
    ]);
  });

  it.each([
    ['--skip tap', 'usage.skip'],
    ['--skip house=x', 'usage.skip'],
  ])('%s is wrong usage, and nothing is begun', async (flags, code) => {
    const { asked, parts } = stage();
    const { exit, out } = await typed(`${BY_OPTIONS} ${flags} --json`, parts);
    expect([exit, JSON.parse(out).error.code]).toEqual([2, code]);
    expect(asked).toEqual([]);
  });

  it('wants the dial as an option where nobody can be asked', async () => {
    const { parts } = stage();
    const said = await typed(BY_OPTIONS.replace(' --dial 01234603', ''), parts);
    expect(said.exit).toBe(2);
    expect(said.err).toContain('--dial');
  });

  it.each([
    ['SP-1.html', 'html'],
    ['SP-1.json', 'json'],
  ])('writes the report to %s', async (file, format) => {
    const { asked, written, parts } = stage();
    expect((await typed(`${BY_OPTIONS} --report ${file} --lang es`, parts)).exit).toBe(0);
    expect(written.get(file)).toBe('THE REPORT');
    expect(asked.at(-1)).toEqual(['report.get', { id: 'R1', format, lang: 'es' }]);
  });

  it('is taken up again where it was left', async () => {
    const { asked, parts } = stage();
    const line = BY_OPTIONS.replace('--by ana', '--resume');
    expect((await typed(line.replace('SP-1 ', ''), parts)).exit).toBe(0);
    expect(asked.slice(0, 2)).toEqual([
      ['commission.list', {}],
      ['commission.get', { id: 'C1' }],
    ]);
    const other = await typed('commission SP-5 --resume', stage().parts);
    expect(other.exit).toBe(1);
  });
});

describe('the report', () => {
  const cannot = Object.assign(new Error('there is no folder /nope'), { code: 'ENOENT' });

  it('that cannot be written is not lost: what was proved is told, and how to have it', async () => {
    const { parts } = stage();
    const createFile = async () => {
      throw cannot;
    };
    const line = `${BY_OPTIONS} --report /nope/r.html`;
    const { exit, out, err } = await typed(line, { ...parts, createFile });
    expect([exit, out]).toEqual([1, expect.stringContaining('SP-1 is proved')]);
    expect(err).toContain('report get R1 --out');
    const json = await typed(`${line} --json`, { ...stage().parts, createFile });
    expect(JSON.parse(json.out).error.code).toBe('ENOENT');
  });

  it('does not call a meter proved whose dial was left out', async () => {
    const line = [...BY_OPTIONS.split(' '), '--skip', 'dial=it is covered'];
    const { out, err } = await typed(line, stage().parts);
    expect(out).toContain('SP-1 is not proved');
    expect(err).toContain('meter-collector commission SP-1');
  });

  it.each([
    ['report get R1 --out SP-1.html', 'html', 'SP-1.html'],
    ['report get R1 --out SP-1.json', 'json', 'SP-1.json'],
    ['report get R1', 'json', null],
  ])('"%s" has it from the collector', async (line, format, file) => {
    const { asked, written, parts } = stage();
    const { exit, out } = await typed(line, parts);
    expect(exit).toBe(0);
    expect(asked).toEqual([['report.get', { id: 'R1', format, lang: 'en' }]]);
    expect(file === null ? out : written.get(file)).toBe('THE REPORT');
  });

  it('is listed with its meter', async () => {
    const one = { id: 'R1', meter: 'SP-1', at: '2026-11-22T06:00:00Z', by: 'ana', sha256: 'abc' };
    const asked: [string, Args][] = [];
    const run = async (name: string, args: Args) => {
      asked.push([name, args]);
      return good({ reports: [one] });
    };
    const { out } = await typed('report list SP-1', fakeParts({ daemon: () => ({ run }) }));
    expect(out).toMatch(/2026-11-22T06:00:00Z +SP-1 +ana +R1/);
    expect(asked).toEqual([['report.list', { meter: 'SP-1' }]]);
  });
});

describe('a commissioning that is left', () => {
  const left = (id: string, next: string | null, meter: string | null = null) => ({
    ...{ id, meter, next, done: false, steps: [] },
  });
  const daemonWith = (...sessions: object[]) => {
    const base = collector();
    const run = async (name: string, args: Args) =>
      name === 'commission.list' ? good({ sessions }) : base.run(name, args);
    return { ...base, parts: fakeParts({ daemon: () => ({ run }) }) };
  };

  it('by Ctrl-C, or for want of an option, says how to go on', async () => {
    const { parts } = stage({}, ['']);
    const gone = await typed('commission SP-1', parts, { isTTY: true, env: { USER: 'ana' } });
    expect([gone.exit, gone.err]).toEqual([130, expect.stringContaining('--resume C1')]);
    const wanting = await typed(BY_OPTIONS.replace(' --dial 01234603', ''), stage().parts);
    expect(wanting.err).toContain('--resume C1');
  });

  it('and was given up is not taken up again; of several the others are told', async () => {
    const line = BY_OPTIONS.replace('SP-1 --by ana', '--resume');
    const given = daemonWith(left('C0', null));
    expect((await typed(line, given.parts)).exit).toBe(1);
    const two = daemonWith(left('C0', 'dial', 'SP-7'), left('C1', 'port'));
    expect((await typed(line, two.parts)).err).toContain('C0 (SP-7)');
  });
});

describe('commission at a terminal', () => {
  const TTY = { isTTY: true, env: { USER: 'ana' } };
  /** Who, which addresses, which device, its name, the dial, resolution (as it is), tap twice, bind. */
  const ANSWERS = ['', '', '1', 'SP-9', '01234603', '', '', '', '', '', '77', '', '', ''];

  it('finds the device by a scan, and shows no number before the dial was typed', async () => {
    const { asked, parts, left } = stage({}, ANSWERS);
    const { exit, err, out } = await typed('commission', parts, TTY);
    expect(exit).toBe(0);
    expect(left).toEqual([]);
    expect(asked).toContainEqual(['bus.scan', { bus: 'pole-1', addresses: '1-32' }]);
    const device = asked.find(([, args]) => args['step'] === 'device')?.[1];
    expect(device).toMatchObject({ meter: 'SP-9', address: '7', profile: 'generic-8-digit-line' });
    const before = err.slice(0, err.indexOf('4 of 10'));
    expect(before).not.toContain('01234603');
    expect(out).toContain('SP-9');
  });

  it('types the dial again after a wrong one', async () => {
    const answers = ['', '00000000', 'again', '01234603', '', '', '', '', '', '77', '', '', ''];
    const wrong = { code: 'mismatch', places: { dial: '0', register: '1', difference: 1 } };
    const { asked, parts, left } = stage({ dial: [['failed', wrong]] }, answers);
    expect((await typed('commission SP-1', parts, TTY)).exit).toBe(0);
    expect(left).toEqual([]);
    const dials = asked.flatMap(([, args]) => (args['step'] === 'dial' ? [args['dial']] : []));
    expect(dials).toEqual(['00000000', '01234603']);
  });

  it('goes past a failed step with a reason, or stops there', async () => {
    const tap: Parameters<typeof stage>[0] = {
      tap: [['failed', { code: 'none', verdict: 'none' }]],
    };
    const upTo = ['', '01234603', '', '', '', '', ''];
    const skipped = stage(tap, [...upTo, 'skip', 'no water', '77', '', '', '']);
    expect((await typed('commission SP-1', skipped.parts, TTY)).exit).toBe(0);
    expect(skipped.asked).toContainEqual([
      'commission.step',
      { id: 'C1', step: 'tap', skip: true, reason: 'no water' },
    ]);
    const stopped = stage(tap, [...upTo, 'stop']);
    const { exit, err } = await typed('commission SP-1', stopped.parts, TTY);
    expect(exit).toBe(6);
    expect(err).toContain('--resume C1');
  });

  it('left with Ctrl-C in a scan ends that in the collector, too, and says how to go on', async () => {
    const { asked, run, stepped } = collector();
    let leave = () => {};
    const onStop = (listener: () => void) => {
      leave = listener;
      return () => undefined;
    };
    const progress = { asked: 1, of: 100, found: FOUND, left_ms: 9_000, over: false, fault: null };
    const scanning = async (name: string, args: Args): Promise<CommandAnswer> => {
      const answer = await run(name, args);
      if (name !== 'bus.scan.progress') return answer;
      leave();
      return good(progress);
    };
    const { parts } = stage({}, ['', '']);
    const site = { ...parts, daemon: () => ({ run: scanning }), onStop };
    const { exit, err } = await typed('commission', site, TTY);
    expect([exit, err]).toEqual([130, expect.stringContaining('--resume C1')]);
    expect(asked.slice(-2)).toEqual([
      ['bus.scan.progress', { bus: 'pole-1' }],
      ['bus.scan.stop', { bus: 'pole-1' }],
    ]);
    expect(stepped()).not.toContain('device');
  });

  it('left with Ctrl-C while a step is under way says how to go on', async () => {
    const { run } = collector();
    let leave = () => {};
    const onStop = (listener: () => void) => {
      leave = listener;
      return () => undefined;
    };
    const never = async (name: string, args: Args): Promise<CommandAnswer> => {
      if (args['step'] !== 'port') return run(name, args);
      leave();
      // A collector that does not answer any more: only a second one helps.
      leave();
      return new Promise(() => undefined);
    };
    const { parts } = stage({}, ['']);
    const site = { ...parts, daemon: () => ({ run: never }), onStop };
    const { exit, err } = await typed('commission SP-1', site, TTY);
    expect([exit, err]).toEqual([130, expect.stringContaining('--resume C1')]);
  });

  it('left with Ctrl-C ends with 130', async () => {
    const { parts } = stage({}, ['']);
    expect((await typed('commission SP-1', parts, TTY)).exit).toBe(130);
  });
});
