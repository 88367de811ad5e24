// What a process costs, as the kernel counts it: processor time and resident memory, while something else counts its work.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** Resident memory in MiB. */
function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** What a process cost in a window. */
export interface Cost {
  /** Of one core, whole window. */
  readonly cpuPercent: number;
  /** Median of one sample a second. */
  readonly memoryMiB: number;
  readonly seconds: number;
}

/** Watches a process for so long. */
export async function costOf(pid: number, windowMs: number): Promise<Cost> {
  const memory: number[] = [];
  const begun = performance.now();
  const before = cpuSeconds(pid);
  while (performance.now() - begun < windowMs) {
    await sleep(Math.min(SAMPLE_MS, windowMs));
    memory.push(residentMiB(pid));
  }
  const seconds = (performance.now() - begun) / 1000;
  const cpuPercent = (100 * (cpuSeconds(pid) - before)) / seconds;
  memory.sort((a, b) => a - b);
  return { cpuPercent, memoryMiB: memory[Math.floor(memory.length / 2)] ?? 0, seconds };
}
