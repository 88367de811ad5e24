// The demo as a stranger runs it: the built program, without a terminal, to its audit.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { eventually, until } from '../fakes/until.ts';

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

  it('prints a link that lets one person into the console once, where every page has something to show', async () => {
    const args = [program, 'demo', '--for', '120', '--json', '--seed', '73'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'close');
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    try {
      const link = await eventually(async () => {
        const line = out.split('\n').find((one) => one.includes('"type":"console"'));
        return line === undefined ? undefined : (JSON.parse(line) as { sign_in: string }).sign_in;
      }, 20_000);
      const [url = '', code = ''] = link.split('/sign-in#code=');
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const post = (path: string, body: object, headers: Record<string, string> = {}) =>
        fetch(`${url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        });
      const entered = await post('/api/sign-in', { code });
      expect(entered.status).toBe(200);
      expect((await post('/api/sign-in', { code })).status).toBe(401);
      const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      const told = async (name: string) => {
        const reply = await post(`/api/commands/${name}`, {}, { cookie });
        return JSON.stringify(await reply.json());
      };
      const has = (name: string, text: string) =>
        until(`${text} in ${name}`, async () => (await told(name)).includes(text), 60_000);
      await has('commission.list', '"state":"todo"');
      await has('alerts', '"vacation":{');
      await has('report.list', '"sha256"');
      await has('alarms', 'leak.');
    } finally {
      child.kill('SIGINT');
    }
    const [exit] = (await ended) as [number];
    expect(exit).toBe(0);
    expect(out.trim().split('\n').at(-1)).toContain('"type":"audit"');
  }, 150_000);
});
