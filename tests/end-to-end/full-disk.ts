// The real collector on a small tmpfs that fills up, is read-only for a while, and comes back.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Audit } from '../../simulator/audit.ts';
import type { RealBroker } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { HOUR, START, Street } from './street.ts';

const SPEED = 2_400;

/** Where root may mount a tmpfs. */
export const hasTmpfs = canMount();

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const place = mkdtempSync(join(tmpdir(), 'tmpfs-'));
  const isMounted =
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]).status === 0;
  if (isMounted) spawnSync('umount', [place]);
  rmSync(place, { recursive: true, force: true });
  return isMounted;
}

export interface Ordeal {
  readonly audit: Audit;
  /** How often the collector was started. */
  readonly starts: number;
  readonly log: string;
}

/**
 * It works; the disk fills up to the last byte; it is started anew on the full disk; there is room; the disk is
 * read-only; it is writable again. Throws when it ends by itself or the head-end does not hold the truth in the end.
 */
export async function fillUpAndComeBack(broker: RealBroker, seed: number): Promise<Ordeal> {
  const place = mkdtempSync(join(tmpdir(), 'tmpfs-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', place]);
  const data = join(place, 'journal');
  const street = await Street.open({ seed, speed: SPEED, broker, data });
  let isDown = false;
  const live = async (hours: number) => {
    await street.reach((street.world.now() - START) / HOUR + hours);
    if (isDown) throw new Error(`it ended by itself: ${street.lastLines()}`);
  };
  const start = () => {
    street.start();
    void street.ended.then(() => {
      isDown = !isStopping;
    });
  };
  let isStopping = false;
  try {
    start();
    await street.arrived(3, 60_000);
    await until('it holds room', async () => !(await isGivenUp(place)), 30_000);
    await fill(place);
    await live(6);
    isStopping = true;
    await street.kill();
    isStopping = false;
    start();
    await live(3);
    // The end of a process gives back what it had open and deleted.
    await fill(place);
    await live(3);
    // Between two tries to open its journal the collector holds no file open.
    await until('the disk is read-only', () => remount(place, 'ro'), 30_000);
    await live(6);
    await until('the disk is writable', () => remount(place, 'rw'));
    await live(2);
    await rm(join(place, 'filler'));
    const hours = street.hoursNow + 6;
    await street.arrived(hours, 60_000);
    isStopping = true;
    const audit = await street.settled(hours);
    const log = await readFile(street.log, 'utf8');
    return { audit, starts: log.split('"collecting"').length - 1, log };
  } finally {
    await street.close();
    spawnSync('umount', ['-l', place]);
    rmSync(place, { recursive: true, force: true });
  }
}

/** To the last byte, and what the collector gives up for room as well. */
async function fill(place: string): Promise<void> {
  const filler = join(place, 'filler');
  await until(
    'the disk stays full',
    async () => {
      const { bavail, bsize } = await statfs(place);
      if (bavail === 0) return isGivenUp(place);
      await writeFile(filler, Buffer.alloc(bavail * bsize), { flag: 'a' }).catch(() => undefined);
      return false;
    },
    30_000,
  );
}

/** The ballast is not there: there is no more room to be had. */
async function isGivenUp(place: string): Promise<boolean> {
  return readFile(join(place, 'journal', 'ballast')).then(
    () => false,
    () => true,
  );
}

/** False while a file is open for writing. */
function remount(place: string, how: 'ro' | 'rw'): boolean {
  const options = `remount,${how},size=48m`;
  return spawnSync('mount', ['-o', options, place], { stdio: 'ignore' }).status === 0;
}
