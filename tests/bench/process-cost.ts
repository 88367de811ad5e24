// What a process costs, as the kernel counts it: processor time and resident memory, while something else counts its work.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './figure.ts';

/** The kernel's clock of processor times on Linux: USER_HZ is 100 on all its architectures that Node runs on. */
const TICKS_PER_S = 100;
const SAMPLE_MS = 1_000;

/** Processor time in seconds, of all threads, in user and kernel. Throws the system's error when there is no such process. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold anything; the fields after it are fixed (proc(5)): utime is the 14th, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Memory in MiB: all that is resident, and what of it is no file's (proc(5)). Node's own program is 45 MiB of files. */
function memoryOf(pid: number): { resident: number; own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { resident: mib('VmRSS'), own: mib('RssAnon') };
}

/** What a process cost in a window. */
export interface Cost {
  /** Of one core, whole window. */
  readonly cpuPercent: number;
  /** Medians of one sample a second: resident, and of it what is no file's. */
  readonly memoryMiB: number;
  readonly ownMiB: number;
  readonly seconds: number;
}

/** Watches a process for so long. */
export async function costOf(pid: number, windowMs: number): Promise<Cost> {
  const memory: ReturnType<typeof memoryOf>[] = [];
  const begun = performance.now();
  const before = cpuSeconds(pid);
  while (performance.now() - begun < windowMs) {
    await sleep(Math.min(SAMPLE_MS, windowMs));
    memory.push(memoryOf(pid));
  }
  const seconds = (performance.now() - begun) / 1000;
  const cpuPercent = (100 * (cpuSeconds(pid) - before)) / seconds;
  const memoryMiB = median(memory.map(({ resident }) => resident));
  return { cpuPercent, memoryMiB, ownMiB: median(memory.map(({ own }) => own)), seconds };
}
