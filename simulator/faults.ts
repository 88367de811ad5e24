// What goes wrong in a simulated street, and when: silent meters, unplugged buses, and every oddity of a register.

/** Simulated hours since the world's start; `to` is when it is whole again, Infinity for never. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** An oddity of one meter. */
export type Oddity = Span & { readonly meter: string } & (
    | {
        /**
         * `silent` answers nothing; `unreadable` has a wheel between two digits; `frozen` has a dial that stands still
         * and goes on from there, the water meanwhile uncounted.
         */
        readonly kind: 'silent' | 'unreadable' | 'frozen';
      }
    /** The dial shows `by` counts more, or less. */
    | { readonly kind: 'shifted'; readonly by: number }
    /** The dial counts `perHour` backwards an hour, whatever water is drawn, and goes on from there. */
    | { readonly kind: 'reverse'; readonly perHour: number }
    /** Another encoder answers in place of this one; for `shared` by turns with it. */
    | { readonly kind: 'stranger' | 'shared'; readonly id: string }
    /** This share of the answers is damaged on the wire. */
    | { readonly kind: 'damaged'; readonly share: number }
    /** Another meter with a dial of its own stands at this place and measures its water. */
    | { readonly kind: 'swapped'; readonly id: string; readonly digits: number }
  );

export type FaultPlan = Oddity | (Span & { readonly kind: 'unplug'; readonly bus: string });

const FORM =
  /^([a-z]+):([A-Za-z0-9_-]{1,40})@(\d+(?:\.\d+)?)h(?:-(\d+(?:\.\d+)?)h)?(?:=([A-Za-z0-9+./-]{1,40}))?$/;

/** These may last for ever; a plug or a silence that never ends would be no fault but another street. */
const ENDLESS = ['shifted', 'stranger', 'shared', 'damaged', 'swapped', 'frozen', 'unreadable'];

/** Widest shift and fastest reverse run that stay whole numbers on every dial. */
const COUNTS_MAX = 1e9;

/**
 * Reads `KIND:METER@FROMh-TOh[=VALUE]` or `unplug:BUS@FROMh-TOh`; undefined when it is neither. Without `-TOh` an oddity
 * other than silence and reverse flow stays.
 */
export function parseFault(text: string): FaultPlan | undefined {
  const [, kind = '', what = '', fromText, toText, argument] = FORM.exec(text) ?? [];
  if (toText === undefined && !ENDLESS.includes(kind)) return undefined;
  const from = Number(fromText);
  const to = toText === undefined ? Number.POSITIVE_INFINITY : Number(toText);
  if (!(from < to)) return undefined;
  if (kind === 'unplug') return argument === undefined ? { kind, bus: what, from, to } : undefined;
  const told = Object.hasOwn(VALUES, kind) ? VALUES[kind]?.(argument) : undefined;
  return told && ({ kind, meter: what, from, to, ...told } as Oddity);
}

/** What each kind makes of the value behind `=`; undefined where it does not fit. */
const VALUES: Readonly<Record<string, (text: string | undefined) => object | undefined>> = {
  silent: nothing,
  unreadable: nothing,
  frozen: nothing,
  shifted: (text) => {
    const by = numberIn(text);
    return Number.isInteger(by) && by !== 0 && Math.abs(by) < COUNTS_MAX ? { by } : undefined;
  },
  reverse: (text) => {
    const perHour = numberIn(text);
    return perHour > 0 && perHour < COUNTS_MAX ? { perHour } : undefined;
  },
  damaged: (text) => {
    const share = numberIn(text);
    return share > 0 && share <= 1 ? { share } : undefined;
  },
  stranger: identification,
  shared: identification,
  swapped: (text = '') => {
    const [, digits, id] = /^([4-9])\/([A-Za-z0-9]{1,12})$/.exec(text) ?? [];
    return id === undefined ? undefined : { digits: Number(digits), id };
  },
};

function nothing(text: string | undefined): object | undefined {
  return text === undefined ? {} : undefined;
}

function numberIn(text: string | undefined): number {
  return /^[+-]?\d+(?:\.\d+)?$/.test(text ?? '') ? Number(text) : Number.NaN;
}

function identification(text = ''): object | undefined {
  return /^[A-Za-z0-9]{1,12}$/.test(text) ? { id: text } : undefined;
}

/** True while the plan is in force, `hours` simulated hours after the start. */
export function isDue(plan: FaultPlan, hours: number): boolean {
  return hours >= plan.from && hours < plan.to;
}
