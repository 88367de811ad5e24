// `commission`: proves on site that a meter, its dial and its address belong together, step by step, to a report.

import type { Command } from 'commander';
import type { CommandAnswer } from '../boundaries.ts';
import { failAsked } from './ask.ts';
import { addCommand, NAME, option, withConfig } from './command.ts';
import {
  type Commissioning,
  type CommissionRequest,
  type Session,
  STEPS,
  stepOf,
} from './commission-steps.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk } from './parts.ts';
import { Unanswered, wanted } from './questions.ts';
import { reportText, writeReport } from './report.ts';
import { fail, sayJson } from './say.ts';
import { settingsOf } from './settings-file.ts';

const OPTIONS: readonly (readonly [flags: string, key: string])[] = [
  ['--bus <bus>', 'o_meter_bus'],
  ['--address <address>', 'o_meter_address'],
  ['--profile <profile>', 'o_meter_profile'],
  ['--dial <dial>', 'o_dial'],
  ['--digits <n>', 'o_digits'],
  ['--unit <unit>', 'o_unit'],
  ['--pow10 <n>', 'o_pow10'],
  ['--accept', 'o_accept'],
  ['--tap <duration>', 'o_tap'],
  ['--body-serial <serial>', 'o_meter_body_serial'],
  ['--register-id <id>', 'o_meter_register_id'],
  ['--service-point <point>', 'o_meter_service_point'],
  ['--route <route>', 'o_meter_route'],
  ['--polls-s <seconds>', 'o_polls_s'],
  ['--by <name>', 'o_by'],
  ['--resume [id]', 'o_resume'],
  ['--report <file>', 'o_report'],
];

export function addCommission(program: Command, desk: Desk): void {
  const command = addCommand(program, desk, {
    ...{ spec: 'commission [meter]', key: 'c_commission' },
    example: 'commission SP-1 --by ANA --report SP-1.html',
  });
  for (const [flags, key] of OPTIONS) option(command, desk, flags, key);
  command.option(
    `--skip <${desk.manner.say('cli.arg_step_reason')}>`,
    desk.manner.say('cli.o_skip'),
    (one: string, before: readonly string[]) => [...before, one],
    [] as readonly string[],
  );
  withConfig(command, desk).action(async (meter, request: CommissionRequest) =>
    desk.done(await commission({ ...request, meter }, desk)),
  );
}

/** 0 with the report; 2 for a step that cannot be, else the exit code of the step that failed. */
async function commission(request: CommissionRequest, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const bad = badSkip(request);
  if (bad !== null) {
    const message = manner.say('cli.bad_skip', { what: bad });
    const hint = manner.say('cli.known_are', { names: STEPS.join(', ') });
    return fail(io, manner, { code: 'usage.skip', message, hint }, EXIT.usage);
  }
  const loaded = await settingsOf(request.config, manner, io, parts);
  if ('exit' in loaded) return loaded.exit;
  const { settings } = loaded;
  const commands = parts.daemon(settings.control);
  const refused = (answer: Extract<CommandAnswer, { ok: false }>) =>
    failAsked(answer, settings, manner, io, request.config);
  const leaving = leavingOf(desk);
  const { pause } = leaving;
  const site: Commissioning = { request, settings, commands, desk, foundId: null, pause, refused };
  try {
    const session = await sessionFor(site);
    return 'exit' in session ? session.exit : await throughSteps(session, site, leaving);
  } finally {
    leaving.release();
  }
}

/** Ctrl-C while a step is waited for: heard at the next pause, and a second one at once. */
interface Leaving {
  pause(ms: number): Promise<void>;
  /** Rejects at the second. */
  readonly atOnce: Promise<never>;
  release(): void;
}

function leavingOf({ parts }: Desk): Leaving {
  const gone = new Unanswered(null);
  let leave = () => {};
  let leaveAtOnce = () => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(gone);
  });
  const atOnce = new Promise<never>((_, reject) => {
    leaveAtOnce = () => reject(gone);
  });
  // Mostly nobody leaves, or nobody waits.
  left.catch(() => undefined);
  atOnce.catch(() => undefined);
  let times = 0;
  const release = parts.onStop(() => {
    times += 1;
    if (times === 1) leave();
    else leaveAtOnce();
  });
  return { pause: (ms) => Promise.race([left, parts.pause(ms)]), atOnce, release };
}

/** A step to be skipped is named with its reason: `tap=no water`. */
function badSkip({ skip }: CommissionRequest): string | null {
  const isGood = (one: string) =>
    STEPS.some((step) => one.startsWith(`${step}=`) && one.length > step.length + 1);
  return skip.find((one) => !isGood(one)) ?? null;
}

/** The session that is taken up again, or a new one. */
async function sessionFor(site: Commissioning): Promise<Session | { readonly exit: number }> {
  const { request, desk, commands, settings } = site;
  if (request.resume !== undefined) return resumed(site);
  const by = await wanted(desk, request.by, {
    ...{ key: 'q_by', flag: '--by', usual: whoAmI(desk) },
  });
  const [first] = settings.buses;
  const bus = request.bus ?? (settings.buses.length === 1 ? first?.bus : undefined);
  const isKnown = settings.meters.some(({ meter }) => meter === request.meter);
  const where = isKnown ? { meter: request.meter } : bus === undefined ? {} : { bus };
  const begun = await commands.run('commission.begin', { ...where, by });
  if (begun.ok) return begun.data as Session;
  if (begun.code === 'conflict') {
    const { manner, io } = desk;
    const hint = manner.say('cli.resume_hint', { name: NAME });
    return { exit: failAsked({ ...begun, hint }, settings, manner, io) };
  }
  return { exit: site.refused(begun) };
}

const whoAmI = ({ io: { env } }: Desk) => env['USER'] ?? env['LOGNAME'];

async function resumed(site: Commissioning): Promise<Session | { readonly exit: number }> {
  const { request, desk, commands } = site;
  const listed = await commands.run('commission.list', {});
  if (!listed.ok) return { exit: site.refused(listed) };
  const { sessions } = listed.data as { readonly sessions: readonly Session[] };
  // One that was cancelled is not done, and nothing of it comes next.
  const open = sessions.filter(({ done, next }) => !done && next !== null);
  const wantedId = typeof request.resume === 'string' ? request.resume : undefined;
  const mine = open.filter(
    ({ id, meter }) =>
      (wantedId === undefined || id === wantedId || meter === wantedId) &&
      (request.meter === undefined || meter === request.meter),
  );
  const found = mine.at(-1);
  if (found !== undefined) {
    tellOthers(mine.slice(0, -1), desk);
    const got = await commands.run('commission.get', { id: found.id });
    return got.ok ? (got.data as Session) : { exit: site.refused(got) };
  }
  const { manner, io } = desk;
  const hint = manner.say('cli.resume_none_hint', { name: NAME });
  const message = manner.say('cli.resume_none');
  return { exit: fail(io, manner, { code: 'conflict', message, hint }) };
}

/** Which one is taken up is told where several are open. */
function tellOthers(others: readonly Session[], { manner, io }: Desk): void {
  if (others.length === 0 || manner.json) return;
  const ids = others.map(({ id, meter }) => (meter === null ? id : `${id} (${meter})`)).join(', ');
  io.err(`${manner.say('cli.resume_others', { ids })}\n`);
}

/** One step after the other, as the session says what comes next. */
async function throughSteps(
  begun: Session,
  site: Commissioning,
  { atOnce }: Leaving,
): Promise<number> {
  const { desk } = site;
  const { manner, io } = desk;
  let session = begun;
  while (!session.done && session.next !== null) {
    const { next } = session;
    const number = STEPS.indexOf(next as (typeof STEPS)[number]) + 1;
    const title = manner.say(`cli.step_${next}`);
    if (!manner.json)
      io.err(`\n${manner.say('cli.step_head', { number, of: STEPS.length, title })}\n`);
    const outcome = await leftOpen(session, site, () =>
      Promise.race([stepOf(next, session, site), atOnce]),
    );
    if ('exit' in outcome) return outcome.exit;
    ({ session } = outcome);
  }
  return finished(session, site);
}

type Outcome = Awaited<ReturnType<typeof stepOf>>;

/** Who leaves in the middle of a step, by Ctrl-C, too, or for want of an option, hears how to go on. */
async function leftOpen(
  { id }: Session,
  { desk: { manner, io } }: Commissioning,
  step: () => Promise<Outcome>,
): Promise<Outcome> {
  let isLeft = true;
  try {
    const outcome = await step();
    isLeft = 'exit' in outcome;
    return outcome;
  } finally {
    const resume = manner.say('cli.resume_with', { name: NAME, id });
    if (isLeft && !manner.json) io.err(`${io.isTTY ? '\n' : ''}${resume}\n`);
  }
}

/** What came of it, the report where it is wanted, and what comes next. */
async function finished(session: Session, site: Commissioning): Promise<number> {
  const { request, commands, desk } = site;
  const { manner, io } = desk;
  const finish = session.steps.find(({ step }) => step === 'finish');
  const id = String(finish?.result?.['report'] ?? finish?.result?.['id'] ?? session.id);
  const meter = session.meter ?? '';
  const got = await reportText(id, request.report, commands, manner.language);
  if (!got.ok) return site.refused(got);
  const { sha256, text } = got.data;
  if (manner.json) {
    const written = await writeReport(request.report, id, text, desk);
    if (written === EXIT.ok) sayJson(io, { ...session, report: { id, sha256 } });
    return written;
  }
  // Without the dial nothing shows that this meter is the one at that address.
  const isProved = session.steps.some(({ step, state }) => step === 'dial' && state === 'done');
  io.out(`${manner.say(isProved ? 'cli.commissioned' : 'cli.unproved', { meter })}\n`);
  io.out(`${manner.say('cli.report_sum', { id, sha256 })}\n`);
  if (!isProved) io.err(`${manner.say('cli.unproved_next', { name: NAME, meter })}\n`);
  if (request.report !== undefined) return writeReport(request.report, id, text, desk);
  io.err(`${manner.say('cli.report_later', { name: NAME, id })}\n`);
  return EXIT.ok;
}
