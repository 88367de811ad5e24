// Which meters stand in the simulated street: homes, dials, identities and buses, all from the seed.

import { Household, type HouseholdOptions } from './household.ts';
import { type MeterDial, SimulatedMeter } from './meter.ts';
import { Random } from './random.ts';
import type { MeterTruth } from './truth.ts';

export type BusType = 'line-serial' | 'line-tcp' | 'modbus-rtu' | 'modbus-tcp';

/** The four buses of every street, one of each transport. */
export const BUSES: readonly { readonly bus: string; readonly type: BusType }[] = [
  { bus: 'bus-1', type: 'line-serial' },
  { bus: 'bus-2', type: 'line-tcp' },
  { bus: 'bus-3', type: 'modbus-rtu' },
  { bus: 'bus-4', type: 'modbus-tcp' },
];

/** Fewest meters that show everything: both dials on all four transports. */
export const METERS_MIN = 8;

/** Most meters: a Modbus bus has 247 addresses, and a street has four buses. */
export const METERS_MAX = 960;

/** One place with a meter. */
export interface ServicePoint {
  readonly truth: MeterTruth;
  readonly meter: SimulatedMeter;
  /** The position on its bus, from 1: the line's address and the Modbus unit. */
  readonly unit: number;
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

const EIGHT: MeterDial = { digits: 8, unit: 'ft3', pow10: -1 };
const FOUR: MeterDial = { digits: 4, unit: 'ft3', pow10: 2 };
/** One count of the four-digit dial is 1000 of the eight-digit one. */
const FOUR_IN_EIGHT = 1000;

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

function servicePoint(index: number, seed: number, start: number): ServicePoint {
  const random = new Random(`place ${seed} ${index}`);
  const place = FIRST_PLACES[index] ?? furtherPlace(random);
  const at = BUSES[index % BUSES.length] as (typeof BUSES)[number];
  const fourDigits = place.fourDigits ?? false;
  const dial = fourDigits ? FOUR : EIGHT;
  const water = new Household({ ...place.water, seed: `${seed} ${index}`, start });
  const size = place.size ?? '5/8in';
  const initial = initialCount(place, random, dial, water);
  return {
    truth: {
      meter: meterName(index),
      bus: at.bus,
      profile: profileOf(at.type, fourDigits),
      // A Modbus answer carries no identification; the fixed line form has room for exactly eight characters.
      registerId: at.type.startsWith('line') ? registerId(random, index) : null,
      ...dial,
      initial,
      labels: place.label === undefined ? [] : [place.label],
    },
    meter: new SimulatedMeter({ household: water, dial, initial }),
    unit: Math.floor(index / BUSES.length) + 1,
    size,
    maxFlowPerH: fourDigits ? Math.ceil(SIZES[size] / FOUR_IN_EIGHT) : SIZES[size],
    bodySerial: random.digits(8),
  };
}

/** The street of a seed: `meters` places spread over the four buses. Pure; `start` is simulated epoch ms. */
export function layStreet(options: {
  seed: number;
  meters: number;
  start: number;
}): ServicePoint[] {
  const { seed, meters, start } = options;
  return Array.from({ length: meters }, (_, index) => servicePoint(index, seed, start));
}
