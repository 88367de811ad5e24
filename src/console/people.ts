// Users and tokens over HTTP, for admins; each change is told with who made it.

import type { Answer } from './accounts.ts';
import type { Answering, Asked } from './parts.ts';
import { json, refuse } from './refusals.ts';
import { refusalOf } from './sign-in.ts';

/** Does it, tells of it, and answers what it came to. */
function told<T>(name: string, act: (asked: Asked) => Promise<Answer<T>>): Answering {
  return async (asked) => {
    const { desk, person, args, params } = asked;
    const answer = await act(asked);
    const whom = params['name'] ?? params['id'] ?? args['user'] ?? args['name'];
    const data = {
      ...{ id: null, name, by: person?.name ?? '', whom: String(whom ?? '').slice(0, 40) },
      code: answer.ok ? 'ok' : answer.code,
    };
    await desk.tell({ code: 'command.executed', severity: 'info', data });
    return answer.ok ? json(answer.data) : refuse(refusalOf(answer));
  };
}

const asking =
  <T>(ask: (asked: Asked) => Promise<Answer<T>>): Answering =>
  async (asked) => {
    const answer = await ask(asked);
    return answer.ok ? json(answer.data) : refuse(refusalOf(answer));
  };

export const listUsers = asking(({ desk }) => desk.accounts.list());
export const addUser = told('user.add', ({ desk, args }) =>
  desk.accounts.add({
    ...{ user: args['user'], role: args['role'] },
    ...(args['password'] !== undefined && { password: args['password'] }),
  }),
);
export const setRole = told('user.role', ({ desk, args, params }) =>
  desk.accounts.setRole(params['name'], args['role']),
);
export const resetUser = told('user.reset', ({ desk, params }) =>
  desk.accounts.reset(params['name']),
);
export const removeUser = told('user.remove', ({ desk, params }) =>
  desk.accounts.remove(params['name']),
);
export const listTokens = asking(({ desk }) => desk.accounts.listTokens());
export const createToken = told('token.create', ({ desk, args, person }) =>
  desk.accounts.createToken({
    ...{ name: args['name'], role: args['role'] },
    // Asked by nobody it cannot be: then it is of no account.
    ...{ by: person?.name ?? '', owner: person?.owner ?? null },
  }),
);
export const revokeToken = told('token.revoke', ({ desk, params }) =>
  desk.accounts.revokeToken(params['id']),
);
