// S15 and S16: no secret in a log, an answer, an event or a bundle; and every act told once with who, what and when.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cookieIn, PASSWORDS, Served } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await Served.open();
  await served.people();
});
afterEach(() => served.close());

const CANARY = 'CANARY-9f3a';

describe('S15: secrets', () => {
  it('stand in no log, no event, no answer but the one that gives them, and no bundle', async () => {
    const said: string[] = [];
    const ask: Served['ask'] = async (...asked) => {
      const reply = await served.ask(...asked);
      said.push(JSON.stringify(reply.headers), reply.text);
      return reply;
    };
    const password = `${CANARY} password`;
    const admin = await served.signedIn('admin');
    await ask('POST', '/api/users', {
      cookie: admin,
      body: { user: 'anna', role: 'technician', password },
    });
    await ask('POST', '/api/users', {
      cookie: admin,
      body: { user: 'anna', role: 'technician', password },
    });
    await ask('POST', '/api/sign-in', { body: { user: 'anna', password: `${CANARY} wrong` } });
    await ask('POST', '/api/sign-in', { body: { user: 'anna', password: { [CANARY]: 1 } } });
    await ask('POST', '/api/sign-in', { body: { code: `${CANARY}-code` } });
    await ask('POST', '/api/sign-in', { raw: `{"password":"${CANARY}` });
    const reply = await served.ask('POST', '/api/sign-in', { body: { user: 'anna', password } });
    const cookie = cookieIn(reply);
    const token = await served.ask('POST', '/api/tokens', {
      cookie: admin,
      body: { name: 'cron', role: 'viewer' },
    });
    await ask('POST', '/api/password', {
      cookie,
      body: { before: `${CANARY} no`, password: `${CANARY} new 1` },
    });
    await ask('POST', '/api/password', {
      cookie,
      body: { before: password, password: `${CANARY} new 1` },
    });
    for (const path of [
      '/api/session',
      '/api/users',
      '/api/tokens',
      '/api/bundle',
      '/api/export.csv',
    ]) {
      await ask('GET', path, { cookie: admin });
    }
    await ask('POST', '/api/commands/status', {
      body: {},
      headers: { authorization: `Bearer ${CANARY}` },
    });
    const everything = [
      ...said,
      JSON.stringify(served.log.lines),
      JSON.stringify(served.events),
    ].join('\n');
    expect(everything).toContain('anna');
    expect(everything).not.toContain(CANARY);
    for (const secret of [
      cookie.split('=')[1] ?? '?',
      token.json.token,
      PASSWORDS.admin,
      'scrypt$',
    ]) {
      expect(everything).not.toContain(secret);
    }
  });

  it('of a command that breaks by a bug, its trouble stands in the log and not in the answer', async () => {
    served.commands.run = async () => {
      throw new Error(`${CANARY} at /home/somebody/file.ts`);
    };
    const reply = await served.command('status', await served.signedIn('viewer'));
    expect([reply.status, reply.json.error.code]).toEqual([500, 'internal']);
    expect(reply.text).not.toContain(CANARY);
    expect(JSON.stringify(served.log.lines)).toContain(CANARY);
  });
});

describe('S16: who did what', () => {
  it('is told once for each act, refused or not, and not for looking', async () => {
    const told = () =>
      served.events
        .splice(0)
        .map(({ code, data }) => [code, data['name'], data['by'], data['code']]);
    const cookie = await served.signedIn('admin');
    expect(told()).toEqual([['command.executed', 'sign-in', 'admin', 'ok']]);
    await served.command('status', cookie);
    await served.command('read', cookie, { meter: 'SP-1' });
    await served.ask('GET', '/api/users', { cookie });
    expect(told()).toEqual([]);
    await served.command('changeout', cookie, { meter: 'SP-1' });
    served.commands.scripted.set('config.set', {
      ok: false,
      code: 'verify_failed',
      message: '',
      hint: '',
    });
    await served.command('config.set', cookie, { changes: [] });
    expect(told()).toEqual([
      ['command.executed', 'changeout', 'admin', 'ok'],
      ['command.executed', 'config.set', 'admin', 'verify_failed'],
    ]);
    const body = { user: 'anna', role: 'viewer' };
    await served.ask('POST', '/api/users', { cookie, body });
    await served.ask('POST', '/api/users', { cookie, body });
    await served.ask('PUT', '/api/users/anna', { cookie, body: { role: 'technician' } });
    await served.ask('POST', '/api/users/anna/reset', { cookie, body: {} });
    await served.ask('DELETE', '/api/users/anna', { cookie });
    await served.ask('POST', '/api/tokens', { cookie, body: { name: 'cron', role: 'viewer' } });
    await served.ask('DELETE', '/api/tokens/t1', { cookie });
    await served.ask('GET', '/api/backup', { cookie });
    await served.ask('POST', '/api/sign-out', { cookie, body: {} });
    expect(told().map(([, name, , code]) => `${name} ${code}`)).toEqual([
      ...['user.add ok', 'user.add user.exists', 'user.role ok', 'user.reset ok', 'user.remove ok'],
      ...['token.create ok', 'token.revoke ok', 'backup ok', 'sign-out ok'],
    ]);
  });

  it('names the meter and the place from which it was asked', async () => {
    const cookie = await served.signedIn('technician', '127.0.0.8');
    await served.command('meter.disable', cookie, { meter: 'SP-1' });
    expect(served.events.map(({ data }) => data)).toMatchObject([
      { name: 'sign-in', from: '127.0.0.8' },
      { name: 'meter.disable', meter: 'SP-1', by: 'technician' },
    ]);
  });
});
