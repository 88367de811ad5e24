// Which meters stand in the simulated street: homes, dials, identities and buses, all from the seed.

import { type Device, deviceNamed, idLength } from './device.ts';
import { Household, type HouseholdOptions } from './household.ts';
import { GALLONS, type MeterDial, SimulatedMeter } from './meter.ts';
import { Random } from './random.ts';
import type { MeterTruth } from './truth.ts';

export type BusType = 'line-serial' | 'line-tcp' | 'modbus-rtu' | 'modbus-rtu-tcp' | 'modbus-tcp';

/** The four buses of every street, one of each transport. */
export const BUSES: readonly { readonly bus: string; readonly type: BusType }[] = [
  { bus: 'bus-1', type: 'line-serial' },
  { bus: 'bus-2', type: 'line-tcp' },
  { bus: 'bus-3', type: 'modbus-rtu' },
  { bus: 'bus-4', type: 'modbus-tcp' },
];

/** The buses, with the RTU line reached through a server of serial lines where that is asked for. */
export function busesOf(rtuOverTcp: boolean): typeof BUSES {
  return BUSES.map(({ bus, type }) =>
    rtuOverTcp && type === 'modbus-rtu' ? { bus, type: 'modbus-rtu-tcp' } : { bus, type },
  );
}

/** Fewest meters that show everything: both dials on all four transports. */
export const METERS_MIN = 8;

/** Most meters: a Modbus bus has 247 addresses, and a street has four buses. */
export const METERS_MAX = 960;

/** One place with a meter. */
export interface ServicePoint {
  readonly truth: MeterTruth;
  readonly meter: SimulatedMeter;
  /** The water that passes here, whatever meter measures it. */
  readonly water: Household;
  /** How the meter is asked and answers. */
  readonly device: Device;
  /** The line's address and the Modbus unit: its device's position on its bus, from 1. */
  readonly unit: number;
  /** Which of its device's channels it is, from 1. */
  readonly channel: number;
  readonly size: string;
  /** Counts an hour that no water of this size can exceed. */
  readonly maxFlowPerH: number;
  readonly bodySerial: string;
}

/** How a place differs from a plain home with eight digits. */
interface Place {
  readonly label?: string;
  readonly fourDigits?: boolean;
  readonly size?: Size;
  readonly water?: Omit<HouseholdOptions, 'seed' | 'start'>;
}

/**
 * Counts of 0.1 ft3 an hour at 1.5 times the safe maximum of AWWA C700 and C710 (encoders.md 5.1): 20, 50, 160 gpm.
 */
const SIZES = { '5/8in': 2406, '1in': 6015, '2in': 19_250 } as const;
type Size = keyof typeof SIZES;

/** Counts of another dial that are as much as `counts` of 0.1 ft3, rounded up. */
function onDial(counts: number, { unit, pow10 }: MeterDial): number {
  const tenths = GALLONS.ft3 / 10;
  const exact = (counts * tenths) / (GALLONS[unit] * 10 ** pow10);
  // Powers of ten are not exact: 2406 must not become 2407.
  return Math.ceil(exact - 1e-6);
}

/** The first eight places are told; two and two share a bus: 1 and 5, 2 and 6, 3 and 7, 4 and 8. */
const FIRST_PLACES: readonly Place[] = [
  { water: { irrigation: false } },
  { label: 'leak', water: { leakGalPerHour: 3, irrigation: false } },
  { label: 'rollover', water: { people: 5, vacations: false, irrigation: false } },
  { label: 'irrigation', size: '1in', water: { irrigation: true } },
  { label: 'apartments', fourDigits: true, size: '2in', water: { homes: 60, irrigation: false } },
  { label: 'softener', water: { softener: true, irrigation: false } },
  { fourDigits: true, water: { irrigation: false } },
  { label: 'running toilet', water: { runningToiletPerDay: 0.2, irrigation: false } },
];

/** Further places: mostly homes, a few leaks, sprinklers and four-digit dials. */
function furtherPlace(random: Random): Place {
  const fourDigits = random.chance(0.2);
  const leakGalPerHour = random.between(0.5, 12);
  if (random.chance(0.1)) {
    return { label: 'leak', fourDigits, water: { leakGalPerHour, irrigation: false } };
  }
  if (random.chance(0.2)) {
    return { label: 'irrigation', fourDigits, size: '1in', water: { irrigation: true } };
  }
  return { fourDigits, water: { irrigation: false } };
}

/** Counts before the end of the dial at which the rollover meter starts: at most so many, and few enough for three hours. */
const ROLLOVER_LEAD = 36;
const ROLLOVER_WITHIN_MS = 3 * 3_600_000;

function initialCount(place: Place, random: Random, dial: MeterDial, water: Household): number {
  const drawn = random.whole(0, 0.9 * 10 ** dial.digits);
  if (place.label !== 'rollover') return drawn;
  const fresh = new SimulatedMeter({ household: water, dial, initial: 0 });
  const soon = fresh.countAt(water.start + ROLLOVER_WITHIN_MS);
  return 10 ** dial.digits - Math.max(2, Math.min(ROLLOVER_LEAD, soon));
}

function profileOf(type: BusType, fourDigits: boolean): string {
  const digits = fourDigits ? '4' : '8';
  return `generic-${digits}-digit-${type.startsWith('line') ? 'line' : 'modbus'}`;
}

/** The key of the place with that index, from 0. */
export function meterName(index: number): string {
  return `SP-${String(index + 1).padStart(5, '0')}`;
}

/** Eight digits that no other place of the street has. */
function registerId(random: Random, index: number): string {
  return random.digits(5) + String(index + 1).padStart(3, '0');
}

/** As long as the device sends it; null where it sends none. */
function idOf(device: Device, random: Random, index: number): string | null {
  const length = idLength(device);
  return length === 0 ? null : registerId(random, index).padStart(length, '0');
}

function servicePoint(index: number, { seed, start, profiles }: StreetPlan): ServicePoint {
  const random = new Random(`place ${seed} ${index}`);
  const place = FIRST_PLACES[index] ?? furtherPlace(random);
  const at = BUSES[index % BUSES.length] as (typeof BUSES)[number];
  const fourDigits = place.fourDigits ?? false;
  const meter = meterName(index);
  const device = deviceNamed(profiles?.get(meter) ?? profileOf(at.type, fourDigits));
  const { dial } = device;
  const water = new Household({ ...place.water, seed: `${seed} ${index}`, start });
  const size = place.size ?? '5/8in';
  const initial = initialCount(place, random, dial, water);
  return {
    truth: {
      meter,
      bus: at.bus,
      profile: device.profile,
      registerId: idOf(device, random, index),
      ...dial,
      initial,
      labels: place.label === undefined ? [] : [place.label],
    },
    meter: new SimulatedMeter({ household: water, dial, initial }),
    water,
    device,
    unit: Math.floor(index / BUSES.length) + 1,
    channel: 1,
    size,
    maxFlowPerH: onDial(SIZES[size], dial),
    bodySerial: random.digits(8),
  };
}

export interface StreetPlan {
  readonly seed: number;
  readonly meters: number;
  /** Simulated epoch ms. */
  readonly start: number;
  /** Names of device files by meter, for those that are not generic. */
  readonly profiles?: ReadonlyMap<string, string>;
}

/** Meters of one bus whose Modbus device has several channels share devices: each fills the channels of the one before. */
function shareDevices(points: readonly ServicePoint[]): ServicePoint[] {
  const filling = new Map<string, ServicePoint>();
  return points.map((point) => {
    const { device, truth } = point;
    if (device.transport !== 'modbus' || (device.channels ?? 1) === 1) return point;
    const key = `${truth.bus} ${device.profile}`;
    const before = filling.get(key);
    const isFull = before === undefined || before.channel === device.channels;
    const placed = isFull ? point : { ...point, unit: before.unit, channel: before.channel + 1 };
    filling.set(key, placed);
    return placed;
  });
}

/** The street of a seed: `meters` places spread over the four buses. Throws Error for a profile that is not there. */
export function layStreet(options: StreetPlan): ServicePoint[] {
  return shareDevices(
    Array.from({ length: options.meters }, (_, index) => servicePoint(index, options)),
  );
}
