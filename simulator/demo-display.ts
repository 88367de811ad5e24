// What the demo shows while it runs: a screen in place, calm lines for a pipe, or JSON for a program.

import type { Entry, HourEntry } from './entries.ts';
import { HOUR_MS, iso } from './entries.ts';
import { Screen, type ScreenView } from './screen.ts';
import type { MeterTruth } from './truth.ts';
import { cubicFeet, gallonsText } from './volume.ts';

/** Lives from its making to `end`. */
export interface Display {
  /** An hour or gap arrived at the head-end. */
  arrived(entry: Entry): void;
  /** Time has passed. */
  refresh(): void;
  /** Something to say beside the figures. */
  say(text: string): void;
  end(): void;
}

type Print = (line: string) => void;

/** Calm enough to read, quick enough to see a dial move. */
export const REFRESH_MS = 250;

/** One JSON object for each hour and gap; what is said goes to standard error. */
export function jsonDisplay(print: Print): Display {
  return {
    arrived: (entry) => {
      const { meter, use } = entry;
      const event =
        entry.kind === 'hour'
          ? { type: 'hour', meter, start: iso(entry.start), use, q: entry.q }
          : { type: 'gap', meter, from: iso(entry.from), to: iso(entry.to), use, why: entry.why };
      print(JSON.stringify(event));
    },
    refresh: () => undefined,
    say: (text) => {
      process.stderr.write(`${text}\n`);
    },
    end: () => undefined,
  };
}

function hourLine(hours: readonly HourEntry[], start: number, meters: number): string {
  const qualities = new Map<string, number>();
  let feet = 0;
  for (const hour of hours) {
    feet += (hour.use === null ? 0 : cubicFeet(hour.use, hour)) ?? 0;
    qualities.set(hour.q, (qualities.get(hour.q) ?? 0) + 1);
  }
  const time = iso(start).slice(0, 16).replace('T', ' ');
  const told = [...qualities].sort().map(([q, count]) => `${q} ${count}`);
  const volume = `${feet.toFixed(1).padStart(9)} ft3`;
  const gallons = gallonsText(feet, { digits: 8, unit: 'ft3', pow10: 0 }).padStart(11);
  return `${time}  ${hours.length} of ${meters} meters  ${volume} ${gallons}  ${told.join(', ')}`;
}

/** A line for each simulated hour when all meters have told it, or when the next but one begins to come. */
export function plainDisplay(meters: readonly MeterTruth[], print: Print): Display {
  const open = new Map<number, HourEntry[]>();
  const flush = (start: number) => {
    print(hourLine(open.get(start) ?? [], start, meters.length));
    open.delete(start);
  };
  return {
    arrived: (entry) => {
      if (entry.kind === 'gap') {
        const { meter, from, to, use, why } = entry;
        print(`${meter}: gap (${why}) from ${iso(from)} to ${iso(to)}, ${use ?? 'no'} counts`);
        return;
      }
      const hours = open.get(entry.start) ?? [];
      hours.push(entry);
      open.set(entry.start, hours);
      const older = [...open.keys()].filter((start) => start <= entry.start - 2 * HOUR_MS);
      for (const start of older.sort((a, b) => a - b)) flush(start);
      if (hours.length === meters.length) flush(entry.start);
    },
    refresh: () => undefined,
    say: print,
    end: () => {
      for (const start of [...open.keys()].sort((a, b) => a - b)) flush(start);
    },
  };
}

/** The screen in place. `view` makes the picture; what is said stands in its footer. */
export function screenDisplay(
  view: (footer: string) => ScreenView,
  stream: NodeJS.WriteStream,
): Display {
  const screen = new Screen(stream);
  let footer = '';
  const draw = () => screen.draw(view(footer));
  return {
    arrived: () => undefined,
    refresh: draw,
    say: (text) => {
      footer = text;
      draw();
    },
    end: () => {
      footer = 'Ended.';
      draw();
      screen.end();
    },
  };
}
