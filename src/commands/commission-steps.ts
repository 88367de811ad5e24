// What each step of a commissioning does: it asks the collector's own commands, and tells what came of it by code.

import type { CommandAnswer } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { type Session, type StepName, type StepResult, stepOf } from '../domain/commission.ts';
import { type Dial, metricShift, VOLUME_UNITS } from '../domain/units.ts';
import type { Args } from './answer.ts';
import {
  type DialRead,
  done,
  failed,
  failedBy,
  PATIENCE_MS,
  readPatiently,
  type StepDoer,
  type StepOutcome,
  type StepParts,
} from './commission-step.ts';
import { beginTap, endTap } from './commission-tap.ts';

const READS = 3;
/** Three reads in a row show a register that holds still or climbs. */
const BETWEEN_READS_MS = 1_000;

/** `port`: the link is open, or nothing speaks against it. */
const port: StepDoer = async ({ bus }, _args, { run, lookAtPort }) => {
  if (bus === null) return failed('no_bus');
  const answer = await run('bus.stats', { bus });
  if (!answer.ok) return failedBy(answer);
  const [stats] = (answer.data as { buses: readonly BusTold[] }).buses;
  if (!stats) return failed('no_bus');
  const { open, detail, type } = stats;
  const look = open ? null : ((await lookAtPort?.(bus)) as PortSeen | null | undefined);
  const seen = { bus, type, open, detail, ...look };
  const places = { bus, path: look?.path ?? bus, detail: look?.detail || detail };
  const problem = look?.problem ?? (open ? null : linkProblem(detail));
  if (problem !== null) return failed(problem, { ...seen, places });
  return done({ ...seen, places });
};

interface BusTold {
  readonly open: boolean;
  readonly detail: string;
  readonly type: string;
}

interface PortSeen {
  readonly path: string;
  readonly problem: string | null;
  readonly detail: string;
}

/** The cause that a closed link's words begin with; null where they tell of none. */
export function linkProblem(detail: string): string | null {
  if (/another program holds/.test(detail)) return 'port_busy';
  const [, code = ''] = /^([a-z]+\.[a-z_]+): /.exec(detail) ?? [];
  const causes: Readonly<Record<string, string>> = {
    'port.absent': 'port_gone',
    'port.denied': 'no_permission',
    'port.failed': 'port_failed',
    'peer.unreachable': 'peer_unreachable',
  };
  return causes[code] ?? null;
}

/** Keys of the command, not of the meter. */
const NOT_METER = ['id', 'step', 'by', 'action', 'skip', 'reason', 'meter', 'bus'];

/** `device` {meter} of the settings, or {meter, address, profile, ...} to be added to them. */
const device: StepDoer = async (session, args, parts) => {
  const { run, clock } = parts;
  const meter = typeof args['meter'] === 'string' ? args['meter'] : session.meter;
  if (meter === null) return failed('no_meter');
  const known = await run('meter.show', { meter });
  if (known.ok && args['profile'] === undefined) return taken(known.data as Shown, false);
  if (args['profile'] === undefined) return failedBy(refusalOf(known));
  const keys = Object.entries(args).filter(([key]) => !NOT_METER.includes(key));
  const entry = { ...Object.fromEntries(keys), bus: args['bus'] ?? session.bus };
  const isThere = known.ok;
  const set = await run(isThere ? 'meter.update' : 'meter.add', {
    ...{ meter, by: args['by'] ?? session.by, ...entry },
  });
  if (!set.ok) return failedBy(set);
  const applied = await run('config.apply', { by: args['by'] ?? session.by });
  if (!applied.ok) return failedBy(applied);
  const { takes_effect: at } = applied.data as { takes_effect: string };
  const now = await run('meter.show', { meter });
  const bus = String(entry.bus ?? '');
  if (now.ok && Date.parse(at) <= clock.now()) return taken(now.data as Shown, !isThere, true);
  return {
    state: 'running',
    result: { meter, ...entry, bus, added: !isThere, waits_until: at },
    session: { meter, bus },
    isChange: true,
  };
};

interface Shown {
  readonly meter: string;
  readonly bus: string | null;
  readonly installation: (Dial & { readonly register_id: string | null }) | null;
  readonly settings: Readonly<Record<string, unknown>> | null;
}

const refusalOf = (answer: CommandAnswer): Extract<CommandAnswer, { ok: false }> =>
  answer.ok ? { ok: false, code: 'no_device', message: '', hint: '' } : answer;

/** The device of a meter that the collector knows. */
function taken({ meter, bus, installation, settings }: Shown, added: boolean, isChange = false) {
  const { digits, unit, pow10, register_id } = installation ?? {};
  const { address = null, profile = null } = settings ?? {};
  const result = { meter, bus, address, profile, added, digits, unit, pow10, register_id };
  return { state: 'done', result, session: { meter, bus }, isChange } as const;
}

/** A change of settings that waited for the hour's edge to be over: the step is done once the collector has it. */
export async function waitedFor(
  session: Session,
  name: StepName,
  parts: StepParts,
): Promise<StepOutcome | null> {
  const { result } = stepOf(session, name);
  const until = result?.['waits_until'];
  const meter = name === 'device' ? result?.['meter'] : session.meter;
  if (typeof until !== 'string' || parts.clock.now() < Date.parse(until)) return null;
  const shown = await parts.run('meter.show', { meter });
  if (!shown.ok) return null;
  const { bus, installation } = shown.data as Shown;
  if (name === 'device') {
    // A meter that was moved is there before it has moved.
    if (bus !== result?.['bus']) return null;
    return { ...taken(shown.data as Shown, result['added'] === true) };
  }
  const typed = dialIn(result as Args);
  if (!typed || !installation || !isSameDial(typed, installation)) return null;
  const { waits_until: _, ...rest } = result as StepResult;
  return done(rest);
}

/** `reads`: three in a row that agree with each other. */
const reads: StepDoer = async (session, _args, parts) => {
  const meter = session.meter ?? '';
  const seen: DialRead[] = [];
  for (let n = 0; n < READS; n += 1) {
    if (n > 0) await parts.wire.sleep(BETWEEN_READS_MS);
    const one = await readPatiently(meter, parts);
    if ('ok' in one)
      return { ...failedBy(one), result: { ...failedBy(one).result, reads: told(seen) } };
    seen.push(one.read);
  }
  const result = { reads: told(seen), meter };
  if (seen.some(({ q }) => q === 'S')) return failed('doubted', result);
  return done(result);
};

const told = (seen: readonly DialRead[]) =>
  seen.map(({ read, dial, at, q }) => ({ read, dial, at, q }));

const AGREES = ['match', 'moved', 'ignored_digit_match'];

/** `dial` {dial}: typed blind, held against the encoder. What was typed before is kept. */
const dial: StepDoer = async (session, { dial: typed, looked_s }, { run }) => {
  const meter = session.meter ?? '';
  const wish = { meter, dial: typed, ...(looked_s === undefined ? {} : { looked_s }) };
  const answer = await run('verify', wish);
  const before = stepOf(session, 'dial').result;
  const tries = [...((before?.['tries'] ?? []) as readonly object[])];
  if (!answer.ok) return { state: 'failed', result: { ...failedBy(answer).result, tries } };
  const found = answer.data as { verdict: string; dial: string; at: string; register: string };
  const { verdict, at, register } = found;
  const all = [...tries, { dial: found.dial, verdict, register, at }].slice(-TRIES_TOLD);
  const result = { ...found, tries: all };
  return AGREES.includes(verdict) ? done(result) : failed(verdict, result);
};

/** So many of the dials typed are told in the report. */
const TRIES_TOLD = 10;

/** `resolution` {digits, unit, pow10, accept?}: what stands on the dial against what the collector counts in; `accept`: the dial is right. */
const resolution: StepDoer = async (session, args, { run, clock }) => {
  const meter = session.meter ?? '';
  const shown = await run('meter.show', { meter });
  if (!shown.ok) return failedBy(shown);
  const { installation } = shown.data as Shown;
  const typed = dialIn(args);
  if (!installation || typed === null) return failed('bad_request', { message: BAD_DIAL });
  const { digits, unit, pow10 } = installation;
  const known = { digits, unit, pow10 };
  const places = { ...typed, known_digits: digits, known_unit: unit, known_pow10: pow10 };
  if (isSameDial(typed, known)) return done({ ...typed, agrees: true, places });
  if (args['accept'] !== true) {
    return failed('resolution_differs', { ...typed, agrees: false, known, places });
  }
  const by = args['by'] ?? session.by;
  const set = await run('meter.update', { meter, dial: typed, by });
  if (!set.ok) return failedBy(set);
  const applied = await run('config.apply', { by });
  if (!applied.ok) return failedBy(applied);
  const { takes_effect: at } = applied.data as { takes_effect: string };
  const result = { ...typed, agrees: true, changed: known, places };
  if (Date.parse(at) <= clock.now()) return { ...done(result), isChange: true };
  return { state: 'running', result: { ...result, waits_until: at }, isChange: true };
};

const BAD_DIAL = 'digits, unit (ft3, gal, m3, L) and pow10 are those on the dial.';

function dialIn({ digits, unit, pow10 }: Args): Dial | null {
  const [count, power] = [Number(digits), Number(pow10)];
  const known = VOLUME_UNITS.find((one) => one === unit);
  if (!known || !Number.isInteger(count) || !Number.isInteger(power)) return null;
  return { digits: count, unit: known, pow10: power };
}

/** A cubic metre is a thousand litres. */
function isSameDial(one: Dial, other: Dial): boolean {
  const shift = metricShift(one.unit, other.unit);
  return one.digits === other.digits && shift !== null && one.pow10 + shift === other.pow10;
}

/** `tap` {action: begin}, then {action: end, drawn?: {amount, unit}}. */
const tap: StepDoer = (session, args, parts) =>
  args['action'] === 'end' ? endTap(session, args, parts) : beginTap(session, parts);

const BOUND = ['body_serial', 'register_id', 'service_point', 'route'] as const;

/** `bind` {body_serial, register_id, service_point, route}: into the settings. A register's identification is not its body's serial. */
const bind: StepDoer = async (session, args, { run }) => {
  const meter = session.meter ?? '';
  const given = BOUND.flatMap((key) => {
    const text = typeof args[key] === 'string' ? args[key].trim() : '';
    return text === '' ? [] : [[key, text] as const];
  });
  const shown = await run('meter.show', { meter });
  if (!shown.ok) return failedBy(shown);
  const { installation, settings } = shown.data as Shown;
  const before = Object.fromEntries(BOUND.map((key) => [key, settings?.[key] ?? null]));
  const sends = installation?.register_id ?? null;
  const wished = Object.fromEntries(given);
  const named = wished['register_id'];
  if (named !== undefined && sends !== null && named !== sends) {
    return failed('register_id_differs', { ...wished, places: { typed: named, sends } });
  }
  const changes = Object.fromEntries(given.filter(([key, text]) => before[key] !== text));
  const bound = { ...before, register_id: before['register_id'] ?? sends, ...wished };
  if (Object.values(bound).every((one) => one === null)) return failed('nothing_bound');
  if (Object.keys(changes).length === 0) return done(bound);
  const by = args['by'] ?? session.by;
  const set = await run('meter.update', { meter, ...changes, by });
  if (!set.ok) return failedBy(set);
  const applied = await run('config.apply', { by });
  if (!applied.ok) return failedBy(applied);
  const { takes_effect } = applied.data as { takes_effect: string };
  return done({ ...bound, takes_effect });
};

const POLLS_S = 120;
const POLLS_MAX_S = 600;
const POLL_PAUSE_MS = 2_000;
/** A wire that loses more than one answer in twenty is mended first. */
const SUCCESS_MIN = 0.95;

/** `polls` {seconds?}: the meter is read again and again, as often as its device allows. */
const polls: StepDoer = async (session, { seconds = POLLS_S }, parts) => {
  const { wire, run } = parts;
  const meter = session.meter ?? '';
  if (typeof seconds !== 'number' || !(seconds >= 1 && seconds <= POLLS_MAX_S)) {
    return failed('bad_request', { message: `seconds is 1 to ${POLLS_MAX_S}.` });
  }
  const began = wire.monotonicMs();
  const polled = await pollFor(meter, seconds * 1000, parts);
  if ('refusal' in polled) return failedBy(polled.refusal);
  const { seen } = polled;
  const share = seen.asked === 0 ? 0 : seen.ok / seen.asked;
  const success = Math.round(share * 1000) / 10;
  const took = Math.round((wire.monotonicMs() - began) / 1000);
  const places = { asked: seen.asked, ok: seen.ok, success };
  const result = { ...seen, success, seconds: took, ...(await timesOf(session, run)), places };
  if (seen.asked === 0) return failed('busy', result);
  return share >= SUCCESS_MIN
    ? done(result)
    : failed(seen.ok === 0 ? 'no_answer' : 'polls_lost', result);
};

/** What came of the reads of so many milliseconds of the wire, of one at least; or why none can be made. */
async function pollFor(meter: string, ms: number, { wire, run }: StepParts) {
  const began = wire.monotonicMs();
  const isOver = () => wire.monotonicMs() - began >= ms;
  const isPatient = () => wire.monotonicMs() - began < PATIENCE_MS;
  const seen = { asked: 0, ok: 0, faults: {} as Record<string, number> };
  while (!isOver() || (seen.asked === 0 && isPatient())) {
    const answer = await run('read', { meter, within_s: 20 });
    if (answer.ok || answer.code === 'no_answer') seen.asked += 1;
    if (answer.ok) seen.ok += 1;
    else if (answer.code === 'no_answer') count(seen.faults, faultIn(answer.message));
    else if (answer.code !== 'busy') return { refusal: answer };
    if (!isOver()) await wire.sleep(POLL_PAUSE_MS);
  }
  return { seen };
}

const count = (counts: Record<string, number>, key: string) => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** The fault's code in the words of `read`. */
const faultIn = (message: string) => /: ([a-z]+\.?[a-z_]*) \(/.exec(message)?.[1] ?? 'other';

async function timesOf({ meter, bus }: Session, run: StepParts['run']) {
  const answer = await run('bus.stats', { bus });
  const none = { p50_ms: null, p95_ms: null };
  if (!answer.ok) return none;
  const [stats] = (answer.data as { buses: readonly { meters: readonly MeterTimes[] }[] }).buses;
  const found = stats?.meters.find((one) => one.meter === meter);
  return found ? { p50_ms: found.p50_ms, p95_ms: found.p95_ms } : none;
}

interface MeterTimes {
  readonly meter: string;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

/** An event of the test is waited for so long, in milliseconds of the wire. */
const ACK_MS = 60_000;
const LOOK_MS = 250;

/** `upstream`: an event of the test goes up, and is waited for until who is to have it says so. */
const upstream: StepDoer = async (session, args, { run, journal, wire, clock }) => {
  const before = await run('queue.status', {});
  if (!before.ok) return failedBy(before);
  const { connected, link } = before.data as QueueTold;
  if (!connected) return failed('not_connected', { connected, link, places: { link } });
  const by = String(args['by'] ?? session.by);
  const data = { id: session.id, name: 'commission.test', by, meter: session.meter, code: 'ok' };
  journal.note({ code: 'command.executed', severity: 'info', data });
  const row = journal.lastRow();
  const written = await journal.flush();
  if (!written.ok) return failed('internal', { message: written.fault.detail });
  const published = isoTime(clock.now());
  const until = wire.monotonicMs() + ACK_MS;
  let told = before.data as QueueTold;
  while (told.row_state !== 'settled' && wire.monotonicMs() < until) {
    await wire.sleep(LOOK_MS);
    const now = await run('queue.status', { row });
    if (!now.ok) return failedBy(now);
    told = now.data as QueueTold;
  }
  const isAwaited = told.awaiting_ack !== null;
  const who = { settled: isAwaited ? 'head-end' : 'broker', with_broker: 'broker', pending: null };
  const by_ = who[told.row_state ?? 'pending'];
  const result = {
    connected: told.connected,
    link,
    row,
    published_at: published,
    acknowledged_by: by_,
  };
  if (by_ === null) return failed('not_published', { ...result, refused_why: told.refused_why });
  return isAwaited && by_ !== 'head-end' ? failed('not_acknowledged', result) : done(result);
};

interface QueueTold {
  readonly connected: boolean;
  readonly link: string;
  readonly awaiting_ack: number | null;
  readonly refused_why: string;
  readonly row_state?: 'pending' | 'with_broker' | 'settled';
}

/** All steps but the last, which closes the session. */
export const DOERS: Readonly<Record<Exclude<StepName, 'finish'>, StepDoer>> = {
  ...{ port, device, reads, dial, resolution, tap, bind, polls, upstream },
};
