// `completion`: the scripts are ones for their shells, and complete words, words below words, and options.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeParts, typed } from './fake-parts.ts';

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
let folder = '';
const script = (shell: string) => join(folder, shell);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    writeFileSync(script(shell), (await typed(`completion ${shell}`, fakeParts())).out);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What bash would offer for these words, the last of which is being typed. */
function offered(...words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const lines = [
    `source ${script('bash')}`,
    `COMP_WORDS=(meter-collector ${quoted}); COMP_CWORD=${words.length}`,
    `_meter_collector 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ];
  const { stdout } = spawnSync('bash', ['-c', lines.join('\n')], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean);
}

describe.skipIf(!has('bash'))('completion of bash', () => {
  it('completes a word at the beginning', () => {
    expect(offered('comm')).toEqual(['commission']);
    expect(offered('')).toContain('status');
  });

  it('completes a word below a word, and options of a command', () => {
    expect(offered('config', 'sch')).toEqual(['schema']);
    expect(offered('bus', '')).toEqual(expect.arrayContaining(['stats', 'trace']));
    expect(offered('verify', 'SP-1', '--di')).toEqual(['--dial']);
    expect(offered('status', '--l')).toEqual(['--lang']);
  });

  it('offers nothing of another command', () => {
    expect(offered('status', '--dial')).toEqual([]);
  });
});

describe.each(['zsh', 'fish'])('completion of %s', (shell) => {
  it('names every word', async () => {
    const { out } = await typed(`completion ${shell}`, fakeParts());
    for (const word of ['commission', 'changeout', 'schema', 'resend', 'dial']) {
      expect(out).toContain(word);
    }
  });

  it.skipIf(!has(shell))(`is a script that ${shell} takes (needs ${shell})`, () => {
    const { status, stderr } = spawnSync(shell, ['-n', script(shell)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

it('describes in the language of the session', async () => {
  const { out } = await typed('completion fish --lang es', fakeParts());
  expect(out).toContain('medidor');
});
