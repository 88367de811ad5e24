// The demo for a minute with several seeds: at least 24 hours on every meter, and the audit passes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const SEEDS = [1, 2, 3, 1234567, 4294967295];

it.each(SEEDS)(
  'the demo with seed %i reaches 24 hours on every meter within 60 s',
  async (seed) => {
    const child = spawn(
      process.execPath,
      [program, 'demo', '--for', '60', '--json', '--seed', String(seed)],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const arrived = new Map<string, number[]>();
    const begun = performance.now();
    let rest = '';
    let last = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        last = line;
        const said = JSON.parse(line) as { type: string; meter?: string };
        if (said.type !== 'hour' || said.meter === undefined) continue;
        arrived.set(said.meter, [...(arrived.get(said.meter) ?? []), performance.now() - begun]);
      }
    });
    const [code] = (await once(child, 'close')) as [number];
    const slowest = Math.max(
      ...[...arrived.values()].map((at) => at[23] ?? Number.POSITIVE_INFINITY),
    );
    process.stdout.write(
      `seed ${seed}: 24 hours on every meter after ${(slowest / 1000).toFixed(1)} s; ${last}\n`,
    );
    expect(code).toBe(0);
    expect(arrived.size).toBe(8);
    expect(slowest).toBeLessThan(60_000);
  },
);
