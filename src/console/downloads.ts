// What is carried away: hours as CSV, the journal as a backup, reports, and a bundle for who helps from afar.

import { placeFor } from './acts.ts';
import { runCommand } from './commanding.ts';
import { LINES_AT_ONCE } from './limits.ts';
import type { Answering, Asked, CommandAnswer } from './parts.ts';
import { BROKEN, refusal, refuse, statusOf } from './refusals.ts';

type Lines = AsyncIterable<string> | Iterable<string>;

/** So many lines as one piece, or null at the end. */
async function nextPiece(
  source: AsyncIterator<string> | Iterator<string>,
): Promise<Uint8Array | null> {
  let text = '';
  for (let lines = 0; lines < LINES_AT_ONCE; lines += 1) {
    const next = await source.next();
    if (next.done === true) return text === '' ? null : new TextEncoder().encode(text);
    text += next.value;
  }
  return new TextEncoder().encode(text);
}

type Leave = () => void;

/** `give`, in one of the places that a person has for files: free again when the file was read or nobody reads it any more. */
const inPlace =
  (give: (asked: Asked, leave: Leave) => Promise<Response>): Answering =>
  async (asked) => {
    const leave = placeFor(asked.desk, asked.person?.name ?? '', 'files');
    if (leave instanceof Response) return leave;
    const answer = await give(asked, leave).catch((bug: unknown) => {
      leave();
      throw bug;
    });
    if (!answer.ok) leave();
    return answer;
  };

/** What a file is called, and of which type it is. */
type Named = readonly [name: string, type: string];

/** A file made of lines while it is read, never whole in memory. One that cannot be ended is broken off, so that nobody takes it for whole. */
async function file({ desk, caller }: Asked, [name, type]: Named, lines: Lines, leave: Leave) {
  const source =
    Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]();
  const broken = (error: unknown) =>
    desk.log.warn({ name, error: String(error) }, 'a file broke off');
  let piece: Uint8Array | null;
  try {
    piece = await nextPiece(source);
  } catch (error) {
    broken(error);
    return refuse(BROKEN);
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (piece === null) {
        leave();
        return controller.close();
      }
      controller.enqueue(piece);
      try {
        piece = await nextPiece(source);
      } catch (error) {
        broken(error);
        leave();
        caller.breakOff();
      }
    },
    async cancel() {
      leave();
      await source.return?.();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}"`,
    },
  });
}

const no = (answer: Extract<CommandAnswer, { ok: false }>) =>
  refuse(refusal(statusOf(answer.code), answer.code, answer.message, answer.hint));

const COLUMNS = [
  'meter',
  'inst',
  'kind',
  'from',
  'to',
  'q',
  'use',
  'read',
  'total',
  'flags',
] as const;

/** `GET /api/export.csv?meter=&from=&to=`: hours and gaps in counts, with the resolution of each installation. */
export const exportCsv = inPlace(async (asked, leave) => {
  const { desk, person, url } = asked;
  const { commands } = desk;
  const one = url.searchParams.get('meter');
  const span = Object.fromEntries(
    ['from', 'to'].flatMap((key) => {
      const at = url.searchParams.get(key);
      return at ? [[key, at]] : [];
    }),
  );
  const by = person?.name ?? '';
  const listed = one === null ? await allMeters((name) => commands.run(name, { by })) : [one];
  if ('ok' in listed) return no(listed);
  const meters = listed;
  const [first] = meters;
  if (first !== undefined) {
    const tried = await commands.run('intervals', { meter: first, ...span, by });
    if (!tried.ok) return no(tried);
  }
  async function* lines(): AsyncGenerator<string> {
    yield `${[...COLUMNS, 'unit', 'pow10', 'volume'].join(',')}\n`;
    for (const meter of meters) {
      const answer = await commands.run('intervals', { meter, ...span, by });
      if (!answer.ok) throw new Error(answer.message);
      yield* csvRows(meter, answer.data as Intervals);
    }
  }
  const name = `${desk.collector}-${one ?? 'all'}.csv`;
  return file(asked, [name, 'text/csv; charset=utf-8'], lines(), leave);
});

/** Those of the settings, and those that the journal still has hours of; the refusal where either cannot be told. */
async function allMeters(
  run: (name: string) => Promise<CommandAnswer>,
): Promise<string[] | Extract<CommandAnswer, { ok: false }>> {
  const names: string[] = [];
  for (const list of ['status', 'meter.list']) {
    const answer = await run(list);
    if (!answer.ok) return answer;
    names.push(...(answer.data as { meters: { meter: string }[] }).meters.map((one) => one.meter));
  }
  return [...new Set(names)];
}

type Cells = Readonly<Record<string, unknown>>;
interface Intervals {
  readonly installations: readonly (Cells & { inst: number; unit: string; pow10: number })[];
  readonly intervals: readonly Cells[];
  readonly gaps: readonly Cells[];
}

const HOUR_MS = 3_600_000;

function* csvRows(meter: string, { installations, intervals, gaps }: Intervals): Generator<string> {
  const dials = new Map(installations.map((one) => [one.inst, one]));
  const hours = intervals.map((hour) => {
    const to = new Date(Date.parse(String(hour['start'])) + HOUR_MS).toISOString();
    return { ...hour, kind: 'hour', from: hour['start'], to: to.replace('.000Z', 'Z') } as Cells;
  });
  const others = gaps.map((gap) => ({ ...gap, kind: `gap (${String(gap['why'])})` }) as Cells);
  const all = [...hours, ...others].sort((a, b) =>
    String(a['from']) < String(b['from']) ? -1 : 1,
  );
  for (const row of all) {
    const dial = dials.get(Number(row['inst']));
    const use = row['use'];
    const volume =
      dial && typeof use === 'number' ? Number((use * 10 ** dial.pow10).toPrecision(12)) : '';
    const cells = COLUMNS.map((key) => (key === 'meter' ? meter : row[key]));
    yield `${[...cells, dial?.unit, dial?.pow10, volume].map(cell).join(',')}\n`;
  }
}

/** Quoted where it must be (RFC 4180); what a table program would take for a formula is text (a quote before it). */
function cell(content: unknown): string {
  if (content === null || content === undefined) return '';
  const text = Array.isArray(content) ? content.join(' ') : String(content);
  const safe = typeof content === 'number' || !/^[=+\-@\t\r]/.test(text) ? text : `'${text}`;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const backup = inPlace(async (asked, leave) => {
  const { desk, person, caller } = asked;
  const data = { name: 'backup', by: person?.name ?? '', from: caller.address, code: 'ok' };
  await desk.tell({ code: 'command.executed', severity: 'info', data });
  const named: Named = [`${desk.collector}.backup`, 'application/x-ndjson'];
  return file(asked, named, desk.backup(), leave);
});

/** What is asked for a bundle. None of it holds a secret: settings name the files of passwords and keys only. */
const BUNDLED: readonly (readonly [name: string, args: Readonly<Record<string, unknown>>])[] = [
  ['status', {}],
  ['bus.stats', {}],
  ['journal.stats', {}],
  ['queue.status', {}],
  ['doctor', {}],
  ['alarms', {}],
  ['events', {}],
  ['config.get', {}],
];

/** `GET /api/bundle`: one JSON document of what somebody who helps will ask for. */
export const bundle = inPlace(async (asked, leave) => {
  const { desk, person, caller } = asked;
  const by = person?.name ?? '';
  const data = { name: 'bundle', by, from: caller.address, code: 'ok' };
  await desk.tell({ code: 'command.executed', severity: 'info', data });
  async function* lines(): AsyncGenerator<string> {
    const head = { collector: desk.collector, version: desk.version };
    yield `{"bundle":${JSON.stringify(head)}`;
    for (const [name, args] of BUNDLED) {
      const answer = await runCommand(desk, { name: by }, name, args);
      yield `,\n${JSON.stringify(name)}:${JSON.stringify(answer.ok ? answer.data : answer)}`;
    }
    yield '}\n';
  }
  return file(asked, [`${desk.collector}-bundle.json`, 'application/json'], lines(), leave);
});

/** A report bears its own style and nothing that acts; it is shown as a stranger to the console's pages. */
const REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/** `GET /api/reports/ID.html?lang=` and `.json`. */
export async function report({ desk, person, params, url }: Asked): Promise<Response> {
  const [, id, format] =
    /^([A-Za-z0-9][A-Za-z0-9._-]{0,119})\.(html|json)$/.exec(params['file'] ?? '') ?? [];
  if (id === undefined || format === undefined) {
    return refuse(refusal(404, 'not_found', 'There is no such report.'));
  }
  const lang = url.searchParams.get('lang') ?? 'en';
  const args = { id, format, lang };
  const answer = await runCommand(desk, { name: person?.name ?? '' }, 'report.get', args);
  if (!answer.ok) return no(answer);
  const { text } = answer.data as { text?: unknown };
  if (typeof text !== 'string') return refuse(BROKEN);
  const isPage = format === 'html';
  return new Response(text, {
    headers: {
      'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
      ...(isPage
        ? { 'content-security-policy': REPORT_POLICY }
        : { 'content-disposition': `attachment; filename="${id}.json"` }),
    },
  });
}
