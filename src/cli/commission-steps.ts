// The steps of a commissioning: what each asks of the person, what it asks of the collector, and what is done when it fails.

import type { CommandAnswer, Commands } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import { secondsOf } from './bus-trace.ts';
import { bindArgs, resolutionArgs } from './commission-answers.ts';
import { deviceArgs } from './commission-device.ts';
import { foundSentence } from './commission-words.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Manner } from './parts.ts';
import { chosen, pressed, wanted } from './questions.ts';
import { fail } from './say.ts';
import { askedDial } from './verify.ts';

/** What was typed. */
export interface CommissionRequest {
  readonly config: string;
  readonly meter?: string;
  readonly bus?: string;
  readonly address?: string;
  readonly profile?: string;
  readonly dial?: string;
  readonly digits?: string;
  readonly unit?: string;
  readonly pow10?: string;
  readonly tap?: string;
  /** What stands on the dial is right where the settings say otherwise. */
  readonly accept?: boolean;
  readonly bodySerial?: string;
  readonly registerId?: string;
  readonly servicePoint?: string;
  readonly route?: string;
  readonly pollsS?: string;
  readonly by?: string;
  /** Steps with their reasons: `tap=no water`. */
  readonly skip: readonly string[];
  readonly resume?: string | true;
  readonly report?: string;
}

type Result = Readonly<Record<string, unknown>>;

export interface Step {
  readonly step: string;
  readonly state: 'todo' | 'running' | 'done' | 'failed' | 'skipped';
  readonly result?: Result | null;
}

/** What the collector answers to every word of a commissioning. */
export interface Session {
  readonly id: string;
  readonly meter: string | null;
  readonly steps: readonly Step[];
  readonly next: string | null;
  readonly done: boolean;
}

/** One commissioning on its way. */
export interface Commissioning {
  readonly request: CommissionRequest;
  readonly settings: Settings;
  readonly commands: Commands;
  readonly desk: Desk;
  /** What the encoder that was chosen from a scan calls itself; null where there was none. */
  foundId: string | null;
  /** Waits for so long; who leaves by Ctrl-C meanwhile is thrown as a question without an answer. */
  pause(ms: number): Promise<void>;
  /** Says a refusal and gives its exit code. */
  refused(answer: Extract<CommandAnswer, { ok: false }>): number;
}

export const STEPS = [
  ...(['port', 'device', 'reads', 'dial', 'resolution', 'tap', 'bind', 'polls'] as const),
  ...(['upstream', 'finish'] as const),
] as const;
type StepName = (typeof STEPS)[number];

/** Exit code of a step that failed and was not gone past. */
const EXIT_OF_STEP: Readonly<Record<StepName, number>> = {
  port: EXIT.noAnswer,
  device: EXIT.noAnswer,
  reads: EXIT.noAnswer,
  dial: EXIT.mismatch,
  resolution: EXIT.mismatch,
  tap: EXIT.mismatch,
  bind: EXIT.failed,
  polls: EXIT.noAnswer,
  upstream: EXIT.upstream,
  finish: EXIT.failed,
};

/** A step that takes its time is looked at so often. */
const LOOK_MS = 500;

type Args = Readonly<Record<string, unknown>>;

/** Does one step until it is done, skipped, or given up. */
export async function stepOf(
  name: string,
  session: Session,
  site: Commissioning,
): Promise<{ readonly session: Session } | { readonly exit: number }> {
  const step = STEPS.find((one) => one === name);
  const { desk, refused } = site;
  if (step === undefined) return { exit: refused(unknownStep(name, desk.manner)) };
  const reason = reasonFor(step, site.request);
  if (reason !== undefined) return skipped(step, reason, session, site);
  for (let again = false; ; again = true) {
    const outcome = await once(step, session, again, site);
    if (outcome !== 'again') return outcome;
  }
}

/** One attempt, and what the person wants when it failed. */
async function once(
  step: StepName,
  session: Session,
  again: boolean,
  site: Commissioning,
): Promise<{ readonly session: Session } | { readonly exit: number } | 'again'> {
  const { desk, refused } = site;
  const answer = await attempt(step, session, again, site);
  if ('exit' in answer) return answer;
  if (!answer.ok && !desk.manner.asks) return { exit: refused(answer) };
  const now = answer.ok ? (answer.data as Session) : session;
  const found = now.steps.find((one) => one.step === step);
  if (answer.ok && found?.state === 'done') {
    if (!desk.manner.json) {
      desk.io.err(`  ${foundSentence(step, found.result ?? {}, true, desk.manner)}\n`);
    }
    return { session: now };
  }
  const wish = await afterFailure(step, answer, found, site);
  if (wish === 'again') return wish;
  if (wish !== 'skip') return { exit: wish };
  const why = await wanted(desk, undefined, { key: 'q_reason', flag: `--skip ${step}=...` });
  return skipped(step, why, session, site);
}

function unknownStep(what: string, { say }: Manner): Extract<CommandAnswer, { ok: false }> {
  const message = say('cli.unknown_step', { what });
  return { ok: false, code: 'answer.unknown', message, hint: say('cli.answer_unknown_hint') };
}

function reasonFor(step: StepName, { skip }: CommissionRequest): string | undefined {
  return skip.find((one) => one.startsWith(`${step}=`))?.slice(step.length + 1);
}

async function skipped(step: StepName, reason: string, { id }: Session, site: Commissioning) {
  const { commands, refused, desk } = site;
  const answer = await commands.run('commission.step', { id, step, skip: true, reason });
  if (!answer.ok) return { exit: refused(answer) };
  if (!desk.manner.json) desk.io.err(`  ${desk.manner.say('cli.step_skipped', { reason })}\n`);
  return { session: answer.data as Session };
}

/** Asks the person what the step needs, and the collector for the step. */
async function attempt(
  step: StepName,
  session: Session,
  again: boolean,
  site: Commissioning,
): Promise<CommandAnswer | { readonly exit: number }> {
  if (step === 'tap') return tapped(session, site);
  const args = await argsFor(step, session, again, site);
  if ('exit' in args) return args as { readonly exit: number };
  return settled(await run(step, session, args, site), step, session, site);
}

const run = (step: StepName, { id }: Session, args: Args, { commands }: Commissioning) =>
  commands.run('commission.step', { id, step, ...args });

/** The answer once the step is no longer under way. */
async function settled(
  begun: CommandAnswer,
  step: StepName,
  { id }: Session,
  { commands, desk, pause }: Commissioning,
  isEnough: (session: Session) => boolean = () => false,
): Promise<CommandAnswer> {
  let answer = begun;
  const isRunning = () =>
    answer.ok && isUnderWay(answer.data as Session, step) && !isEnough(answer.data as Session);
  const { io, manner } = desk;
  const shows = io.isTTY && !manner.json;
  for (let waits = 0; isRunning(); waits += 1) {
    if (shows) io.err(`\r  ${manner.say('cli.step_runs')}${'.'.repeat(waits % 4).padEnd(3)}`);
    await pause(LOOK_MS);
    answer = await commands.run('commission.get', { id });
    if (!isRunning() && shows) io.err('\r\u001b[K');
  }
  return answer;
}

const isUnderWay = ({ steps }: Session, step: StepName) =>
  steps.some((one) => one.step === step && one.state === 'running');

/** Everybody was read: now the tap may be opened. */
const isTapOpen = (session: Session) =>
  isUnderWay(session, 'tap') && resultOf(session, 'tap')?.['phase'] === 'open';

async function argsFor(
  step: StepName,
  session: Session,
  again: boolean,
  site: Commissioning,
): Promise<Args | { readonly exit: number }> {
  const { request, desk } = site;
  switch (step) {
    case 'device':
      return deviceArgs(session, site);
    case 'dial':
      return { dial: await askedDial(again ? undefined : request.dial, desk) };
    case 'resolution':
      return resolutionArgs(session, again, site);
    case 'bind':
      return bindArgs(site);
    case 'polls':
      return request.pollsS === undefined ? {} : { seconds: Number(request.pollsS) };
    default:
      return {};
  }
}

const resultOf = ({ steps }: Session, step: StepName): Result | null | undefined =>
  steps.find((one) => one.step === step)?.result;

/** The tap is opened and closed by hand, or, with --tap, left to whoever does it for so long. */
async function tapped(
  session: Session,
  site: Commissioning,
): Promise<CommandAnswer | { exit: number }> {
  const { request, desk } = site;
  const { manner, io } = desk;
  const seconds = request.tap === undefined ? null : secondsOf(request.tap);
  if (request.tap !== undefined && seconds === null) {
    const message = manner.say('cli.bad_tap', { what: request.tap });
    return { exit: fail(io, manner, { code: 'usage.tap', message, hint: '' }, EXIT.usage) };
  }
  if (seconds === null && !manner.asks)
    await wanted(desk, undefined, { key: 'q_tap', flag: '--tap' });
  const asked = await run('tap', session, { action: 'begin' }, site);
  const begun = await settled(asked, 'tap', session, site, isTapOpen);
  if (!begun.ok || !isTapOpen(begun.data as Session)) return begun;
  if (seconds === null) {
    await pressed(desk, 'tap_open');
    await pressed(desk, 'tap_close');
  } else await site.pause(seconds * 1000);
  return settled(await run('tap', session, { action: 'end' }, site), 'tap', session, site);
}

/** Again, or past it with a reason, or an exit code: the session stays to be taken up again. */
async function afterFailure(
  step: StepName,
  answer: CommandAnswer,
  found: Step | undefined,
  site: Commissioning,
): Promise<'again' | 'skip' | number> {
  const { desk, refused } = site;
  const { manner, io } = desk;
  const result = found?.result ?? {};
  const exit = EXIT_OF_STEP[step];
  if (!manner.asks) {
    const message = foundSentence(step, result, false, manner);
    const code = String(result['code'] ?? result['verdict'] ?? 'verify_failed');
    const hint = manner.say('cli.step_failed_hint', { step });
    return fail(io, manner, { code, message, hint, more: { step, result } }, exit);
  }
  if (!answer.ok) refused(answer);
  else io.err(`  ${foundSentence(step, result, false, manner)}\n`);
  const next = result['hint'];
  if (typeof next === 'string' && next !== '') io.err(`  ${manner.hear(next)}\n`);
  const wish = await chosen(desk, undefined, ['again', 'skip', 'stop'] as const, {
    ...{ key: 'q_failed', flag: '--skip' },
    rows: ['again', 'skip', 'stop'].map((one) => manner.say(`cli.failed_${one}`)),
  });
  return wish === 'stop' ? exit : wish;
}
