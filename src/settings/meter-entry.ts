// A meter's entry as a settings file would say it, with every default filled in.

import type { MeterSettings } from './settings.ts';

/** The keys and units of the settings file; what nobody stated is left out. */
export function meterEntry(meter: MeterSettings): object {
  const { registerId, bodySerial, servicePoint, route, size, bus, address } = meter;
  const stated = {
    ...{ bus: bus ?? undefined, profile: meter.profile.name },
    address: bus === null ? undefined : address,
    ...{ register_id: registerId, body_serial: bodySerial, service_point: servicePoint },
    ...{ route, size, service: meter.service, poll_s: meter.pollS },
    ...{ tolerance_s: meter.toleranceS, max_flow_per_h: meter.maxFlowPerH },
    ...{ jitter: meter.jitter, stuck_days: meter.stuckDays, dial: meter.dial },
  };
  const kept = Object.entries(stated).filter(([, one]) => one !== undefined);
  return { meter: meter.meter, ...Object.fromEntries(kept) };
}
