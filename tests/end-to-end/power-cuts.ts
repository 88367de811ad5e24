// Cuts the power of the real collector's disk again and again, at work and while its journal is created, and proves what is left.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Audit } from '../../simulator/audit.ts';
import type { HourEntry } from '../../simulator/entries.ts';
import { Random } from '../../simulator/random.ts';
import { createLevelVault } from '../../src/adapters/level-vault.ts';
import type { EntryRow } from '../../src/domain/entry.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { LoopDisk } from '../fakes/loop-disk.ts';
import type { RealBroker } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { Street } from './street.ts';

const SPEED = 2_400;

export interface Cuts {
  readonly audit: Audit;
  /** Hours at the head-end that the journal does not hold as they were published. */
  readonly unheld: readonly string[];
  /** Starts that came as far as collecting, and what the log says of the journal. */
  readonly collecting: number;
  readonly complaints: readonly string[];
}

/** Cuts the power `cuts` times at moments drawn from `seed`. Throws when the head-end does not hold the truth in the end. */
export async function cutPower(broker: RealBroker, cuts: number, seed: number): Promise<Cuts> {
  const disk = await LoopDisk.mount();
  const data = join(disk.place, 'journal');
  const street = await Street.open({ seed, speed: SPEED, broker, data });
  try {
    const chance = new Random(`${seed}/cuts`);
    for (let cut = 0; cut < cuts; cut += 1) {
      const before = await collectings(street);
      street.start();
      await disk.arm();
      // Some while it starts, most while it works.
      if (chance.chance(0.85)) {
        await until('it collects', async () => (await collectings(street)) > before, 60_000);
      }
      const end = performance.now() + chance.between(0, 1_500);
      await until('the moment of the cut', () => performance.now() >= end);
      await disk.cut(street.pid, street.ended);
    }
    street.start();
    const hours = street.hoursNow + 2;
    await street.arrived(hours, 120_000);
    const audit = await street.settled(hours);
    const log = await readFile(street.log, 'utf8');
    const complaints = log
      .split('\n')
      .filter((line) => /cannot be opened|was damaged|could not be (?:written|read)/.test(line));
    const unheld = await unheldHours(data, street);
    return { audit, unheld, collecting: await collectings(street), complaints };
  } finally {
    await street.close();
    await disk.dispose();
  }
}

async function collectings(street: Street): Promise<number> {
  const log = await readFile(street.log, 'utf8').catch(() => '');
  return log.split('"collecting"').length - 1;
}

/** Published is synced: every hour that the head-end holds must be in the journal, as it was published. */
async function unheldHours(data: string, street: Street): Promise<string[]> {
  const vault = createLevelVault({ folder: data, ballastBytes: 0, create: false });
  const opened = await openJournal({
    ...{ collector: 'COL-00001', newEpoch: () => 'NONE', vault, openStore: () => vault.open() },
  });
  if (!opened.ok) throw new Error(opened.fault.detail);
  const journal = opened.value;
  const held = new Set<string>();
  for (const { meter } of street.world.truth.meters) {
    for await (const row of journal.rowsOf(meter)) if (row.kind === 'hour') held.add(wordsOf(row));
  }
  await journal.close();
  return street.world.truth.meters
    .flatMap(({ meter }) => street.hoursOf(meter))
    .map(wordsOf)
    .filter((words) => !held.has(words));
}

function wordsOf(hour: HourEntry | Extract<EntryRow, { kind: 'hour' }>): string {
  const { meter, inst, start, read, total, use, q, rev } = hour;
  return JSON.stringify([meter, inst, start, read, total, use, q, rev ?? 0]);
}

const DIST = fileURLToPath(new URL('../../dist/src/', import.meta.url));

/** Opens a journal, which creates it, writes something and says so. */
const CREATE = `
const { createLevelVault } = await import(process.argv[1] + 'adapters/level-vault.js');
const { openJournal } = await import(process.argv[1] + 'journal/journal.js');
console.log('go');
const vault = createLevelVault({ folder: process.argv[2], ballastBytes: 1 << 20 });
const opened = await openJournal({ collector: 'C', newEpoch: () => 'E', vault, openStore: () => vault.open() });
if (!opened.ok) { console.log(opened.fault.detail); process.exit(1); }
const dial = { digits: 8, unit: 'ft3', pow10: -1 };
opened.value.declare('SP-1', { dial, registerId: null }, {});
const marked = await opened.value.mark();
await vault.reserve();
console.log(marked.ok ? 'made' : marked.fault.detail);
setInterval(() => {}, 1000);`;

function creator(folder: string) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', CREATE, DIST, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += String(bytes);
  });
  return { child, ended: once(child, 'exit'), said: () => said };
}

export interface Creations {
  /** Cuts after which there was nothing, and a whole journal. */
  readonly absent: number;
  readonly whole: number;
  readonly unstartable: readonly string[];
}

/** Cuts the power while a journal is created, and opens what is left. */
export async function cutCreations(cuts: number, seed: number): Promise<Creations> {
  const disk = await LoopDisk.mount();
  const figures = { absent: 0, whole: 0, unstartable: [] as string[] };
  try {
    const chance = new Random(`${seed}/creations`);
    for (let cut = 0; cut < cuts; cut += 1) {
      const folder = join(disk.place, `journal-${cut}`);
      const first = creator(folder);
      await disk.arm();
      await until('it begins', () => first.said().includes('go'), 60_000);
      const end = performance.now() + chance.between(0, 120);
      await until('the moment of the cut', () => performance.now() >= end);
      const isMade = first.said().includes('made');
      await disk.cut(first.child.pid ?? 0, first.ended);
      const isWhole = await readFile(join(folder, 'store', 'CURRENT')).then(
        () => true,
        () => false,
      );
      figures[isWhole ? 'whole' : 'absent'] += 1;
      if (isMade && !isWhole) figures.unstartable.push(`${cut}: made, and not there`);
      const second = creator(folder);
      await Promise.race([
        second.ended,
        until('it is opened', () => second.said().includes('made'), 60_000),
      ]);
      if (!second.said().includes('made')) figures.unstartable.push(`${cut}: ${second.said()}`);
      second.child.kill('SIGKILL');
      await second.ended;
    }
    return figures;
  } finally {
    await disk.dispose();
  }
}
