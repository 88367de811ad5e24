// The walls of the house: who may import whom, what the pure rooms may not touch, one outside library per file.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FAULTS } from '../src/domain/fault.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each room and the rooms it may import from; files that stand alone in src/ are rooms of their own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  codec: ['codec', 'domain'],
  boundaries: ['boundaries', 'domain'],
  bell: [],
  sometimes: [],
  pipeline: ['boundaries', 'domain', 'sometimes'],
  bus: ['bus', 'boundaries', 'codec', 'domain', 'sometimes'],
  alerts: ['alerts', 'boundaries', 'codec', 'domain', 'sometimes'],
  journal: ['journal', 'bell', 'boundaries', 'codec', 'domain', 'sometimes'],
  upstream: ['upstream', 'bell', 'boundaries', 'codec', 'domain', 'sometimes'],
  commands: ['commands', 'bell', 'pipeline', 'boundaries', 'codec', 'domain', 'sometimes'],
  jobs: ['jobs', 'bell', 'pipeline', 'boundaries', 'domain', 'sometimes'],
  adapters: ['adapters', 'boundaries', 'codec', 'domain', 'settings'],
  settings: ['settings', 'codec', 'domain'],
  cli: ['cli', 'boundaries', 'domain', 'settings'],
  console: ['console', 'boundaries', 'domain'],
  'web-console': ['adapters', 'boundaries', 'console', 'settings'],
  scanning: ['adapters', 'boundaries', 'bus', 'codec', 'domain', 'settings'],
  parts: ['boundaries', 'codec', 'commands', 'domain', 'jobs', 'scanning', 'settings'],
  places: ['alerts', 'boundaries', 'codec', 'domain', 'pipeline', 'settings'],
  opening: ['boundaries', 'domain', 'journal', 'parts', 'settings'],
  telling: [
    ...['boundaries', 'codec', 'commands', 'domain', 'jobs', 'parts', 'settings', 'upstream'],
  ],
  polling: [
    ...['boundaries', 'commands', 'domain', 'jobs', 'parts', 'pipeline', 'settings', 'upstream'],
  ],
  answering: [
    ...['bell', 'boundaries', 'commands', 'domain', 'jobs', 'parts', 'polling', 'settings'],
    ...['telling', 'upstream'],
  ],
  collector: [
    ...['alerts', 'answering', 'bell', 'boundaries', 'codec', 'commands', 'domain', 'jobs'],
    ...['journal', 'opening', 'parts', 'pipeline', 'places', 'polling', 'settings', 'telling'],
    'upstream',
  ],
  reloading: ['boundaries', 'commands', 'domain', 'parts', 'settings'],
  'real-parts': ['adapters', 'boundaries', 'bus', 'codec', 'commands', 'parts', 'settings'],
  offline: [
    ...['adapters', 'answering', 'boundaries', 'commands', 'domain', 'journal', 'opening'],
    ...['places', 'polling', 'real-parts', 'settings', 'telling'],
  ],
  daemon: [
    ...['adapters', 'boundaries', 'collector', 'parts', 'real-parts', 'reloading', 'scanning'],
    ...['settings', 'web-console'],
  ],
  main: [
    ...['adapters', 'cli', 'codec', 'daemon', 'offline', 'scanning', 'boundaries', 'domain'],
    ...['settings', 'web-console'],
  ],
};

/** Packages, and the files of src that may import them. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  serialport: ['adapters/serial-wire.ts'],
  '@serialport/parser-readline': ['adapters/serial-line.ts'],
  // The second opinion of the tests on our own framing; the collector itself never uses it.
  'modbus-serial': [],
  level: ['adapters/level-store.ts'],
  mqtt: ['adapters/mqtt-link.ts'],
  pino: ['adapters/pino-log.ts'],
  uqr: ['adapters/qr-code.ts'],
  yaml: ['settings/'],
  ajv: ['settings/', 'adapters/command-schema.ts'],
  commander: ['cli/'],
  hono: ['console/'],
  '@hono/node-server': ['adapters/http-door.ts'],
};

/** Rooms in which nothing may wait, touch the outside, read a clock or throw dice. */
const PURE = ['domain', 'codec'];
const IMPURE =
  /\basync\b|\bawait\b|\bPromise\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\b|\bBuffer\b|\bperformance\b|\bsetTimeout\b|from 'node:/;

/** Time is read, and waited for, in one file of src. */
const CLOCKS =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|(?<!\.)\bset(?:Timeout|Interval)\(/;
const CLOCK_FILE = 'adapters/system-clock.ts';

/** Static imports and re-exports, bare imports, dynamic imports. */
const IMPORT =
  /^(?:import|export)\b[^;']*?from '([^']+)';|^import '([^']+)';|\bimport\('([^']+)'\)/gm;

/** What is loaded with a file: no types, and nothing that is imported when it is needed. */
const LOADED = /^(?:import|export)\b(?! type)[^;']*?from '([^']+)';|^import '([^']+)';/gm;

interface Source {
  readonly file: string;
  readonly code: string;
  readonly imports: readonly string[];
}

function sources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8');
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
      const imports = [...code.matchAll(IMPORT)].map((m) => m[1] ?? m[2] ?? m[3] ?? '');
      return { file: name, code, imports };
    });
}

const roomOf = (file: string) =>
  file.includes('/') ? file.split('/')[0] : file.replace('.ts', '');
/** The console's pages live in a browser, under walls of their own (tests/console/page/walls.test.ts). */
const src = sources('src').filter(({ file }) => !file.startsWith('console/page/'));

function wrongWays(all: readonly Source[]): string[] {
  return all.flatMap(({ file, imports }) =>
    imports
      .filter((path) => path.startsWith('.'))
      .map((path) => normalize(join(dirname(file), path)))
      .filter((target) => !MAY_IMPORT[roomOf(file) ?? '']?.includes(roomOf(target) ?? ''))
      .map((target) => `${file} imports ${target}`),
  );
}

const isPackage = (path: string) => !path.startsWith('.') && !path.startsWith('node:');

function strayPackages(all: readonly Source[]): string[] {
  return all.flatMap(({ file, imports }) =>
    imports.filter(isPackage).flatMap((path) => {
      const name = path
        .split('/')
        .slice(0, path.startsWith('@') ? 2 : 1)
        .join('/');
      const allowed = PACKAGES[name]?.some((place) => file.startsWith(place));
      return allowed ? [] : [`${file} imports ${name}`];
    }),
  );
}

/** Everything that is loaded with `from`: packages by their names, files by their paths. */
function loadedWith(all: readonly Source[], from: string): ReadonlySet<string> {
  const codes = new Map(all.map(({ file, code }) => [file, code]));
  const loaded = new Set([from]);
  for (const file of loaded) {
    for (const [, named, bare = ''] of codes.get(file)?.matchAll(LOADED) ?? []) {
      const path = named ?? bare;
      loaded.add(path.startsWith('.') ? normalize(join(dirname(file), path)) : path);
    }
  }
  return loaded;
}

const matching = (all: readonly Source[], pattern: RegExp) =>
  all.flatMap(({ file, code }) => {
    const found = pattern.exec(code);
    return found ? [`${file}: ${found[0]}`] : [];
  });

describe('the house', () => {
  it('imports go one way only', () => {
    expect(wrongWays(src)).toEqual([]);
    const planted = [{ file: 'domain/x.ts', code: '', imports: ['../adapters/y.ts'] }];
    expect(wrongWays(planted)).toHaveLength(1);
  });

  it('the pure rooms touch nothing outside themselves', () => {
    const pure = src.filter(({ file }) => PURE.includes(roomOf(file) ?? ''));
    expect(pure.length).toBeGreaterThan(10);
    expect(matching(pure, IMPURE)).toEqual([]);
    expect(
      matching([{ file: 'x', code: 'const at = Date.now();', imports: [] }], IMPURE),
    ).toHaveLength(1);
  });

  it('only one file reads time', () => {
    const others = src.filter(({ file }) => file !== CLOCK_FILE);
    expect(matching(others, CLOCKS)).toEqual([]);
    expect(matching(src, CLOCKS)).toHaveLength(1);
  });

  it('each library of the outside world is known to one adapter', () => {
    expect(strayPackages(src)).toEqual([]);
    const planted = [{ file: 'jobs/x.ts', code: '', imports: ['mqtt'] }];
    expect(strayPackages(planted)).toHaveLength(1);
  });

  it('a daemon is not loaded with what only some collectors, or some moments, need', () => {
    const loaded = loadedWith(src, 'daemon.ts');
    expect(loaded).toContain('adapters/level-store.ts');
    expect(loaded).toContain('mqtt');
    const kept = ['yaml', 'ajv/dist/2020.js', 'serialport', 'hono', 'scanning.ts', 'commander'];
    expect(kept.filter((path) => loaded.has(path))).toEqual([]);
  });

  it('only the process edge touches the process', () => {
    const inner = src.filter(({ file }) => file !== 'main.ts');
    expect(matching(inner, /\bprocess\.(?:env|exit|argv|on|stdout|stderr|kill)\b/)).toEqual([]);
  });

  it('the simulator is a second opinion: it never imports the collector', () => {
    const strays = sources('simulator').flatMap(({ file, imports }) =>
      imports.filter((path) => path.includes('/src/')).map((path) => `${file} imports ${path}`),
    );
    expect(strays).toEqual([]);
  });

  it('every file begins with a sentence on its job', () => {
    const files = ['src', 'simulator', 'tests'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(root, folder, name)),
    );
    const silent = files.filter(
      (file) => !/^(?:#!.*\n)?\/\/ \S.*/.test(readFileSync(file, 'utf8')),
    );
    expect(silent.map((file) => relative(root, file))).toEqual([]);
  });

  it('no test replaces a module, narrows the run or waits by the clock', () => {
    const banned = new RegExp(['vi\\.mock\\(', '\\.only\\(', 'setTimeout\\(\\s*resolve'].join('|'));
    expect(
      matching(
        sources('tests').filter(({ file }) => file !== 'house.test.ts'),
        banned,
      ),
    ).toEqual([]);
  });

  it('the README tells what every room is, and of no other', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const table = readme.slice(readme.indexOf('## What is where'), readme.indexOf('## What keeps'));
    const cells = [...table.matchAll(/^\| ([^|]+)\|/gm)].map((match) => match[1]).join('');
    const told = [...cells.matchAll(/`src\/([\w-]+)[/.]/g)].map((match) => match[1]);
    const rooms = src.map(({ file }) => roomOf(file));
    expect([...new Set(told)].sort()).toEqual([...new Set(rooms)].sort());
  });

  it('the README lists every fault code, and no other', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const table = readme.slice(readme.indexOf('### Fault codes'));
    const listed = [...table.matchAll(/^\| `([a-z_.]+)` +\|/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual(Object.keys(FAULTS).sort());
  });
});
