// S6: every route and every command in a table, and each role walked through all of them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTo, COMMAND_ROLES } from '../../src/console/command-roles.ts';
import { type Access, mayPass, ROLES, type Role } from '../../src/console/roles.ts';
import { ROUTES } from '../../src/console/routes.ts';
import { commandNames } from './command-names.ts';
import { Served } from './served.ts';

let served: Served;
const cookies = new Map<Role, string>();
beforeAll(async () => {
  served = await Served.open();
  await served.people();
  for (const role of ROLES) cookies.set(role, await served.signedIn(role));
});
afterAll(() => served.close());

/** What each route takes, told here once more: who loosens one must do it twice. */
const EXPECTED: Readonly<Record<string, Access>> = {
  'POST /api/sign-in': 'anyone',
  'POST /api/first-run': 'anyone',
  'POST /api/sign-out': 'viewer',
  'GET /api/session': 'viewer',
  'PUT /api/session': 'viewer',
  'POST /api/password': 'viewer',
  'POST /api/commands/:name': 'viewer',
  'GET /api/live': 'viewer',
  'GET /api/reports/:file': 'viewer',
  'GET /api/export.csv': 'viewer',
  'GET /api/backup': 'admin',
  'GET /api/bundle': 'admin',
  'GET /api/users': 'admin',
  'POST /api/users': 'admin',
  'PUT /api/users/:name': 'admin',
  'POST /api/users/:name/reset': 'admin',
  'DELETE /api/users/:name': 'admin',
  'GET /api/tokens': 'admin',
  'POST /api/tokens': 'admin',
  'DELETE /api/tokens/:id': 'admin',
};

describe('S6: roles', () => {
  it('every route is in the table of this test, with its role', () => {
    const found = Object.fromEntries(
      ROUTES.map((one) => [`${one.method} ${one.path}`, one.access]),
    );
    expect(found).toEqual(EXPECTED);
  });

  it('nobody who is not signed in passes any route but the two for that', async () => {
    for (const { method, path, access } of ROUTES) {
      const reply = await served.ask(method, path.replaceAll(/:\w+/g, 'x'), { body: {} });
      const isOpen = access === 'anyone';
      expect([
        method,
        path,
        reply.status === 401,
        reply.json?.error.code === 'unauthorized',
      ]).toEqual([method, path, reply.status === 401, !isOpen]);
      if (!isOpen) expect(reply.status).toBe(401);
    }
  });

  it('each role passes exactly the routes that are for it', async () => {
    for (const { method, path, access } of ROUTES) {
      // These end what the walk needs, or never end themselves.
      if (access === 'anyone' || /sign-out|live/.test(path)) continue;
      for (const role of ROLES) {
        const cookie = cookies.get(role) ?? '';
        const name = path.includes('commands') ? 'status' : 'nobody-there';
        const reply = await served.ask(method, path.replaceAll(/:\w+/g, name), {
          body: {},
          cookie,
        });
        const passed = reply.json?.error?.code !== 'forbidden' && reply.status !== 401;
        expect([method, path, role, passed]).toEqual([method, path, role, mayPass(role, access)]);
      }
    }
  });

  it('every command that the collector knows has a role', () => {
    const names = commandNames();
    expect(names.length).toBeGreaterThan(35);
    expect(names.filter((name) => accessTo(name) === undefined)).toEqual([]);
  });

  it('each role gets exactly the commands that are for it, and those only reach the collector', async () => {
    for (const [name, access] of Object.entries(COMMAND_ROLES)) {
      for (const role of ROLES) {
        served.commands.asked.length = 0;
        // A minute later nothing is too often.
        served.clock.shift += 61_000;
        const reply = await served.command(name, cookies.get(role) ?? '', { meter: 'SP-1' });
        const may = mayPass(role, access);
        expect([name, role, reply.status]).toEqual([name, role, may ? 200 : 403]);
        expect(served.commands.asked.map((one) => one.name)).toEqual(may ? [name] : []);
      }
    }
  });

  it.each(['__proto__', 'constructor', 'toString', 'nothing', 'journal.backup/../status'])(
    'the command %s is not to be had',
    async (name) => {
      const reply = await served.command(encodeURIComponent(name), cookies.get('admin') ?? '');
      expect(reply.status).toBe(404);
    },
  );

  it('a file of the collector is written by nobody through the console', async () => {
    const cookie = cookies.get('admin') ?? '';
    for (const name of ['journal.backup', 'journal.export']) {
      expect((await served.command(name, cookie, { file: '/tmp/x' })).status).toBe(403);
    }
  });

  it('who asks is who signed in, whatever the arguments say', async () => {
    const args = { meter: 'SP-1', by: 'somebody else' };
    await served.command('event.ack', cookies.get('technician') ?? '', args);
    expect(served.commands.asked.at(-1)?.args).toEqual({ meter: 'SP-1', by: 'technician' });
  });
});
