// What is carried away from the console: hours as CSV, the backup, the bundle.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../fakes/until.ts';
import { Served } from './served.ts';

let served: Served;
let cookie: string;
beforeEach(async () => {
  served = await Served.open();
  await served.people();
  cookie = await served.signedIn('admin');
});
afterEach(() => served.close());

const HOUR = { inst: 1, start: '2026-06-01T01:00:00Z', q: 'A', use: 12, read: 34, total: 56 };
const GAP = {
  inst: 1,
  from: '2026-06-01T00:30:00Z',
  to: '2026-06-01T01:00:00Z',
  use: 3,
  why: 'bus',
};

function keep(meter: string, hour: object = HOUR): void {
  const data = {
    meter,
    installations: [{ inst: 1, digits: 8, unit: 'ft3', pow10: -1 }],
    intervals: [{ flags: ['late', 'gap'], ...hour }],
    gaps: [{ flags: [], ...GAP }],
  };
  served.commands.scripted.set('intervals', { ok: true, data });
}

describe('hours as CSV', () => {
  it('stand in the order of time with their volume, gaps among them', async () => {
    keep('SP-1');
    const path = '/api/export.csv?meter=SP-1&from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z';
    const reply = await served.ask('GET', path, { cookie });
    expect(reply.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(reply.headers['content-disposition']).toBe('attachment; filename="COL-1-SP-1.csv"');
    expect(reply.text.split('\n')).toEqual([
      'meter,inst,kind,from,to,q,use,read,total,flags,unit,pow10,volume',
      'SP-1,1,gap (bus),2026-06-01T00:30:00Z,2026-06-01T01:00:00Z,,3,,,,ft3,-1,0.3',
      'SP-1,1,hour,2026-06-01T01:00:00Z,2026-06-01T02:00:00Z,A,12,34,56,late gap,ft3,-1,1.2',
      '',
    ]);
    expect(served.commands.asked.at(-1)?.args).toMatchObject({
      ...{ meter: 'SP-1', from: '2026-06-01T00:00:00Z', to: '2026-06-02T00:00:00Z', by: 'admin' },
    });
  });

  it('of all meters where none is named', async () => {
    keep('any');
    // One that was taken out of the settings still has its hours in the journal.
    served.commands.scripted.set('status', {
      ...{ ok: true, data: { meters: [{ meter: 'SP-1' }] } },
    });
    served.commands.scripted.set('meter.list', {
      ...{ ok: true, data: { meters: [{ meter: 'SP-1' }, { meter: 'SP-2' }] } },
    });
    const reply = await served.ask('GET', '/api/export.csv', { cookie });
    expect(reply.text.match(/^SP-1,/gm)).toHaveLength(2);
    expect(reply.text.match(/^SP-2,/gm)).toHaveLength(2);
  });

  it('of all meters are refused where the journal cannot tell them, not an empty file', async () => {
    keep('any');
    for (const list of ['status', 'meter.list']) {
      served.commands.scripted.clear();
      served.commands.scripted.set('status', { ok: true, data: { meters: [] } });
      served.commands.scripted.set('meter.list', { ok: true, data: { meters: [] } });
      served.commands.scripted.set(list, {
        ...{ ok: false, code: 'internal', message: 'no', hint: '' },
      });
      const reply = await served.ask('GET', '/api/export.csv', { cookie });
      expect([reply.status, reply.json?.error.code]).toEqual([500, 'internal']);
    }
  });

  it('are begun at most twice at once by one person: each holds the hours of a meter in memory', async () => {
    served.commands.scripted.set('meter.list', {
      ...{ ok: true, data: { meters: [{ meter: 'SP-1' }] } },
    });
    const release: (() => void)[] = [];
    const run = served.commands.run.bind(served.commands);
    served.commands.run = async (name, args) => {
      if (name === 'intervals') await new Promise<void>((resolve) => release.push(resolve));
      return run(name, args);
    };
    const path = '/api/export.csv';
    const held = [0, 1].map(() =>
      served.bare().say(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`),
    );
    await until('two are under way', () => release.length === 2);
    expect((await served.ask('GET', path, { cookie })).status).toBe(429);
    // Who goes away keeps no place.
    for (const { socket } of held) socket.destroy();
    keep('SP-1');
    served.commands.run = run;
    for (const go of release) go();
    await until('there is room again', async () => {
      return (await served.ask('GET', path, { cookie })).status === 200;
    });
    for (let i = 0; i < 3; i += 1) {
      expect((await served.ask('GET', path, { cookie })).status).toBe(200);
    }
  });

  it('bear nothing that a table program runs, and quote what would break a line', async () => {
    keep('SP-1', { ...HOUR, use: -4, q: '=HYPERLINK("x")', flags: ['a,b', 'c"d'] });
    const { text } = await served.ask('GET', '/api/export.csv?meter=SP-1', { cookie });
    expect(text).toContain(`,"'=HYPERLINK(""x"")",-4,34,56,"a,b c""d",`);
  });

  it('of a meter that is not there are refused, not an empty file', async () => {
    served.commands.scripted.set('intervals', {
      ...{ ok: false, code: 'unknown_meter', message: 'no', hint: '' },
    });
    const reply = await served.ask('GET', '/api/export.csv?meter=x%0d%0aSet-Cookie:a', { cookie });
    expect([reply.status, reply.json.error.code]).toEqual([404, 'unknown_meter']);
    expect(reply.headers['set-cookie']).toBeUndefined();
  });
});

describe('the backup and the bundle', () => {
  it('are given whole', async () => {
    const backup = await served.ask('GET', '/api/backup', { cookie });
    expect([backup.status, backup.text]).toEqual([200, 'first\nlast\n']);
    const { json } = await served.ask('GET', '/api/bundle', { cookie });
    expect(json.bundle).toEqual({ collector: 'COL-1', version: '1' });
    expect(Object.keys(json)).toEqual(expect.arrayContaining(['status', 'events', 'config.get']));
  });

  it('that break off are broken off for the reader too, told in the log and nowhere else', async () => {
    const meters = Array.from({ length: 5 }, (_, i) => ({ meter: `m${i}` }));
    const intervals = Array.from({ length: 300 }, () => HOUR);
    let left = 3;
    served.commands.run = async (name) => {
      if (name === 'status' || name === 'meter.list') return { ok: true, data: { meters } };
      left -= 1;
      if (left < 0) return { ok: false, code: 'internal', message: 'CANARY', hint: '' };
      return { ok: true, data: { installations: [], intervals, gaps: [] } };
    };
    await expect(served.ask('GET', '/api/export.csv', { cookie })).rejects.toThrow();
    left = 1;
    const reply = await served.ask('GET', '/api/export.csv', { cookie });
    expect([reply.status, reply.json.error.code]).toEqual([500, 'internal']);
    expect(reply.text).not.toContain('CANARY');
    expect(served.log.lines.map(({ message }) => message)).toEqual(
      Array(2).fill('a file broke off'),
    );
    expect((await served.ask('GET', '/api/session', { cookie })).status).toBe(200);
  });
});
