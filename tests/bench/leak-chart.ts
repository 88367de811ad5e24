// The share of leaks found against the hours since they began, as an SVG for the documentation.

import type { TrialResult } from './leak-run.ts';
import type { Outcome, Score } from './leak-score.ts';
import { perYear } from './leak-score.ts';

const WIDTH = 860;
const HEIGHT = 460;
const LEFT = 60;
const RIGHT = 250;
const TOP = 50;
const BOTTOM = 50;
/** Hours marked on the logarithmic axis. */
const HOURS = [1, 3, 6, 12, 24, 72, 168, 336] as const;
/** Colours that most people tell apart, also in grey. */
const COLOURS = ['#0b5394', '#cc4125', '#6a994e', '#b45f06', '#674ea7'];

const x = (hours: number): number =>
  LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(hours)) / Math.log(336);
const y = (share: number): number => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;

function path(outcomes: readonly Outcome[]): string {
  const points: string[] = [];
  for (let step = 0; step <= 120; step++) {
    const hours = 336 ** (step / 120);
    const found = outcomes.filter(({ delay }) => delay <= hours).length;
    points.push(`${x(hours).toFixed(1)} ${y(found / outcomes.length).toFixed(1)}`);
  }
  return `M${points.join('L')}`;
}

function line(name: string, score: Score, at: number): string {
  const outcomes = score.outcomes.filter(({ gph }) => gph >= 0.25);
  const colour = COLOURS[at % COLOURS.length];
  const width = at === 0 ? 3 : 1.6;
  const label = `${name}: ${perYear(score.falseAlarms, score).toFixed(2)} false a year`;
  const top = TOP + 16 + at * 24;
  return [
    `<path d="${path(outcomes)}" fill="none" stroke="${colour}" stroke-width="${width}"/>`,
    `<path d="M${WIDTH - RIGHT + 12} ${top - 4}h22" stroke="${colour}" stroke-width="${width}"/>`,
    `<text x="${WIDTH - RIGHT + 40}" y="${top}">${label}</text>`,
  ].join('\n');
}

/** The chart of the leak watch beside the makers' rules on the same homes. */
export function chartOf({ watch, makers }: TrialResult): string {
  const all: [string, Score][] = [['leak watch', watch], ...makers];
  const grid = [
    ...HOURS.map(
      (hours) =>
        `<path d="M${x(hours).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}" stroke="#ddd"/>` +
        `<text x="${x(hours).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${hours} h</text>`,
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map(
      (share) =>
        `<path d="M${LEFT} ${y(share)}H${WIDTH - RIGHT}" stroke="#ddd"/>` +
        `<text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${100 * share} %</text>`,
    ),
  ];
  const homes = Math.round((watch.meterYears * 365) / 60);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" fill="#222">`,
    '<title>Leaks found by hours since they began, beside the rules of the makers</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="16">Leaks of 0.25 gal/h and more found, by hours since they began</text>`,
    `<text x="${LEFT}" y="42">${homes} simulated homes x 60 days, 15-minute polls, 0.1 ft3 a count</text>`,
    ...grid,
    ...all.map(([name, score], at) => line(name, score, at)),
    '</svg>',
  ].join('\n')}\n`;
}
