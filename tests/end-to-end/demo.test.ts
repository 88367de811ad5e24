// The demo as a stranger runs it: the built program, without a terminal, to its audit.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

async function demo(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const child = spawn(process.execPath, [program, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, lines: out.trim().split('\n') };
}

describe('the demo', () => {
  it('ends by itself with an audit in which nothing is lost or invented', async () => {
    const { code, lines } = await demo('--for', '12', '--json', '--seed', '71');
    const last = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
    expect(Object.keys(last)).toEqual([
      ...['type', 'meters', 'hours', 'truth', 'head_end', 'lost', 'invented', 'duplicates'],
    ]);
    expect(last).toMatchObject({ type: 'audit', meters: 8, lost: 0, invented: 0, duplicates: 0 });
    expect(last['truth']).toBe(last['head_end']);
    expect(last['hours']).toBeGreaterThan(8 * 3);
    expect(code).toBe(0);
  }, 60_000);

  it('works on a calm screen of lines without a terminal', async () => {
    const { code, lines } = await demo('--for', '8', '--seed', '72');
    expect(code).toBe(0);
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(lines.some((line) => line.includes('SP-00001'))).toBe(true);
  }, 60_000);
});
