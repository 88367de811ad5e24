// A small ext4 on a loop device whose power can be cut: the file system is shut down without writing back what it holds.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const IMAGE_BYTES = 64 * 1024 * 1024;

/**
 * Opens the folder, waits for a process id, kills that process and shuts the file system down in the next instruction
 * (EXT4_IOC_SHUTDOWN, without flushing the journal): nothing may be acknowledged between the two.
 */
const CUT = `
open(my $disk, '<', $ARGV[0]) or die "open: $!";
$| = 1; print "armed\\n";
my $pid = <STDIN>; chomp $pid;
my $flag = pack('L', 2);
kill 9, $pid if $pid > 0;
ioctl($disk, 0x8004587d, $flag) or die "ioctl: $!";
print "cut\\n";`;

/** Where root may mount loop devices, and perl is there for the ioctl. */
export const hasLoopDisks = canMount();

function canMount(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/dev/loop-control')) return false;
  const tools = [
    ['mkfs.ext4', '-V'],
    ['mount', '-V'],
    ['perl', '-v'],
  ] as const;
  if (tools.some(([tool, version]) => spawnSync(tool, [version]).status !== 0)) return false;
  const folder = mkdtempSync(join(tmpdir(), 'loop-'));
  try {
    const place = format(folder);
    const isMounted = spawnSync('mount', ['-o', 'loop', join(folder, 'image'), place]).status === 0;
    if (isMounted) spawnSync('umount', [place]);
    return isMounted;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function format(folder: string): string {
  const image = join(folder, 'image');
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  spawnSync('mkfs.ext4', ['-q', '-F', image]);
  const place = join(folder, 'disk');
  mkdirSync(place);
  return place;
}

/** Lives from `mount` to `dispose`. */
export class LoopDisk {
  readonly folder: string;
  /** Where it is mounted. */
  readonly place: string;
  #cutter: ChildProcess | null = null;

  private constructor(folder: string, place: string) {
    this.folder = folder;
    this.place = place;
  }

  static async mount(): Promise<LoopDisk> {
    const folder = mkdtempSync(join(tmpdir(), 'power-'));
    const disk = new LoopDisk(folder, format(folder));
    await disk.#mount();
    return disk;
  }

  /** The power is about to fail: nothing that takes time is left to do. */
  async arm(): Promise<void> {
    const cutter = spawn('perl', ['-e', CUT, this.place], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#cutter = cutter;
    await once(cutter.stdout, 'data');
  }

  /** Kills the process and cuts the power at once, then puts the disk back. The process must have ended before that. */
  async cut(pid: number, ended: Promise<unknown>): Promise<void> {
    const cutter = this.#cutter;
    if (!cutter?.stdin) throw new Error('arm it first');
    cutter.stdin.end(`${pid}\n`);
    await once(cutter, 'exit');
    if (cutter.exitCode !== 0) throw new Error('the power could not be cut');
    this.#cutter = null;
    await ended;
    await run('umount', [this.place]);
    await this.#mount();
  }

  async dispose(): Promise<void> {
    this.#cutter?.kill();
    await run('umount', ['-l', this.place]).catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #mount(): Promise<void> {
    await run('mount', ['-o', 'loop', join(this.folder, 'image'), this.place]);
  }
}
