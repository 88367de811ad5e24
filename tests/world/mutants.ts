// Plants each mutation in a copy of the compiled code, in a folder of its own, and lives seeds until one finds it.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTRACT } from '../contract/schemas.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

/** The package's folder. */
const ROOT = join(CONTRACT, '..', '..');
const SEEDS = 200;
/** Small streets find what large ones do, sooner. */
const SIZE = ['--meters', '8', '--days', '2'];
/** A planted bug may well make a run that never ends. */
const RUN_MS = 5 * 60_000;

export interface Found {
  readonly mutant: string;
  /** Null: no seed found it. */
  readonly seed: number | null;
  readonly by: string | null;
}

/** Yields one result a mutation; `only` picks those whose name it is part of. */
export async function* findMutants(only = ''): AsyncGenerator<Found> {
  for (const mutation of MUTATIONS.filter(({ name }) => name.includes(only))) {
    const folder = mkdtempSync(join(tmpdir(), 'mutant-'));
    try {
      plant(mutation, folder);
      yield { mutant: mutation.name, ...(await trueFinding(folder)) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function plant({ name, file, text, instead }: Mutation, folder: string): void {
  for (const part of ['dist', 'docs', 'config', 'devices', 'package.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const path = join(folder, 'dist', 'src', file);
  const parts = readFileSync(path, 'utf8').split(text);
  if (parts.length !== 2)
    throw new Error(`${name}: its text stands ${parts.length - 1} times in ${file}`);
  writeFileSync(path, parts.join(instead));
}

type Finding = Pick<Found, 'seed' | 'by'>;

/** The first seed that tells the planted code from the sound one. */
async function trueFinding(folder: string): Promise<Finding> {
  for (let from = 1; from <= SEEDS; ) {
    const found = await firstFinding(folder, from, SEEDS);
    if (found.seed === null) return found;
    const sound = await firstFinding(ROOT, found.seed, found.seed);
    if (sound.seed === null) return found;
    from = found.seed + 1;
  }
  return { seed: null, by: null };
}

/** The first seed whose run tells a violation, or does not end. */
function firstFinding(folder: string, from: number, to: number): Promise<Finding> {
  const main = join(folder, 'dist', 'tests', 'world', 'main.js');
  const args = [main, '--seeds', `${from}-${to}`, '--until-found', ...SIZE];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    let text = '';
    let lived = from - 1;
    let found: Finding = { seed: null, by: null };
    const stuck = () => {
      found = { seed: lived + 1, by: 'it does not end' };
      child.kill('SIGKILL');
    };
    let patience = setTimeout(stuck, RUN_MS);
    child.stdout.on('data', (bytes: Buffer) => {
      const lines = (text + bytes.toString()).split('\n');
      text = lines.pop() as string;
      for (const line of lines) {
        const { seed, violations } = JSON.parse(line) as {
          seed: number;
          violations: { code: string }[];
        };
        lived = seed;
        clearTimeout(patience);
        patience = setTimeout(stuck, RUN_MS);
        const [first] = violations;
        if (first && found.seed === null) found = { seed, by: first.code };
      }
    });
    child.on('close', (code) => {
      clearTimeout(patience);
      const died = found.seed === null && code !== 0;
      resolve(died ? { seed: lived + 1, by: `ended with ${code}` } : found);
    });
  });
}
