// Settings in the page's terms: where meters stand, what is known of them, who watches them.

import { AlertRules } from './alerts/rules.ts';
import { PlaceWatches } from './alerts/watches.ts';
import type { Clock, Journal } from './boundaries.ts';
import type { MeterFacts } from './codec/head-end-message.ts';
import type { MeterRules } from './domain/advance.ts';
import { HOUR_MS } from './domain/units.ts';
import type { MeteredPlace } from './pipeline.ts';
import type { MeterSettings, Settings } from './settings/settings.ts';

/** A meter's settings in the page's terms. */
export function placeOf(meter: MeterSettings): MeteredPlace {
  const rules: MeterRules = {
    dial: meter.dial,
    maxFlowPerH: meter.maxFlowPerH,
    jitter: meter.jitter,
    toleranceMs: meter.toleranceS * 1000,
    pollMs: meter.pollS * 1000,
    stuckMs: meter.stuckDays * 24 * HOUR_MS,
  };
  const target = {
    meter: meter.meter,
    address: meter.address,
    profile: meter.profile,
    dial: meter.dial,
    ...(meter.registerId === undefined ? {} : { registerId: meter.registerId }),
  };
  return { target, rules };
}

/** A meter's facts with the service that a command may have changed. */
export function liveFacts(settings: MeterSettings, journal: Journal): MeterFacts {
  return {
    ...factsOf(settings),
    get service() {
      return journal.wishes(settings.meter)?.usage.service ?? settings.service;
    },
  };
}

function factsOf(meter: MeterSettings): MeterFacts {
  const { bodySerial, servicePoint, route, service, size, bus, address } = meter;
  const { pollS, toleranceS, maxFlowPerH } = meter;
  return {
    ...{ bodySerial, servicePoint, route, service, size, bus },
    address: bus === null ? null : address,
    ...{ pollS, toleranceS, maxFlowPerH, profile: meter.profile.name },
  };
}

/** The watches over leaks and use, by the settings' rules. */
export function watchesOf(settings: Settings, journal: Journal, clock: Clock): PlaceWatches {
  const meters = settings.meters.map(({ meter, service, alerts }) => {
    return [meter, { usage: {}, ...alerts, service }] as const;
  });
  const rules = new AlertRules(journal, settings.alerts, new Map(meters));
  return new PlaceWatches(journal, rules, () => clock.now());
}
