// `doctor`: asks bus, upstream, time and disk how they are, and says what ails them with the next step.

import type { Clock, CommandAnswer, Journal, KeepLimits } from '../boundaries.ts';
import {
  AREAS,
  type Area,
  type Check,
  checkBus,
  checkDisk,
  checkTime,
  checkUpstream,
  type UpstreamFindings,
} from '../domain/doctor.ts';
import { StoreLost } from '../domain/fault.ts';
import { daysLeft } from '../domain/health.ts';
import { type EpochMs, HOUR_MS } from '../domain/units.ts';
import type { Language, Say } from '../domain/words.ts';
import { type Args, refused } from './answer.ts';
import { adviceFor, type ToldBus } from './bus-stats.ts';
import { linkProblem } from './commission-steps.ts';
import type { Queue } from './queue.ts';

export interface DoctorParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly wire: Clock;
  readonly buses: readonly ToldBus[];
  readonly limits: KeepLimits;
  /** What may be written to the disk in a day, in bytes. */
  readonly wearBudget: number;
  readonly url: string;
  /** How the sending goes; absent where no collector runs. */
  readonly queue?: (() => Queue) | undefined;
  /** Looks at the port of a bus from outside. */
  readonly lookAtPort?: ((bus: string) => Promise<PortSeen | null>) | undefined;
  /** One connection to the broker beside the collector's. */
  readonly tryUpstream?: (() => Promise<NonNullable<UpstreamFindings['trial']>>) | undefined;
  readonly expiries: () => Promise<UpstreamFindings['certificates']>;
  readonly sayIn: (language: Language) => Promise<Say>;
}

/** What is seen of a port from outside; `problem` names a cause. */
export interface PortSeen {
  readonly path: string;
  readonly problem: string | null;
  readonly detail: string;
}

/**
 * `doctor` {area?} answers {checks: [{area, check, state, cause, places, says, next}]}, in their order. `cause` is a name that both
 * catalogues of words know; `says` and `next` are its English.
 */
export async function examine(parts: DoctorParts, { area }: Args): Promise<CommandAnswer> {
  const wanted = AREAS.filter((one) => area === undefined || area === one);
  if (wanted.length === 0) {
    return refused('bad_request', `area is one of ${AREAS.join(', ')}.`, '');
  }
  const found = await Promise.all(wanted.map((one) => CHECKS[one](parts)));
  const say = await parts.sayIn('en');
  const checks = found.flat().map((check) => ({ ...check, ...inEnglish(check, say) }));
  return { ok: true, data: { checks } };
}

function inEnglish({ cause, places, state }: Check, say: Say) {
  const key = `doctor.${cause}_next`;
  const next = say(key, places);
  return { says: say(`doctor.${cause}`, places), next: state === 'ok' || next === key ? '' : next };
}

const CHECKS: Readonly<Record<Area, (parts: DoctorParts) => Promise<readonly Check[]>>> = {
  bus: busChecks,
  upstream: upstreamChecks,
  time: timeChecks,
  disk: diskChecks,
};

async function busChecks({ buses, lookAtPort }: DoctorParts): Promise<readonly Check[]> {
  const all = await Promise.all(
    buses.map(async (told) => {
      const { bus, kind, conversation, addresses } = told;
      const { open, detail } = conversation.link();
      const own = open ? null : linkProblem(detail);
      const look = open || own === 'port_busy' ? null : await lookAtPort?.(bus);
      // The collector's user is who is to open it; a look from outside says more of what is wrong.
      const problem = look?.problem ?? own;
      return checkBus({
        ...{ bus, kind, open, problem, meters: addresses.size },
        ...{ path: look?.path ?? bus, detail: look?.detail || detail, advice: adviceFor(told) },
      });
    }),
  );
  return all.flat();
}

async function upstreamChecks(parts: DoctorParts): Promise<readonly Check[]> {
  const { journal, clock, wire, queue, url } = parts;
  const now = queue?.();
  const { rows, oldest } = await journal.pending();
  const unsaid = now?.unsaid ?? { count: 0, detail: '' };
  const isRefused = (now?.refused ?? 0) + unsaid.count > 0;
  const trial = isRefused ? null : ((await parts.tryUpstream?.()) ?? null);
  const certificates = await parts.expiries();
  // Certificates go by the system's time, hours by the schedule's.
  const age = oldest === null ? null : wire.now() - (clock.now() - oldest);
  return checkUpstream({
    ...{ url, connected: now?.connected ?? false, link: now?.detail ?? '' },
    ...{ refusedRows: now?.refused ?? 0, refusedWhy: now?.refusedWhy ?? '', unsaid, trial },
    ...{ pending: rows, oldest: age, awaitingAck: now?.awaitingAck ?? null },
    ...{ certificates, now: wire.now() },
  });
}

async function timeChecks({ journal, clock, wire }: DoctorParts): Promise<readonly Check[]> {
  const readAt = journal.meters().flatMap((meter) => journal.installation(meter)?.last?.at ?? []);
  return checkTime({
    ...{ wall: wire.now(), schedule: clock.now(), speed: clock.speed, synced: clock.synced() },
    newest: readAt.length === 0 ? null : Math.max(...readAt),
  });
}

const WEEK_MS = 7 * 24 * HOUR_MS;

async function diskChecks(parts: DoctorParts): Promise<readonly Check[]> {
  const { journal, clock, limits, wearBudget } = parts;
  const figures = journal.isSound() ? await journal.figures() : null;
  const known = figures?.ok ? figures.value : null;
  const held = known?.oldestHour == null ? 0 : (clock.now() - known.oldestHour) / (24 * HOUR_MS);
  const room = { bytes: known?.bytes ?? null, freeBytes: known?.freeBytes ?? null };
  return checkDisk({
    ...{ isSound: known !== null, freeBytes: room.freeBytes, minFreeBytes: limits.minFreeBytes },
    ...{ daysLeft: daysLeft(room, held, limits), wornToday: known?.wornToday ?? null, wearBudget },
    ...(await damageSince(journal, clock.now() - WEEK_MS)),
  });
}

async function damageSince(journal: Journal, since: EpochMs) {
  const found = { lost: 0, repaired: 0 };
  try {
    for await (const { code, at } of journal.eventsOf('')) {
      if (at < since) continue;
      if (code === 'journal.loss') found.lost += 1;
      if (code === 'journal.repaired') found.repaired += 1;
    }
  } catch (error) {
    // That it cannot be read is told by the journal's own check.
    if (!(error instanceof StoreLost)) throw error;
  }
  return found;
}
