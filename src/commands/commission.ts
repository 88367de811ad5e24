// `commission.*`: commissionings under way, kept in the journal step by step, one for a meter, taken up again after anything.

import type { CommandAnswer } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import {
  missingBefore,
  NEEDED,
  newSession,
  nextStep,
  type Session,
  STEPS,
  type Step,
  type StepName,
  sessionTold,
  stepOf,
  withStep,
} from '../domain/commission.ts';
import { type Answerer, type Args, refused } from './answer.ts';
import { failed, type StepOutcome, type StepParts } from './commission-step.ts';
import { DOERS, waitedFor } from './commission-steps.ts';
import { finish, type ReportParts } from './report.ts';

export interface CommissionParts extends StepParts, ReportParts {}

/** A step is waited for so long before it is told as running, in milliseconds of the wire: most are over by then. */
const WAIT_MS = 10_000;
/** Sessions that ended are kept so many: what they proved stands in their reports. */
const ENDED_MAX = 50;
const TEXT_MAX = 80;

/** Lives as long as the collector's process. */
export class Commissions {
  readonly #parts: CommissionParts;
  /** Steps under way, by session. */
  readonly #under = new Map<string, Promise<void>>();
  /** Changes of sessions, one after another: each is held against what the one before left. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(parts: CommissionParts) {
    this.#parts = parts;
  }

  /**
   * `commission.begin` {meter or bus, by}, `commission.get` {id}, `commission.list`, `commission.cancel` {id, by}, `commission.step` {id,
   * step, ...} and, for one that cannot be done, {id, step, skip: true, reason}. All answer with the session but `list`.
   */
  answerers(): Readonly<Record<string, Answerer>> {
    return {
      'commission.begin': (args) => this.#alone(() => this.#begin(args)),
      'commission.get': (args) => this.#alone(() => this.#get(args)),
      'commission.list': () => this.#alone(() => this.#list()),
      'commission.cancel': (args) => this.#alone(() => this.#cancel(args)),
      'commission.step': (args) => this.#step(args),
    };
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #begin(args: Args): Promise<CommandAnswer> {
    const by = textIn(args['by']);
    const { meter, bus } = args;
    if (by === null)
      return refused('bad_request', 'by is who does it.', 'It stands in the report.');
    if ((typeof meter === 'string') === (typeof bus === 'string')) {
      return refused('bad_request', 'Say which meter, or which bus for a new one.', '');
    }
    const where = await (typeof meter === 'string'
      ? this.#atMeter(meter)
      : this.#atBus(String(bus)));
    if ('ok' in where) return where;
    const sessions = await this.#sessions();
    const other = sessions.find(
      (one) => !one.ended && one.meter !== null && one.meter === where.meter,
    );
    if (other) return taken(other);
    const now = this.#parts.clock.now();
    const id = freeId(now, new Set(sessions.map((one) => one.id)));
    for (const old of sessions.filter(({ ended }) => ended).slice(0, -ENDED_MAX)) {
      this.#parts.journal.keepPaper(nameOf(old.id), undefined);
    }
    return this.#keep(newSession({ id, ...where, by, began: isoTime(now) }));
  }

  async #atMeter(meter: string): Promise<Pick<Session, 'meter' | 'bus'> | Refusal> {
    const shown = await this.#parts.run('meter.show', { meter });
    if (!shown.ok) return shown;
    const { bus } = shown.data as { bus: string | null };
    if (bus !== null) return { meter, bus };
    const hint = 'It is read by people: there is nothing to prove on a wire.';
    return { ok: false, code: 'conflict', message: `${meter} is on no bus.`, hint };
  }

  async #atBus(bus: string): Promise<Pick<Session, 'meter' | 'bus'> | Refusal> {
    const stats = await this.#parts.run('bus.stats', { bus });
    return stats.ok ? { meter: null, bus } : stats;
  }

  async #get({ id }: Args): Promise<CommandAnswer> {
    const session = await this.#known(id);
    return session ? { ok: true, data: sessionTold(session) } : unknown(id);
  }

  async #list(): Promise<CommandAnswer> {
    const sessions = await this.#sessions();
    return { ok: true, data: { sessions: sessions.map(sessionTold) } };
  }

  async #cancel({ id }: Args): Promise<CommandAnswer> {
    const session = await this.#known(id);
    if (!session) return unknown(id);
    if (session.ended) return over(session);
    const at = isoTime(this.#parts.clock.now());
    return this.#keep({ ...session, ended: { at, how: 'cancelled' } });
  }

  async #step(args: Args): Promise<CommandAnswer> {
    const begun = await this.#alone(() => this.#beginStep(args));
    if ('answer' in begun) return begun.answer;
    const waited = new AbortController();
    const wait = this.#parts.wire.sleep(WAIT_MS, waited.signal);
    await Promise.race([begun.job, wait]);
    waited.abort('over');
    return this.#alone(() => this.#get(args));
  }

  /** Everything that speaks against a step, then its beginning: the rest goes on by itself. */
  async #beginStep(args: Args): Promise<{ answer: CommandAnswer } | { job: Promise<void> }> {
    const session = await this.#known(args['id']);
    if (!session) return { answer: unknown(args['id']) };
    if (session.ended) return { answer: over(session) };
    const skips = args['skip'] !== undefined && args['skip'] !== false;
    const wished =
      args['step'] === 'skip' && typeof args['skip'] === 'string' ? args['skip'] : args['step'];
    const name = STEPS.find((one) => one === wished);
    if (!name) {
      return { answer: refused('bad_request', `step is one of ${STEPS.join(', ')}.`, '') };
    }
    const before = this.#under.get(session.id);
    const endsTap = name === 'tap' && args['action'] === 'end';
    if (before && !endsTap) {
      const hint = 'See how far it is: commission.get';
      return { answer: refused('busy', 'A step is under way.', hint) };
    }
    const missing = missingBefore(session, name);
    if (missing) {
      const hint = `Do it, or skip it with a reason: ${missing}`;
      return { answer: refused('conflict', `${missing} comes before ${name}.`, hint) };
    }
    if (skips) return { answer: await this.#skip(session, name, args['reason']) };
    const { id } = session;
    if (!endsTap) {
      const kept = await this.#keep(withStep(session, this.#now(name, 'running', null, session)));
      if (!kept.ok) return { answer: kept };
    }
    const job = (before ?? Promise.resolve())
      .then(() => this.#do(id, name, args))
      .finally(() => {
        if (this.#under.get(id) === job) this.#under.delete(id);
      });
    this.#under.set(id, job);
    return { job };
  }

  async #skip(session: Session, name: StepName, said: unknown): Promise<CommandAnswer> {
    const reason = textIn(said);
    if (NEEDED.includes(name)) {
      return refused('conflict', `Nothing can be proved without ${name}.`, 'It cannot be skipped.');
    }
    if (reason === null) {
      return refused('bad_request', 'reason is why it is skipped.', 'It stands in the report.');
    }
    return this.#keep(withStep(session, this.#now(name, 'skipped', { reason })));
  }

  #now(step: StepName, state: Step['state'], result: Step['result'], before?: Session): Step {
    // What was typed before is told in the report.
    const kept = before && step === 'dial' ? stepOf(before, step).result : result;
    return { step, state, at: isoTime(this.#parts.clock.now()), result: kept };
  }

  async #do(id: string, name: StepName, args: Args): Promise<void> {
    const session = await this.#read(id);
    if (!session) return;
    const outcome = await this.#attempt(session, name, args);
    await this.#alone(async () => {
      const now = await this.#read(id);
      // It was cancelled meanwhile.
      if (!now || now.ended) return;
      await this.#keep(await this.#after(now, name, outcome));
    });
  }

  async #attempt(session: Session, name: StepName, args: Args): Promise<StepOutcome> {
    try {
      if (name === 'finish') return await finish(session, args, this.#parts);
      return await DOERS[name](session, args, this.#parts);
    } catch (error) {
      return failed('internal', {
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }

  async #after(session: Session, name: StepName, outcome: StepOutcome): Promise<Session> {
    const { state, result, session: found = {}, isChange = false } = outcome;
    const other = found.meter ? await this.#openAt(found.meter, session.id) : undefined;
    const { result: why } = failed('conflict', { meter: found.meter, session: other?.id });
    const step = other ? this.#now(name, 'failed', why) : this.#now(name, state, result);
    const after = withStep(other ? session : { ...session, ...found }, step, isChange);
    if (name !== 'finish' || step.state !== 'done') return after;
    return { ...after, ended: { at: isoTime(this.#parts.clock.now()), how: 'finished' } };
  }

  async #openAt(meter: string, but: string): Promise<Session | undefined> {
    const sessions = await this.#sessions();
    return sessions.find((one) => one.id !== but && !one.ended && one.meter === meter);
  }

  async #read(id: unknown): Promise<Session | undefined> {
    if (typeof id !== 'string' || !ID.test(id)) return undefined;
    return (await this.#parts.journal.paper(nameOf(id))) as Session | undefined;
  }

  /** The session as it stands: what was under way when the collector ended is not any more. */
  async #known(id: unknown): Promise<Session | undefined> {
    const session = await this.#read(id);
    const running = session?.steps.find(({ state }) => state === 'running');
    if (!session || !running || session.ended || this.#under.has(session.id)) return session;
    const { step, result } = running;
    if (step === 'tap' && result?.['phase'] === 'open') return session;
    if (result?.['waits_until'] !== undefined) {
      const now = await waitedFor(session, step, this.#parts);
      if (!now) return session;
      const after = await this.#after(session, step, now);
      await this.#keep(after);
      return after;
    }
    const after = withStep(session, this.#now(step, 'failed', { ...result, code: 'interrupted' }));
    await this.#keep(after);
    return after;
  }

  async #sessions(): Promise<readonly Session[]> {
    const all = (await this.#parts.journal.papers('session')) as readonly Session[];
    return [...all].sort((a, b) =>
      a.began < b.began || (a.began === b.began && a.id < b.id) ? -1 : 1,
    );
  }

  /** Good only when it is on the medium. */
  async #keep(session: Session): Promise<CommandAnswer> {
    const { journal } = this.#parts;
    if (!journal.isSound())
      return refused('busy', 'The journal cannot be written now.', 'Try again.');
    journal.keepPaper(nameOf(session.id), session);
    const written = await journal.flush();
    if (written.ok) return { ok: true, data: sessionTold(session) };
    return refused('internal', `It could not be written: ${written.fault.detail}.`, 'Try again.');
  }
}

type Refusal = Extract<CommandAnswer, { ok: false }>;

const ID = /^C[0-9]{14}(?:-[0-9]{1,3})?$/;

const nameOf = (id: string) => `session/${id}`;

/** `C20261122T154500` without its letters, and a number where several begin in one second. */
function freeId(now: number, known: ReadonlySet<string>): string {
  const base = `C${new Date(now).toISOString().replace(/[-:T]/g, '').slice(0, 14)}`;
  let id = base;
  for (let n = 2; known.has(id); n += 1) id = `${base}-${n}`;
  return id;
}

function taken(other: Session): CommandAnswer {
  const message = `${other.meter} is being commissioned by ${other.by} since ${other.began}.`;
  const next = nextStep(other);
  const hint = `Take it up again (${other.id}${next ? `, next is ${next}` : ''}), or cancel it.`;
  return refused('conflict', message, hint);
}

function unknown(id: unknown): CommandAnswer {
  const hint = 'Those that there are: commission.list';
  return refused('bad_request', `There is no commissioning ${String(id)}.`, hint);
}

function over({ id, ended }: Session): CommandAnswer {
  return refused('conflict', `${id} was ${ended?.how} at ${ended?.at}.`, 'Begin another one.');
}

function textIn(said: unknown): string | null {
  const text = typeof said === 'string' ? said.trim().slice(0, TEXT_MAX) : '';
  return text === '' ? null : text;
}
