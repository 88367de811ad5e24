// What the demo's screen shows at a moment: the street's dials beside what has arrived at the head-end.

import type { Stage } from './demo-stage.ts';
import { HOUR_MS, modulo } from './entries.ts';
import type { MeterRow, ScreenView } from './screen.ts';
import type { MeterTruth } from './truth.ts';

/** How many hours of each meter have arrived; a restated hour is one hour. */
export class Arrivals {
  readonly #starts = new Map<string, Set<number>>();

  add(meter: string, start: number): void {
    const starts = this.#starts.get(meter) ?? new Set();
    this.#starts.set(meter, starts.add(start));
  }

  of(meter: string): number {
    return this.#starts.get(meter)?.size ?? 0;
  }

  /** Whether no hour is missing from the meter's first up to `until`; it may have none yet that is due. */
  isWhole(meter: string, until: number, begin: number): boolean {
    const starts = this.#starts.get(meter) ?? new Set([begin]);
    const first = Math.min(...starts);
    return first + starts.size * HOUR_MS >= until;
  }

  all(): number {
    return [...this.#starts.values()].reduce((sum, starts) => sum + starts.size, 0);
  }
}

function rowOf(stage: Stage, arrivals: Arrivals, truth: MeterTruth, now: number): MeterRow {
  const { meter, digits, unit, pow10 } = truth;
  const last = stage.headEnd.latest(meter);
  const { register } = stage.world.registerAt(meter, now);
  const begun = stage.headEnd.installations().find((place) => place.meter === meter);
  const edge = last?.read ?? begun?.initialRead;
  return {
    meter,
    transport: stage.transports.get(truth.bus) ?? truth.bus,
    dial: { digits, unit, pow10 },
    register,
    sofar: edge === undefined ? undefined : modulo(register - edge, 10 ** digits),
    last,
    hours: arrivals.of(meter),
    note: truth.labels.join(', '),
  };
}

/** Makes the picture of this moment, with the given footer. */
export function viewOf(
  stage: Stage,
  arrivals: Arrivals,
  { speed, seed }: { readonly speed: number; readonly seed: number },
): (footer: string) => ScreenView {
  return (footer) => {
    const now = stage.world.now();
    return {
      now,
      speed,
      seed,
      broker: stage.broker(),
      collector: stage.headEnd.state(stage.collectorId) ?? 'starting',
      hours: arrivals.all(),
      rows: stage.world.truth.meters.map((truth) => rowOf(stage, arrivals, truth, now)),
      console: stage.console()?.link,
      footer,
    };
  };
}
