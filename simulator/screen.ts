// The demo's one calm screen: each meter's dial and hours, redrawn in place, the last one left standing.

import { styleText } from 'node:util';
import type { Dial } from './entries.ts';
import { dialText, gallonsText, volumeText } from './volume.ts';

/** One meter as the screen shows it; counts are of its own dial. */
export interface MeterRow {
  readonly meter: string;
  readonly transport: string;
  readonly dial: Dial;
  readonly register: number;
  /** Counts since the last published edge; undefined before the meter's first reading is known. */
  readonly sofar: number | undefined;
  /** The newest hour at the head-end. */
  readonly last:
    | { readonly start: number; readonly use: number | null; readonly q: string }
    | undefined;
  readonly hours: number;
  readonly note: string;
}

export interface ScreenView {
  /** Simulated epoch ms. */
  readonly now: number;
  readonly speed: number;
  readonly seed: number;
  readonly broker: string;
  readonly collector: string;
  readonly hours: number;
  readonly rows: readonly MeterRow[];
  /** Link to the collector's console, when it is there. */
  readonly console?: string | undefined;
  readonly footer: string;
}

export interface ScreenSize {
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
}

type Style = Parameters<typeof styleText>[0];
interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** From this width on there is room for gallons beside the cubic feet. */
const ROOMY = 96;
const FT3_WIDTH = 9;
const HEADER_LINES = 5;
const FOOTER_LINES = 2;

const QUALITY_STYLES: Readonly<Record<string, Style>> = { A: 'green', P: 'yellow', M: 'red' };

const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);

/** A line of cells cut to `width`, each cell styled only after it has been cut. */
function lineOf(cells: readonly Cell[], { width, colour }: ScreenSize): string {
  let room = width;
  let line = '';
  for (const { text, style } of cells) {
    const shown = text.slice(0, Math.max(0, room));
    room -= shown.length;
    line += colour && style !== undefined ? styleText(style, shown) : shown;
  }
  return line;
}

function useCells(counts: number | null | undefined, dial: Dial, roomy: boolean): Cell[] {
  const told = counts !== null && counts !== undefined;
  const cells = [{ text: (told ? volumeText(counts, dial) : '-').padStart(FT3_WIDTH) }];
  if (roomy) cells.push({ text: (told ? gallonsText(counts, dial) : '').padStart(FT3_WIDTH) });
  return cells;
}

function rowCells(row: MeterRow, roomy: boolean): Cell[] {
  const { last, dial } = row;
  const quality = last?.q ?? ' ';
  const style = QUALITY_STYLES[quality];
  return [
    { text: `${row.meter.padEnd(8)} ${row.transport.padEnd(10)} ` },
    { text: dialText(row.register, dial).padEnd(13), style: 'bold' },
    { text: ' ' },
    ...useCells(row.sofar, dial, roomy),
    { text: `  ${last === undefined ? '     ' : clock(last.start)} ` },
    ...useCells(last?.use, dial, false),
    { text: ' ' },
    style === undefined ? { text: quality } : { text: quality, style },
    { text: ` ${String(row.hours).padStart(5)}  ` },
    { text: row.note, style: 'dim' },
  ];
}

function headings(roomy: boolean): Cell[] {
  const sofar = 'this hour'.padStart(roomy ? 2 * FT3_WIDTH : FT3_WIDTH);
  const text = `meter    transport  dial          ${sofar}  last hour       q hours  note`;
  return [{ text, style: 'underline' }];
}

/**
 * The screen as lines, none wider than `width` - 1 (a full last column makes some terminals wrap) and no more
 * than `height` - 1 of them. Pure but for styleText. Meters for which there is no room are counted, not shown.
 */
export function drawScreen(view: ScreenView, size: ScreenSize): string[] {
  const inner = { ...size, width: size.width - 1 };
  const roomy = size.width >= ROOMY;
  const room = Math.max(1, size.height - HEADER_LINES - FOOTER_LINES - 2);
  const shown = view.rows.slice(0, view.rows.length > room ? room - 1 : room);
  const hidden = view.rows.length - shown.length;
  const time = new Date(view.now).toISOString().slice(0, 16).replace('T', ' ');
  const pace = `1 hour = ${Number((3600 / view.speed).toPrecision(2))} s`;
  const lines: Cell[][] = [
    [{ text: 'Water meter collector: a simulated street', style: 'bold' }],
    [{ text: `${time} UTC, ${view.speed} times as fast (${pace}), seed ${view.seed}` }],
    [{ text: `broker ${view.broker}, collector ${view.collector}, ${view.hours} hours received` }],
    view.console === undefined ? [] : [{ text: `console ${view.console}` }],
    headings(roomy),
    ...shown.map((row) => rowCells(row, roomy)),
  ];
  if (hidden > 0) lines.push([{ text: `... and ${hidden} more meters`, style: 'dim' }]);
  lines.push([], [{ text: view.footer, style: 'dim' }]);
  return lines.slice(0, Math.max(1, size.height - 1)).map((cells) => lineOf(cells, inner));
}

/** True when this stream can be redrawn: a terminal that is not a dumb one. */
export function canRedraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env['TERM'] !== 'dumb';
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[0J';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_ALL = '\x1b[2J\x1b[H';

/** A terminal drawn in place. Not the alternate screen: its last picture stays in the scrollback after `end`. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  #drawn = 0;
  #resized = false;
  readonly #onResize = (): void => {
    this.#resized = true;
  };

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on('resize', this.#onResize);
    stream.write(HIDE_CURSOR);
  }

  draw(view: ScreenView): void {
    const { columns = 80, rows = 24 } = this.#stream;
    const colour = (process.env['NO_COLOR'] ?? '') === '';
    const lines = drawScreen(view, { width: columns, height: rows, colour });
    // After a resize the old lines may have wrapped, so how far to go up is not known any more.
    const home = this.#resized ? CLEAR_ALL : this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : '';
    this.#resized = false;
    this.#drawn = lines.length;
    const body = lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('');
    this.#stream.write(`${home}${body}${CLEAR_BELOW}`);
  }

  /** Leaves the cursor below the last picture. Idempotent. */
  end(): void {
    this.#stream.off('resize', this.#onResize);
    this.#stream.write(SHOW_CURSOR);
  }
}
