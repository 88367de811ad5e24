// `meter.show`: everything that is known of one meter, for who stands before it.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { detectable } from '../domain/leaks/detectable.ts';
import { openEvents } from './alarms.ts';
import { rulesTold } from './alerts.ts';
import type { Args } from './answer.ts';
import { meterSeen, type ToldBus } from './bus-stats.ts';
import { type Operating, placeOf } from './operations.ts';

/** What a running collector knows of a meter beside its journal. */
export interface MeterLive {
  /** Its entry in the settings, defaults filled in, in the keys of the file; null where it is in none. */
  readonly settings: object | null;
  /** Why it was not read last; null where it was. */
  readonly fault: object | null;
}

/** Answers `{ meter, installation, settings, last, commissioned, events_open, detectable, alerts, vacations, service, bus, fault, seen }`. */
export async function showMeter(
  journal: Journal,
  operating: Operating,
  live: {
    readonly meterLive?: ((meter: string) => MeterLive) | undefined;
    readonly buses?: readonly ToldBus[] | undefined;
  },
  args: Args,
): Promise<CommandAnswer> {
  const place = placeOf(journal, operating, args);
  if ('ok' in place) return place;
  const { meter } = place.target;
  const told = live.buses?.find(({ addresses }) => addresses.has(meter));
  const rules = rulesTold(journal, operating, place) as {
    readonly service?: string;
    readonly alerts?: { readonly vacation: object | null };
  };
  const { vacation = null, ...alerts } = rules.alerts ?? {};
  const { settings = null, fault = null } = live.meterLive?.(meter) ?? {};
  const isByHand = place.target.profile.transport === 'hand';
  return {
    ok: true,
    data: {
      ...{ meter, installation: installationOf(journal, meter), settings },
      last: lastOf(journal, meter),
      commissioned: commissionedOf(journal, meter),
      events_open: await openEvents(journal, meter),
      detectable: isByHand ? null : detectableOf(place.rules),
      ...{ alerts, vacations: vacation === null ? [] : [vacation], service: rules.service ?? null },
      ...{ bus: told?.bus ?? null, fault, seen: told ? meterSeen(told, meter) : null },
    },
  };
}

function installationOf(journal: Journal, meter: string): object | null {
  const facts = journal.facts(meter);
  if (!facts) return null;
  const { inst, dial, bodySerial, registerId, installed, initialRead } = facts;
  return {
    ...{ inst, ...dial, body_serial: bodySerial, register_id: registerId },
    since: installed === null ? null : isoTime(installed),
    initial_read: initialRead,
  };
}

/** When what stands there now was proved on site; null: never. */
function commissionedOf(journal: Journal, meter: string): object | null {
  const proved = journal.facts(meter)?.proved;
  return proved ? { ...proved, at: isoTime(proved.at) } : null;
}

function lastOf(journal: Journal, meter: string): object | null {
  const state = journal.installation(meter);
  if (!state?.last) return null;
  const isDoubted = state.suspect !== null || state.unconfirmed !== null;
  return {
    read: state.last.read,
    total: state.last.total,
    at: isoTime(state.last.at),
    q: isDoubted ? 'S' : state.maintenance ? 'T' : 'A',
    disabled: state.disabled,
  };
}

function detectableOf({ dial, pollMs }: Parameters<typeof rulesTold>[2]['rules']): object {
  const { perHour, unit, hours, perHourInADay } = detectable(dial, pollMs / 1000);
  return { rate_per_h: perHour, unit, after_h: hours, rate_per_h_in_a_day: perHourInADay };
}
