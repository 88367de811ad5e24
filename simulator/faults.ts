// What goes wrong in a simulated street, and when: silent meters and unplugged buses.

/** Times are simulated hours since the world's start; `to` is when it is whole again. */
export type FaultPlan =
  | { readonly kind: 'silent'; readonly meter: string; readonly from: number; readonly to: number }
  | { readonly kind: 'unplug'; readonly bus: string; readonly from: number; readonly to: number };

const FORM = /^(silent|unplug):([A-Za-z0-9_-]{1,40})@(\d+(?:\.\d+)?)h-(\d+(?:\.\d+)?)h$/;

/** Reads `silent:SP-00003@2h-5h` or `unplug:bus-1@6h-8h`; undefined when it is neither. */
export function parseFault(text: string): FaultPlan | undefined {
  const [, kind, what = '', fromText, toText] = FORM.exec(text) ?? [];
  const from = Number(fromText);
  const to = Number(toText);
  if (kind === undefined || !(from < to)) return undefined;
  return kind === 'silent'
    ? { kind, meter: what, from, to }
    : { kind: 'unplug', bus: what, from, to };
}

/** True while the plan is in force, `hours` simulated hours after the start. */
export function isDue(plan: FaultPlan, hours: number): boolean {
  return hours >= plan.from && hours < plan.to;
}
