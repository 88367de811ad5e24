// Whether the profiles asked for fit the buses on which their meters stand.

import { type Device, devices, framingOf } from './device.ts';
import { BUSES, layStreet, type ServicePoint } from './street.ts';

/** The first profile that cannot be served in a street of so many meters, in a plain sentence; undefined when all can. */
export function misfit(profiles: ReadonlyMap<string, string>, meters: number): string | undefined {
  if (profiles.size === 0) return undefined;
  for (const name of profiles.values()) {
    if (!devices().has(name))
      return `There is no profile ${name}: ${[...devices().keys()].join(', ')}.`;
  }
  const points = layStreet({ seed: 1, meters, start: 0, profiles });
  for (const meter of profiles.keys()) {
    if (!points.some((point) => point.truth.meter === meter)) return `no such meter: ${meter}`;
  }
  for (const { bus, type } of BUSES) {
    const here = points.filter((point) => point.truth.bus === bus);
    const transport = type.startsWith('line') ? 'line' : 'modbus';
    const foreign = here.find(({ device }) => device.transport !== transport);
    if (foreign) {
      const { meter, profile } = foreign.truth;
      return `${meter} is on ${bus}, which is ${type}; ${profile} speaks ${foreign.device.transport}.`;
    }
    const strange = mixed(here) ?? crowded(here);
    if (strange !== undefined) return strange;
  }
  return undefined;
}

/** One stream of bytes is cut in one way. */
function mixed(here: readonly ServicePoint[]): string | undefined {
  const [first] = here;
  const other = here.find(({ device }) => first && framingOf(device) !== framingOf(first.device));
  if (!first || !other) return undefined;
  const says = ({ truth, device }: ServicePoint): string =>
    `${truth.meter} (${truth.profile}) ends its frames by ${framingOf(device)}`;
  return `All meters of ${first.truth.bus} need one framing: ${says(first)}, ${says(other)}.`;
}

function channelOf(device: Device): number | undefined {
  return device.transport === 'line' && device.speaks_every_s !== undefined
    ? (device.channel ?? 1)
    : undefined;
}

/** A device that speaks by itself is alone on its line: each of its channels is one meter. */
function crowded(here: readonly ServicePoint[]): string | undefined {
  const seen = new Map<number, string>();
  for (const { device, truth } of here) {
    const channel = channelOf(device);
    if (channel === undefined) continue;
    const other = seen.get(channel);
    if (other !== undefined) {
      return `${other} and ${truth.meter} cannot both be channel ${channel} of the one device on ${truth.bus}.`;
    }
    seen.set(channel, truth.meter);
  }
  return undefined;
}
