// What is said as the next step can be copied: it names the settings file that was typed, as a shell takes it.

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../src/cli/cli.ts';
import { NAME, takesConfig } from '../../src/cli/command.ts';
import { globalsOf } from '../../src/cli/globals.ts';
import { repeating } from '../../src/cli/repeated.ts';
import { CATALOGUES, fakeParts, scriptedCommands, typed } from './fake-parts.ts';
import { ANSWERS } from './main-outputs.ts';

const FILE = "it's a site/my $settings.yaml";
const TYPED = "'it'\\''s a site/my $settings.yaml'";

/** Settings that are there under any name, and commands that answer as told. */
function partsWith(answers: Parameters<typeof scriptedCommands>[0]) {
  const { commands } = scriptedCommands(answers);
  const parts = fakeParts({ daemon: () => commands });
  return { ...parts, loadSettings: () => parts.loadSettings('good.yaml') };
}

const good = (data: unknown) => ({ ok: true, data }) as const;
const no = (code: string, hint = '') => ({ ok: false, code, message: 'No.', hint }) as const;

/** Words of a shell, as it hands them to a program. */
const wordsOf = (line: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');

describe('the next step', () => {
  it.each([
    ['status', ['status'], { status: good(ANSWERS['status']) }, 'doctor'],
    [
      'a meter never proved',
      ['meter', 'show', 'SP-1'],
      { 'meter.show': good(ANSWERS['meter.show']) },
      'commission SP-1',
    ],
    [
      'a commissioning that is not there',
      ['commission', '--resume'],
      { 'commission.list': good({ sessions: [] }) },
      'commission',
    ],
    [
      'a change of the settings',
      ['config', 'set', 'a', '1'],
      { 'config.set': good({ written: true }) },
      'config apply',
    ],
    [
      'a refusal of the collector',
      ['reading', 'confirm', 'SP-1'],
      { 'reading.confirm': no('conflict', 'See "meter-collector events".') },
      'events',
    ],
    [
      'a dial that differs',
      ['verify', 'SP-1', '--dial', '7'],
      { verify: good({ meter: 'SP-1', verdict: 'mismatch' }) },
      'read SP-1',
    ],
  ])('of %s names the file', async (_, words, answers, next) => {
    for (const lang of ['en', 'es']) {
      const line = [...words, '--config', FILE, '--lang', lang];
      const { out, err } = await typed(line, partsWith(answers));
      const [command, ...rest] = next.split(' ');
      const own = next === 'config apply' ? next : command;
      const after = next === own ? '' : ` ${rest.join(' ')}`;
      expect(`${out}${err}`).toContain(`${NAME} ${own} --config ${TYPED}${after}`);
    }
  });

  it('is said as before where no file was typed, and not twice where it stands there', async () => {
    const answers = {
      status: good(ANSWERS['status']),
      'config.set': good({ written: true, takes_effect: 'at the next start' }),
    };
    expect((await typed('status', partsWith(answers))).err).toContain(`${NAME} doctor\n`);
    const { err } = await typed(['config', 'set', 'a', '1', '--config', FILE], partsWith(answers));
    expect(err).toBe(`Next: ${NAME} run --config ${TYPED}\n`);
  });

  it('after init and sim can be copied into a shell', async () => {
    const answers = [
      '--utility',
      'u',
      '--collector',
      'c',
      '--broker',
      'mqtt://b:1',
      '--port',
      '/dev/ttyUSB0',
    ];
    const { err } = await typed(['init', '--config', FILE, ...answers], partsWith({}));
    const [first = ''] = err.split('\n');
    expect(wordsOf(first.slice(first.indexOf(NAME)))).toEqual([NAME, 'run', '--config', FILE]);
  });

  it('in every sentence of both catalogues names the file', () => {
    const parts = fakeParts();
    const io = {
      out: () => undefined,
      err: () => undefined,
      isTTY: false,
      hasKeyboard: false,
      env: {},
    };
    for (const [language, catalogue] of Object.entries(CATALOGUES)) {
      const { manner: plain } = globalsOf(['--lang', language], io, parts);
      const { manner, learn } = repeating(plain);
      const program = commandLine({ manner, io, parts, done: () => undefined });
      const status = program.commands.find((one) => one.name() === 'status');
      if (!status) throw new Error('there is no status');
      status.setOptionValueWithSource('config', FILE, 'cli');
      learn(program, status);
      let told = 0;
      for (const [section, sentences] of Object.entries(catalogue)) {
        for (const key of Object.keys(sentences)) {
          const said = manner.say(`${section}.${key}`, { name: NAME });
          for (const step of stepsIn(said, program)) {
            told += 1;
            expect(step, `${language} ${section}.${key}`).toContain(' --config ');
          }
        }
      }
      expect(told).toBeGreaterThan(40);
    }
  });
});

/** The pieces of a sentence that begin with a command of a settings file. */
function stepsIn(said: string, program: ReturnType<typeof commandLine>): string[] {
  return said
    .split(`${NAME} `)
    .slice(1)
    .filter((piece) => {
      const [first, second] = piece.split(/[^a-z-]+/);
      const one = program.commands.find((command) => command.name() === first);
      const two = one?.commands.find((command) => command.name() === second);
      return [one, two].some((command) => command && takesConfig(command));
    });
}
