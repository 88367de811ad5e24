// Commands over HTTP: the handlers that every door has, by role, in bounds, told with who gave them.

import { placeFor, tooOften } from './acts.ts';
import { accessTo, onlyAsks } from './command-roles.ts';
import { COMMAND_MS } from './limits.ts';
import type { Asked, CommandAnswer, Desk, Person } from './parts.ts';
import { json, refusal, refuse, statusOf } from './refusals.ts';
import { mayPass } from './roles.ts';

export async function command(asked: Asked): Promise<Response> {
  const { desk, person, params, args } = asked;
  const name = params['name'] ?? '';
  const access = accessTo(name);
  if (access === undefined) {
    return refuse(refusal(404, 'unknown_command', `There is no command ${name.slice(0, 40)}.`));
  }
  if (!person || !mayPass(person.role, access)) {
    const message = `${name} is not for a ${person?.role ?? 'stranger'}.`;
    return refuse(refusal(403, 'forbidden', message, 'Ask an admin of this collector.'));
  }
  const leave = placeFor(desk, person.name, 'commands');
  if (leave instanceof Response) return leave;
  const often = onlyAsks(name) ? null : tooOften(desk, person.name);
  if (often) {
    leave();
    return often;
  }
  const outcome = runCommand(desk, person, name, args).finally(leave);
  const over = new AbortController();
  const answer = await Promise.race([
    outcome,
    desk.clock.sleep(COMMAND_MS, over.signal).then(() => LATE),
  ]);
  over.abort('answered');
  if (answer.ok) return json({ ok: true, data: answer.data });
  const status = answer === LATE ? 504 : statusOf(answer.code);
  return refuse(refusal(status, answer.code, answer.message, answer.hint));
}

const LATE: CommandAnswer = {
  ...{ ok: false, code: 'busy', message: 'It takes longer, and goes on.', hint: 'Look later.' },
};

/** Runs it in the name of who asked, and tells of it where it does not only ask (C4). */
export async function runCommand(
  { commands, tell, log }: Pick<Desk, 'commands' | 'tell' | 'log'>,
  { name: by }: Pick<Person, 'name'>,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<CommandAnswer> {
  let outcome: CommandAnswer;
  try {
    outcome = await commands.run(name, { ...args, by });
  } catch (bug) {
    log.error({ name, error: String(bug) }, 'a command of the console failed');
    outcome = { ok: false, code: 'internal', message: 'The command failed.', hint: '' };
  }
  if (onlyAsks(name)) return outcome;
  const meter = typeof args['meter'] === 'string' ? args['meter'].slice(0, 40) : null;
  const data = { id: null, name, by, meter, code: outcome.ok ? 'ok' : outcome.code };
  await tell({ code: 'command.executed', severity: 'info', data });
  return outcome;
}
