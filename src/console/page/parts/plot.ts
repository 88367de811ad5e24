// Bars of water over time, drawn by uPlot, which is fetched when the first chart is shown.

import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** One bar. `soft`: not fully measured; null: nothing is known. */
export interface Bar {
  readonly at: number;
  readonly volume: number | null;
  readonly soft: boolean;
}

export interface Drawing {
  readonly unit: string;
  readonly lengthS: number;
  /** How a time and a volume are written. */
  readonly time: (at: number) => string;
  readonly number: (volume: number) => string;
}

const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draws into `at`; the answer takes it away. Rejects where the chart's code cannot be fetched. */
export async function drawBars(
  at: HTMLElement,
  bars: readonly Bar[],
  drawing: Drawing,
): Promise<() => void> {
  const { default: Plot } = await import('uplot');
  const times = bars.map((bar) => bar.at / 1000);
  const of = (soft: boolean) => bars.map((bar) => (bar.soft === soft ? bar.volume : null));
  const { bars: paths } = Plot.paths;
  const series = (name: string): uPlot.Series => ({
    ...{ stroke: colour(name), fill: colour(name), width: 0, points: { show: false } },
    ...(paths ? { paths: paths({ size: [0.8, 40], align: 1 }) } : {}),
  });
  const width = () => Math.max(240, at.clientWidth);
  const chart = new Plot(
    {
      // Half of the last time stands right of its tick.
      padding: [8, 48, 0, 0],
      ...{ width: width(), height: 220, cursor: { show: false }, legend: { show: false } },
      scales: {
        // One bar alone would else be drawn on an axis of years.
        x: { range: () => [times[0] ?? 0, (times.at(-1) ?? 0) + drawing.lengthS] },
        y: { range: (_, __, max) => [0, Math.max(max * 1.1, 0.1)] },
      },
      axes: axesOf(drawing),
      series: [{}, series('--bars'), series('--bars-soft')],
    },
    [times, of(false), of(true)],
    at,
  );
  const watcher = new ResizeObserver(() => chart.setSize({ width: width(), height: 220 }));
  watcher.observe(at);
  return () => {
    watcher.disconnect();
    chart.destroy();
  };
}

function axesOf({ time, number, unit }: Drawing): uPlot.Axis[] {
  const common = {
    stroke: colour('--soft'),
    font: '14px system-ui, sans-serif',
    grid: { stroke: colour('--ground'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  };
  return [
    { ...common, space: 110, values: (_, ticks) => ticks.map((tick) => time(tick * 1000)) },
    {
      ...{ ...common, size: 64, label: unit, labelFont: common.font, labelSize: 22 },
      values: (_, ticks) => ticks.map((tick) => number(tick)),
    },
  ];
}
