// `user` and `token`: who may use the local web console, kept in a file of the data folder, whether the collector runs or not.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Accounts, Desk, Manner } from './parts.ts';
import { Unanswered, wanted } from './questions.ts';
import { fail, failHeard, sayJson, table } from './say.ts';
import { settingsOf } from './settings-file.ts';

const ROLES = ['viewer', 'technician', 'admin'] as const;
const ROLE_QUESTION = {
  ...{ key: 'q_role', flag: '--role', usual: 'technician' },
  check: (one: string) => (ROLES.some((role) => role === one) ? null : 'q_bad_role'),
};

/** A new user's code is good for so long, in minutes. */
const CODE_MIN = 15;

type Told = Readonly<Record<string, unknown>>;

export function addUsers(program: Command, desk: Desk): void {
  addUserWords(program, desk);
  addTokenWords(program, desk);
}

/** Does something with the accounts and says so, or why not. */
async function act(
  file: string,
  deed: (accounts: Accounts) => Promise<CommandAnswer>,
  told: (data: Told) => string,
  desk: Desk,
): Promise<void> {
  const { manner, io, parts, done } = desk;
  const loaded = await settingsOf(file, manner, io, parts);
  if ('exit' in loaded) return done(loaded.exit);
  const answer = await deed(await parts.accounts(loaded.settings));
  if (!answer.ok) return done(failHeard(io, manner, asDenied(answer, loaded.settings, manner)));
  const data = answer.data as Told;
  const way = typeof data['code'] === 'string' ? await wayWith(data, loaded.settings, desk) : null;
  if (manner.json) sayJson(io, { ...data, ...way });
  else {
    io.out(told(data));
    if (way) await tellWay(way, desk);
  }
  return done(EXIT.ok);
}

type Refusal = Extract<CommandAnswer, { ok: false }>;

/**
 * A file of accounts that only its owner may open is not broken, and not to be removed; nor is one whose folder the
 * collector has not made yet. It makes it at its first start, and not this command: root's folder would keep it out.
 */
function asDenied(answer: Refusal, { data }: Settings, { say }: Manner): Refusal {
  if (answer.code !== 'accounts.broken') return answer;
  if (answer.message.includes('there is no folder')) {
    return { ...answer, code: 'conflict', hint: say('cli.user_first_start', { name: NAME }) };
  }
  if (!answer.message.includes('may not open')) return answer;
  return { ...answer, code: 'forbidden', hint: say('cli.ask_as_owner', { path: data }) };
}

interface Way {
  readonly link: string;
  readonly fingerprint: string | null;
}

/** The link that a code opens the console with; null where the settings have no console. */
async function wayWith(data: Told, settings: Settings, { parts }: Desk): Promise<Way | null> {
  const way = await parts.wayIn(settings);
  if (!way) return null;
  const page = typeof data['user'] === 'string' ? 'sign-in' : 'first-run';
  const link = `${way.url}/${page}#code=${encodeURIComponent(String(data['code']))}`;
  return { link, fingerprint: way.fingerprint };
}

/** For a phone that is held before the terminal; its browser warns of a certificate that vouches for itself. */
async function tellWay({ link, fingerprint }: Way, { manner, io, parts }: Desk): Promise<void> {
  const { say } = manner;
  io.out(`${link}\n`);
  if (fingerprint !== null) io.out(`${say('cli.fingerprint', { fingerprint })}\n`);
  if (io.isTTY && !manner.plain) io.out(await parts.qr(link));
}

function addUserWords(program: Command, desk: Desk): void {
  const { say } = desk.manner;
  const users = addGroup(program, desk, 'user', 'g_user');
  const add = (spec: string, key: string, example: string) =>
    addCommand(users, desk, { spec, key: `c_user_${key}`, example: `user ${example}` });
  const coded = ({ user, code, minutes = CODE_MIN }: Told) => {
    const places = { code: String(code), minutes: Number(minutes) };
    return typeof user === 'string'
      ? `${say('cli.user_code', { ...places, user })}\n`
      : `${say('cli.user_code_first', places)}\n`;
  };

  withConfig(add('list', 'list', 'list'), desk).action(({ config }) =>
    act(
      config,
      (accounts) => accounts.list(),
      (data) => userTable(data, desk),
      desk,
    ),
  );
  const added = add('add <user>', 'add', 'add ana --role technician');
  option(added, desk, '--role <role>', 'o_role');
  withConfig(added, desk).action(async (user, { config, role: given }) => {
    const role = await wanted(desk, given, ROLE_QUESTION);
    return act(config, (accounts) => accounts.add({ user, role }), coded, desk);
  });
  const password = add('set-password <user>', 'set_password', 'set-password ana');
  option(password, desk, '--password-file <file>', 'o_password_file');
  withConfig(password, desk).action(async (user, { config, passwordFile }) => {
    const typed = await askedPassword(passwordFile, desk);
    if (typed === null) return;
    const sentence = () => `${say('cli.user_password_set', { user })}\n`;
    await act(config, (accounts) => accounts.setPassword(user, typed), sentence, desk);
  });
  withConfig(add('reset <user>', 'reset', 'reset ana'), desk).action((user, { config }) =>
    act(config, (accounts) => accounts.reset(user), coded, desk),
  );
  withConfig(add('remove <user>', 'remove', 'remove ana'), desk).action((user, { config }) =>
    act(
      config,
      (accounts) => accounts.remove(user),
      () => `${say('cli.user_removed', { user })}\n`,
      desk,
    ),
  );
  withConfig(add('code [user]', 'code', 'code'), desk).action((user, { config }) =>
    act(config, (accounts) => accounts.code(user), coded, desk),
  );
}

function userTable({ users }: Told, { manner }: Desk): string {
  const { say } = manner;
  const rows = (users as readonly Told[]).map(({ user, role, created, has_password: has }) => [
    ...[String(user), String(role), String(created), say(has === true ? 'cli.yes' : 'cli.no')],
  ]);
  if (rows.length === 0) return `${say('cli.users_none', { name: NAME })}\n`;
  const headings = ['user', 'role', 'since', 'password'].map((name) => say(`cli.h_${name}`));
  return table(headings, rows, manner);
}

/** The first line of a file (- is standard input), or typed twice and not shown. Null after a failure was said. */
async function askedPassword(file: string | undefined, desk: Desk): Promise<string | null> {
  const { manner, io, parts, done } = desk;
  if (file !== undefined) {
    let text = '';
    for await (const piece of parts.readText(file)) text += piece;
    return text.split(/\r?\n/)[0] ?? '';
  }
  if (!manner.asks) throw new Unanswered('--password-file');
  const ask = async (key: string) => {
    const typed = await parts.prompt(`${manner.say(`cli.${key}`)}: `, { isSecret: true });
    if (typed === null) throw new Unanswered(null);
    return typed;
  };
  const first = await ask('q_password');
  if ((await ask('q_password_again')) === first) return first;
  const message = manner.say('cli.passwords_differ');
  done(fail(io, manner, { code: 'usage.password', message, hint: '' }, EXIT.usage));
  return null;
}

function addTokenWords(program: Command, desk: Desk): void {
  const { say } = desk.manner;
  const tokens = addGroup(program, desk, 'token', 'g_token');
  const add = (spec: string, key: string, example: string) =>
    addCommand(tokens, desk, { spec, key: `c_token_${key}`, example: `token ${example}` });

  withConfig(add('list', 'list', 'list'), desk).action(({ config }) =>
    act(
      config,
      (accounts) => accounts.listTokens(),
      (data) => tokenTable(data, desk),
      desk,
    ),
  );
  const created = add('create <name>', 'create', 'create nightly-export --role viewer');
  option(created, desk, '--role <role>', 'o_role');
  option(created, desk, '--by <name>', 'o_by');
  withConfig(created, desk).action(async (name, { config, role: given, by = '' }) => {
    const role = await wanted(desk, given, { ...ROLE_QUESTION, usual: 'viewer' });
    // The token alone on standard output, for a script to keep; the sentence beside it.
    const told = ({ token, id }: Told) => {
      desk.io.err(`${say('cli.token_made', { id: String(id) })}\n`);
      return `${String(token)}\n`;
    };
    return act(
      config,
      (accounts) => accounts.createToken({ name, role, by, owner: null }),
      told,
      desk,
    );
  });
  withConfig(add('revoke <id>', 'revoke', 'revoke t1'), desk).action((id, { config }) =>
    act(
      config,
      (accounts) => accounts.revokeToken(id),
      () => `${say('cli.token_gone', { id })}\n`,
      desk,
    ),
  );
}

function tokenTable({ tokens }: Told, { manner }: Desk): string {
  const { say } = manner;
  const rows = (tokens as readonly Told[]).map(({ id, name, role, created, used }) => [
    ...[String(id), String(name), String(role ?? '-'), String(created), String(used ?? '-')],
  ]);
  if (rows.length === 0) return `${say('cli.tokens_none')}\n`;
  const headings = ['id', 'name', 'role', 'since', 'used'].map((name) => say(`cli.h_${name}`));
  return table(headings, rows, manner);
}
