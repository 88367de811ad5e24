// Numbers, volumes and times as people read them, in the language and unit they chose.

import { CUBIC_INCHES, type Dial, type VolumeUnit } from '../../domain/units.ts';
import { now } from './clock.ts';
import { keptWish, read } from './kept.ts';
import { region, say, t } from './words.ts';

/** Units that a person may want first; the others stand beside it as help. */
export const SHOWN_UNITS = ['ft3', 'gal', 'm3'] as const;
export type ShownUnit = (typeof SHOWN_UNITS)[number];
export const { wish: shownUnit, set: showUnit } = keptWish<ShownUnit>('unit', SHOWN_UNITS, 'ft3');

/** The unit that who signed in prefers, unless another was chosen in this browser. */
export function preferUnit(wanted: string | null | undefined): void {
  const one = SHOWN_UNITS.find((known) => known === wanted);
  if (one !== undefined && read('unit') === null) shownUnit.value = one;
}

export const ZONES = ['local', 'utc'] as const;
export const { wish: shownZone, set: showZone } = keptWish<(typeof ZONES)[number]>(
  ...(['zone', ZONES, 'local'] as const),
);

export function number(one: number, digits = 0): string {
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(region.value, form).format(one);
}

export const percent = (share: number): string =>
  new Intl.NumberFormat(region.value, { style: 'percent', maximumFractionDigits: 1 }).format(share);

/** As many decimals as say something of a volume of this size: below one unit two digits that are not zero. */
function rounded(volume: number): string {
  const size = Math.abs(volume);
  const form =
    size > 0 && size < 1
      ? { maximumSignificantDigits: 2 }
      : { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : 2 };
  return new Intl.NumberFormat(region.value, form).format(volume);
}

export const inUnit = (volume: number, from: VolumeUnit, to: VolumeUnit): number =>
  (volume * CUBIC_INCHES[from]) / CUBIC_INCHES[to];

/** A volume of `from` in `to`, rounded as people read it. `exact`: decimals where the unit is the dial's own. */
export function volumeIn(volume: number, from: VolumeUnit, to: VolumeUnit, exact?: number): string {
  const one = inUnit(volume, from, to);
  const text = from === to && exact !== undefined ? number(one, exact) : rounded(one);
  return `${text} ${say(`unit.${to}`)}`;
}

/** A volume as somebody typed it. */
export const amountSays = (one: { readonly amount: number; readonly unit: VolumeUnit }): string =>
  `${number(one.amount, Number.isInteger(one.amount) ? 0 : 2)} ${say(`unit.${one.unit}`)}`;

export const volumeOf = (counts: number, dial: Pick<Dial, 'pow10'>): number =>
  Number((counts * 10 ** dial.pow10).toPrecision(12));

/** The wished unit first, and the others as help. */
export function told(
  volume: number,
  unit: VolumeUnit,
  exact?: number,
): { readonly main: string; readonly help: string } {
  const others = SHOWN_UNITS.filter((one) => one !== shownUnit.value);
  return {
    main: volumeIn(volume, unit, shownUnit.value, exact),
    help: others.map((one) => volumeIn(volume, unit, one, exact)).join(' · '),
  };
}

/** A time in the collector's zone, or in UTC where that is wished. */
export function time(iso: string | number, zone?: string): string {
  return written(iso, { dateStyle: 'medium', timeStyle: 'short' }, zone);
}

/** A day of the place, as `2026-06-10`: no zone moves it. */
export function day(date: string): string {
  const form = { dateStyle: 'medium', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(region.value, form).format(new Date(`${date}T00:00:00Z`));
}

export const hour = (iso: string | number, zone?: string): string =>
  written(iso, { weekday: 'short', hour: 'numeric', minute: '2-digit' }, zone);

export const clockTime = (iso: string | number, zone?: string): string =>
  written(iso, { timeStyle: 'short' }, zone);

function written(
  iso: string | number,
  form: Intl.DateTimeFormatOptions,
  zone: string | undefined,
): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso);
  const timeZone = shownZone.value === 'utc' ? 'UTC' : (zone ?? civilZone.zone);
  const text = new Intl.DateTimeFormat(region.value, { ...form, timeZone }).format(at);
  return shownZone.value === 'utc' ? `${text} UTC` : text;
}

/** The zone whose days the meters live in; undefined is this device's own. */
export const civilZone: { zone: string | undefined } = { zone: undefined };

/** How long ago, in the largest unit that fits. `at` and `from` in milliseconds. */
export function ago(at: number, from = now()): string {
  const s = Math.max(0, Math.round((from - at) / 1000));
  const words = new Intl.RelativeTimeFormat(region.value, { numeric: 'auto' });
  if (s < 90) return words.format(-s, 'second');
  if (s < 5400) return words.format(-Math.round(s / 60), 'minute');
  return s < 129_600
    ? words.format(-Math.round(s / 3600), 'hour')
    : words.format(-Math.round(s / 86_400), 'day');
}

/** A length of time in words. */
export function lasting(s: number): string {
  if (s < 90) return t('seconds', { count: Math.round(s) });
  if (s < 5400) return t('minutes', { count: Math.round(s / 60) });
  return s < 172_800
    ? t('hours', { count: Math.round(s / 3600) })
    : t('days', { count: Math.round(s / 86_400) });
}

export function bytes(count: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  const step = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const form = { style: 'unit', unit: units[step] ?? 'byte', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(region.value, form).format(count / 1000 ** step);
}
