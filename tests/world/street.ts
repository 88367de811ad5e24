// The street of a hostile world: places with meters of every kind, and how what stands there answers for the moment.

import { HOUR_MS } from '../../simulator/entries.ts';
import { Household } from '../../simulator/household.ts';
import type { MeterDial } from '../../simulator/meter.ts';
import { Random } from '../../simulator/random.ts';
import { CR_FRAMING } from '../../src/codec/framer.ts';
import type { Profile } from '../../src/domain/profile.ts';
import type { BusSettings, MeterSettings } from '../../src/settings/settings.ts';
import { lineProfile, modbusProfile } from '../fakes/profiles.ts';
import { Body } from './body.ts';

/** When every world begins. */
export const START = Date.UTC(2026, 5, 1);

export const FINE: MeterDial = { digits: 8, unit: 'ft3', pow10: -1 };
export const COARSE: MeterDial = { digits: 4, unit: 'ft3', pow10: 2 };

export type BusKind = 'line' | 'rtu' | 'mbap';

/** What goes wrong with the answers of one place; each number counts the faults that want it so. */
export interface Ills {
  silent: number;
  unreadable: number;
  /** Other digits than the dial has. */
  misshapen: number;
  /** Modbus: refuses with this exception. */
  exceptions: number;
  /** Answers after its time-out. */
  late: number;
  /** Another encoder answers, always or by turns. */
  strangers: number;
  shared: number;
}

export interface Place {
  settings: MeterSettings;
  readonly kind: BusKind;
  readonly bodies: Body[];
  readonly ills: Ills;
  /** Whose dial is wired to this place's address: itself, but for swapped cables. */
  wired: Place;
  strangersTurn: boolean;
  /** Two encoders answered here once: that is told for a day, and no swap beside it. */
  wasShared: boolean;
  /** Its cable was swapped once. */
  wasSwapped: boolean;
  /** It was never said to leak. */
  readonly leaks: boolean;
}

export const bodyOf = (place: Place): Body => place.bodies.at(-1) as Body;
export const meterOf = ({ settings }: Place): string => settings.meter;

const TYPES = ['line-serial', 'line-tcp', 'modbus-rtu', 'modbus-tcp'] as const;

/** Four buses, one of each kind. */
export function layBuses(): BusSettings[] {
  const serial = { path: '', baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const peer = { host: '', port: 1 };
  return TYPES.map((type, i) => ({
    ...{ bus: `bus-${i + 1}`, timeoutMs: 1_000, reopenMaxMs: 30_000 },
    ...(type === 'line-serial' || type === 'modbus-rtu' ? { type, serial } : { type, peer }),
  }));
}

export interface StreetOptions {
  readonly seed: number;
  readonly meters: number;
  readonly pollS: number;
  /** The part of the meters whose dial is near its end at the start. */
  readonly nearEnd: number;
}

export function layPlaces(options: StreetOptions): Place[] {
  return Array.from({ length: options.meters }, (_, i) => layPlace(i, options));
}

function layPlace(i: number, { seed, pollS, nearEnd }: StreetOptions): Place {
  const chance = new Random(`${seed}/place/${i}`);
  const type = TYPES[i % TYPES.length] as (typeof TYPES)[number];
  const isLine = type.startsWith('line');
  const kind = isLine ? 'line' : type === 'modbus-rtu' ? 'rtu' : 'mbap';
  const coarse = i % 6 === 5;
  const dial = coarse ? COARSE : FINE;
  const leaks = i % 8 === 0;
  const household = new Household({
    seed: `${seed}/${i}`,
    start: START - HOUR_MS,
    leakGalPerHour: leaks ? chance.between(2, 20) : 0,
    ...(coarse ? { homes: 12 } : {}),
  });
  const capacity = 10 ** dial.digits;
  const initial = chance.chance(nearEnd)
    ? capacity - chance.whole(1, coarse ? 20 : 2_000)
    : chance.whole(0.1 * capacity, 0.8 * capacity);
  const registerId = isLine ? String(10_000_000 + i) : null;
  const profile: Profile = isLine
    ? { ...lineProfile('ui1203', CR_FRAMING), request: '#{address}\r', dial }
    : modbusProfile(coarse ? { type: 'u16', order: 'AB' } : { type: 'u32', order: 'ABCD' }, {
        dial,
      });
  const place = {
    settings: {
      ...{ meter: `SP-${String(i + 1).padStart(5, '0')}`, bus: `bus-${(i % 4) + 1}` },
      ...{ profile, dial, address: String(Math.floor(i / 4) + 1) },
      ...(registerId === null ? {} : { registerId }),
      ...{ service: 'active', pollS, toleranceS: 15, maxFlowPerH: coarse ? 60 : 2_406 },
      ...{ jitter: 1, stuckDays: 10 },
    },
    ...{ kind, strangersTurn: false, wasShared: false, wasSwapped: false, leaks },
    bodies: [new Body(household, dial, initial, registerId)],
    ills: newIlls(),
  } as Omit<Place, 'wired'> & { wired?: Place };
  place.wired = place as Place;
  return place as Place;
}

const newIlls = (): Ills => ({
  ...{ silent: 0, unreadable: 0, misshapen: 0, exceptions: 0, late: 0, strangers: 0, shared: 0 },
});

/** Another meter out of its box is put in where one stood. */
export function putIn(place: Place, registerId: string | null, at: number): Body {
  const before = bodyOf(place);
  before.rejoinWater(at);
  before.removedAt = at;
  const { water, dial } = before;
  const passed = new Body(water, dial, 0, null).countAt(at);
  const body = new Body(water, dial, -passed, registerId);
  place.bodies.push(body);
  return body;
}
