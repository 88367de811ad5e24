// `doctor`: checks in words with their next steps, exit codes for scripts, and a bundle without a secret.

import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../src/cli/bundle.ts';
import { absent, fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const check = (area: string, state: string, cause = 'some_cause') => ({
  ...{ area, check: 'one', state, cause, places: {} },
  ...{ says: `About ${area}.`, next: `Look at ${area}.` },
});

const examining = (...checks: readonly object[]) => {
  const { asked, commands } = scriptedCommands({ doctor: { ok: true, data: { checks } } });
  return { asked, parts: fakeParts({ daemon: () => commands }) };
};

describe('doctor', () => {
  it('says each check in its order, and the next step of what is not well', async () => {
    const { asked, parts } = examining(check('bus', 'ok'), check('disk', 'warn'));
    const { exit, out } = await typed('doctor', parts);
    expect(exit).toBe(0);
    expect(asked).toEqual([['doctor', {}]]);
    expect(out.indexOf('About bus.')).toBeLessThan(out.indexOf('About disk.'));
    expect(out).not.toContain('Look at bus.');
    expect(out).toContain('Look at disk.');
  });

  it('is said in the catalogue’s own words where a cause has them', async () => {
    const { parts } = examining({ ...check('bus', 'ok', 'ok'), area: 'bus' });
    const { out } = await typed('doctor --lang es', parts);
    expect(out).toContain('Todo está bien.');
  });

  it.each([
    ['bus', 4],
    ['upstream', 5],
    ['time', 1],
    ['disk', 1],
  ])('of something bad about the %s ends with %i', async (area, exit) => {
    const { asked, parts } = examining(check(area, 'bad'));
    expect((await typed(`doctor ${area}`, parts)).exit).toBe(exit);
    expect(asked).toEqual([['doctor', { area }]]);
  });

  it('without a collector says so, and tries the broker from here', async () => {
    const tryUpstream = async () =>
      ({ ok: false, code: 'upstream.offline', message: 'Nobody.', hint: 'Look.' }) as const;
    const parts = fakeParts({ daemon: () => absent, tryUpstream });
    const { exit, out } = await typed('doctor --json', parts);
    expect(exit).toBe(7);
    expect(JSON.parse(out).checks).toMatchObject([
      { area: 'collector', cause: 'daemon_absent', state: 'bad' },
      { area: 'upstream', cause: 'upstream_offline', state: 'bad' },
    ]);
  });

  it('does not know of other areas', async () => {
    expect((await typed('doctor house', fakeParts())).exit).toBe(2);
  });
});

describe('the bundle', () => {
  it('holds what support asks for, and no secret', async () => {
    const written = new Map<string, string>();
    const { parts } = examining(check('bus', 'ok'));
    const writeGzip = async (path: string, text: string) => void written.set(path, text);
    const { exit } = await typed('doctor --bundle b.gz', { ...parts, writeGzip });
    expect(exit).toBe(0);
    const bundle = JSON.parse(written.get('b.gz') ?? '{}');
    expect(Object.keys(bundle)).toEqual(
      expect.arrayContaining(['versions', 'doctor', 'status', 'bus', 'events', 'settings']),
    );
    expect(bundle.settings).toMatchObject({ collector: 'COL-1' });
    expect(bundle.status).toMatchObject({ error: { code: 'unknown_command' } });
  });

  it('takes out what is secret by its key, and what stands in a url; names of files stay', () => {
    expect(
      withoutSecrets({
        url: 'mqtt://ana:hunter2@broker:1883',
        username: 'ana',
        passwordFile: '/etc/p',
        deep: [{ apiToken: 'hunter2', at: 1 }],
      }),
    ).toEqual({
      url: 'mqtt://(removed)@broker:1883',
      username: '(removed)',
      passwordFile: '/etc/p',
      deep: [{ apiToken: '(removed)', at: 1 }],
    });
  });
});
