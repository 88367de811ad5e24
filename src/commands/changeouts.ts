// `changeout.*`: change-outs under way, kept in the journal, so that another phone goes on where one died in the pit.

import type { Clock, CommandAnswer, Journal } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { CHANGE_STEPS, type KeptChange } from '../domain/change-out.ts';
import { type Answerer, type Args, refused, unknownMeter } from './answer.ts';
import { written } from './operations.ts';

const TEXT_MAX = 80;
/** A meter has one; of places that were given up in the middle nobody speaks again. */
const KEPT_MAX = 200;

const CLOSED = refused('busy', 'The journal cannot be written now.', 'Try again.');

const nameOf = (meter: string) => `changeout/${meter}`;

/** The change-out under way at a place. Throws StoreLost. */
export const keptChange = async (journal: Journal, meter: string) =>
  (await journal.paper(nameOf(meter))) as KeptChange | undefined;

/** Keeps it on the medium and answers with `told`; undefined forgets it. */
async function keepChange(
  journal: Journal,
  meter: string,
  kept: KeptChange | undefined,
  told: object,
): Promise<CommandAnswer> {
  // A journal that is not sound would take nothing, and be good at the next flush.
  if (!journal.isSound()) return CLOSED;
  journal.keepPaper(nameOf(meter), kept);
  return written(journal, told);
}

/**
 * `changeout.list` answers {changeouts}; `changeout.keep` {meter, step, final?, by_encoder?, profile?, address?, register_id?} keeps
 * what is known and answers with it; `changeout.drop` {meter} forgets it, done or given up. The command `changeout` itself moves
 * what is kept on to the step `initial`.
 */
export function changeoutAnswerers({
  journal,
  clock,
}: {
  readonly journal: Journal;
  readonly clock: Clock;
}): Readonly<Record<string, Answerer>> {
  return {
    'changeout.list': async () => ({ ok: true, data: { changeouts: await all(journal) } }),
    'changeout.keep': (args) => keep(journal, clock, args),
    'changeout.drop': async (args) => {
      if (!journal.isSound()) return CLOSED;
      const facts = factsOf(journal, args);
      if ('ok' in facts) return facts;
      return keepChange(journal, facts.meter, undefined, { meter: facts.meter });
    },
  };
}

const all = async (journal: Journal) =>
  (await journal.papers('changeout')) as readonly KeptChange[];

async function keep(journal: Journal, clock: Clock, args: Args): Promise<CommandAnswer> {
  // A meter that cannot be found in a journal that is not open may well be in it.
  if (!journal.isSound()) return CLOSED;
  const facts = factsOf(journal, args);
  if ('ok' in facts) return facts;
  const { meter, inst } = facts;
  const step = CHANGE_STEPS.find((one) => one === args['step']);
  if (!step) return refused('bad_request', `step is one of ${CHANGE_STEPS.join(', ')}.`, '');
  const before = await keptChange(journal, meter);
  if (!before && (await all(journal)).length >= KEPT_MAX) {
    return refused('busy', `${KEPT_MAX} change-outs are under way.`, 'End or drop some of them.');
  }
  const text = (key: 'final' | 'profile' | 'address' | 'register_id') =>
    args[key] === undefined ? (before?.[key] ?? null) : textOf(args[key]);
  const kept: KeptChange = {
    ...{ meter, step, inst, by: textOf(args['by']) ?? before?.by ?? '' },
    began: before?.began ?? isoTime(clock.now()),
    final: text('final'),
    by_encoder:
      args['by_encoder'] === undefined
        ? (before?.by_encoder ?? false)
        : args['by_encoder'] === true,
    ...{ profile: text('profile'), address: text('address'), register_id: text('register_id') },
  };
  return keepChange(journal, meter, kept, kept);
}

function factsOf(
  journal: Journal,
  { meter }: Args,
): { readonly meter: string; readonly inst: number } | Extract<CommandAnswer, { ok: false }> {
  const facts = typeof meter === 'string' ? journal.facts(meter) : undefined;
  if (typeof meter === 'string' && facts) return { meter, inst: facts.inst };
  return unknownMeter(journal.meters(), meter);
}

function textOf(said: unknown): string | null {
  const text = typeof said === 'string' ? said.trim().slice(0, TEXT_MAX) : '';
  return text === '' ? null : text;
}
