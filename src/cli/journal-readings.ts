// The readings of a collector's journal as the lines of a backtest, asked page by page of the collector or of its journal.

import type { CommandAnswer, Commands } from '../boundaries.ts';
import { layered } from '../domain/alert-rules.ts';
import { type BacktestRules, DEFAULT_RULES } from '../domain/backtest-rules.ts';
import type { Settings } from '../settings/settings.ts';
import type { Parts } from './parts.ts';

/** From inclusive, to exclusive, in milliseconds since 1970. */
export interface Span {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly meter?: string | undefined;
}

/** What `readings` answers. */
interface Page {
  readonly poll_s: number;
  readonly max_flow_per_h: number;
  readonly installations: readonly {
    readonly inst: number;
    readonly dial: { readonly digits: number; readonly unit: string; readonly pow10: number };
    readonly steps: readonly (readonly [number, number, number, number])[];
  }[];
  readonly next: object | null;
}

/** Why there are no more readings. */
export class NoReadings extends Error {
  readonly refusal: Extract<CommandAnswer, { ok: false }>;

  constructor(refusal: Extract<CommandAnswer, { ok: false }>) {
    super(refusal.message);
    this.name = 'NoReadings';
    this.refusal = refusal;
  }
}

/** Lines of one meter after the other. Throws NoReadings where the journal cannot be asked. */
export async function* journalReadings(
  settings: Settings,
  span: Span,
  parts: Parts,
): AsyncGenerator<string> {
  const all = settings.meters.flatMap(({ meter, bus }) => (bus === null ? [] : [meter]));
  const meters = span.meter === undefined ? all : [span.meter];
  const daemon = parts.daemon(settings.control);
  const asked = await daemon.run('ping', {});
  if (asked.ok || asked.code !== 'daemon.absent') {
    for (const meter of meters) yield* readingsOf(daemon, settings, meter, span);
    return;
  }
  const opened = await parts.openJournal(settings);
  if (!opened.ok) {
    const { code, detail } = opened.fault;
    const message = `The journal cannot be opened: ${detail}.`;
    throw new NoReadings({ ok: false, code, message, hint: '' });
  }
  try {
    for (const meter of meters) yield* readingsOf(opened.value, settings, meter, span);
  } finally {
    await opened.value.close();
  }
}

async function* readingsOf(
  commands: Commands,
  settings: Settings,
  meter: string,
  { from, to }: Span,
): AsyncGenerator<string> {
  const lines = new Lines(meter, settings.alerts?.timezone ?? null, from ?? 0, to ?? Infinity);
  let next: object | null = { inst: 1, seq: 0 };
  while (next !== null) {
    const args = { meter, next, ...(from === undefined ? {} : { from }), ...(to && { to }) };
    const answer: CommandAnswer = await commands.run('readings', args);
    if (!answer.ok) throw new NoReadings(answer);
    const page = answer.data as Page;
    for (const { inst, dial, steps } of page.installations) {
      yield lines.begin(inst, page, dial);
      for (const step of steps) yield lines.step(step);
    }
    ({ next } = page);
  }
}

/** The lines of one meter: what moved its dial, and between two movements the dial as every poll would have found it. */
class Lines {
  readonly #meter: string;
  readonly #timezone: string | null;
  readonly #from: number;
  readonly #to: number;
  #inst = 0;
  #pollMs = 0;
  #last: { readonly at: number; readonly read: number } | null = null;

  constructor(meter: string, timezone: string | null, from: number, to: number) {
    this.#meter = meter;
    this.#timezone = timezone;
    this.#from = from;
    this.#to = to;
  }

  /** The line of the meter, where it is another than before. */
  begin(
    inst: number,
    { poll_s, max_flow_per_h }: Page,
    dial: Page['installations'][number]['dial'],
  ): string {
    this.#pollMs = poll_s * 1000;
    if (inst === this.#inst) return '';
    this.#inst = inst;
    this.#last = null;
    const { digits, unit, pow10 } = dial;
    const zone = this.#timezone === null ? {} : { timezone: this.#timezone };
    const line = { type: 'meter', meter: this.#meter, digits, unit, pow10, poll_s, max_flow_per_h };
    return `${JSON.stringify({ ...line, ...zone })}\n`;
  }

  step([fromAt, fromRead, toAt, toRead]: readonly [number, number, number, number]): string {
    let text = '';
    const last = this.#last;
    if (last && last.read === fromRead) {
      for (let at = last.at + this.#pollMs; at < fromAt; at += this.#pollMs) {
        text += this.#line(at, fromRead);
      }
    }
    return text + this.#line(fromAt, fromRead) + this.#line(toAt, toRead);
  }

  #line(at: number, read: number): string {
    // After a clock that went back there may be readings that nobody can place.
    if (at < this.#from || at >= this.#to || (this.#last && at <= this.#last.at)) return '';
    this.#last = { at, read };
    const time = new Date(at).toISOString();
    return `{"type":"reading","meter":"${this.#meter}","at":"${time}","read":${read}}\n`;
  }
}

/** The rules by which the collector itself judges, as its settings say. */
export function ownRules({ alerts, meters }: Settings): BacktestRules {
  return {
    ...DEFAULT_RULES,
    timezone: alerts?.timezone ?? null,
    makers: alerts?.makers ?? [],
    makersOf: new Map(
      meters.flatMap(({ meter, alerts: own }) =>
        own?.makers ? [[meter, own.makers] as const] : [],
      ),
    ),
    meters: new Map(
      meters.map(({ meter, service, alerts: own }) => [
        meter,
        { ...layered([alerts?.usage, own?.usage]), service },
      ]),
    ),
  };
}
