// Every route of the console in one table, with the role it takes; what is not here is not answered.

import { acting } from './acts.ts';
import { command } from './commanding.ts';
import { backup, bundle, exportCsv, report } from './downloads.ts';
import { openLive } from './open-live.ts';
import type { Answering } from './parts.ts';
import {
  addUser,
  createToken,
  listTokens,
  listUsers,
  removeUser,
  resetUser,
  revokeToken,
  setRole,
} from './people.ts';
import type { Access } from './roles.ts';
import { firstRun, ownPassword, prefer, sessionOf, signIn, signOut } from './sign-in.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `:name` stands for one part of the path. */
  readonly path: string;
  readonly access: Access;
  /** Also for who must set a password before anything else. */
  readonly beforePassword?: true;
  readonly handle: Answering;
}

const get = (path: string, access: Access, handle: Answering): Route => ({
  ...{ method: 'GET', path, access, handle },
});
const post = (path: string, access: Access, handle: Answering): Route => ({
  ...{ method: 'POST', path, access, handle },
});
const early = (route: Route): Route => ({ ...route, beforePassword: true });

/** A command is looked up in its own table (command-roles.ts) when it is asked for, and counted there. Signing out is never too often. */
export const ROUTES: readonly Route[] = [
  post('/api/sign-in', 'anyone', signIn),
  post('/api/first-run', 'anyone', firstRun),
  early(post('/api/sign-out', 'viewer', signOut)),
  early(get('/api/session', 'viewer', sessionOf)),
  early({ method: 'PUT', path: '/api/session', access: 'viewer', handle: acting(prefer) }),
  early(post('/api/password', 'viewer', acting(ownPassword))),
  post('/api/commands/:name', 'viewer', command),
  get('/api/live', 'viewer', openLive),
  get('/api/reports/:file', 'viewer', report),
  get('/api/export.csv', 'viewer', exportCsv),
  get('/api/backup', 'admin', backup),
  get('/api/bundle', 'admin', bundle),
  get('/api/users', 'admin', listUsers),
  post('/api/users', 'admin', acting(addUser)),
  { method: 'PUT', path: '/api/users/:name', access: 'admin', handle: acting(setRole) },
  post('/api/users/:name/reset', 'admin', acting(resetUser)),
  { method: 'DELETE', path: '/api/users/:name', access: 'admin', handle: acting(removeUser) },
  get('/api/tokens', 'admin', listTokens),
  post('/api/tokens', 'admin', acting(createToken)),
  { method: 'DELETE', path: '/api/tokens/:id', access: 'admin', handle: acting(revokeToken) },
];
