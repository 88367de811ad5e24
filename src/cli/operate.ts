// `events`, which tells what happened to a meter, and `reading`, by which a person judges or adds a reading.

import type { Command } from 'commander';
import { ALARM_CODES, type Severity } from '../domain/alarms.ts';
import { ask, perform, type Question } from './ask.ts';
import { addCommand, addGroup, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { badSpan, instantOf } from './intervals.ts';
import type { Desk, Manner } from './parts.ts';
import { fail, sayJson, table } from './say.ts';

/** Does it and says so: JSON as the collector answers, or one sentence. */
export async function deed(
  question: Omit<Question, 'list'>,
  sentence: (data: Readonly<Record<string, unknown>>) => string,
  { manner, io, parts }: Desk,
): Promise<number> {
  const answered = await perform(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const data = answered.data as Readonly<Record<string, unknown>>;
  if (manner.json) sayJson(io, data);
  else io.out(`${sentence(data)}\n`);
  return EXIT.ok;
}

export interface EventAnswer {
  readonly meter?: string;
  readonly id: string;
  readonly code: string;
  readonly severity: string;
  readonly phase: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface EventsRequest {
  readonly config: string;
  readonly code?: string;
  readonly severity?: string;
  readonly from?: string;
  readonly to?: string;
  readonly open?: boolean;
  readonly last?: string;
}

export function addOperations(program: Command, desk: Desk): void {
  const told = addCommand(program, desk, {
    ...{ spec: 'events [meter]', key: 'c_events', example: 'events SP-1 --open' },
  });
  option(told, desk, '--code <list>', 'o_events_code');
  option(told, desk, '--severity <list>', 'o_events_severity');
  option(told, desk, '--from <time>', 'o_events_from');
  option(told, desk, '--to <time>', 'o_events_to');
  option(told, desk, '--open', 'o_events_open');
  option(told, desk, '--last <n>', 'o_events_last');
  withConfig(told, desk).action(async (meter, request: EventsRequest) =>
    desk.done(await events(meter, request, desk)),
  );
  addReadings(program, desk);
}

async function events(
  meter: string | undefined,
  request: EventsRequest,
  { manner, io, parts }: Desk,
): Promise<number> {
  const bad = badSpan(request, manner, io);
  if (bad !== null) return bad;
  const kinds = [
    ['code', request.code, ALARM_CODES, 'cli.bad_event_code'],
    ['severity', request.severity, SEVERITIES, 'cli.bad_severity'],
  ] as const;
  for (const [what, list, known, key] of kinds) {
    const wrong = listed(list).find((one) => !(known as readonly string[]).includes(one));
    if (wrong === undefined) continue;
    const message = manner.say(key, { what: wrong });
    const hint = manner.say('cli.there_are', { names: known.join(', ') });
    return fail(io, manner, { code: `usage.${what}`, message, hint }, EXIT.usage);
  }
  if (request.last !== undefined && !/^[1-9]\d{0,8}$/.test(request.last)) {
    const message = manner.say('cli.bad_last', { what: request.last });
    return fail(io, manner, { code: 'usage.last', message, hint: '' }, EXIT.usage);
  }
  const args = meter === undefined ? {} : { meter };
  const question = { file: request.config, name: 'events', args, list: 'events' };
  const answered = await ask(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const all = (answered.data as { events: EventAnswer[] }).events;
  const told = chosenEvents(all, request);
  if (manner.json) sayJson(io, { ...(answered.data as object), events: told });
  else if (told.length === 0) io.out(`${manner.say('cli.events_none')}\n`);
  else io.out(eventTable(told, manner));
  return EXIT.ok;
}

const SEVERITIES: readonly Severity[] = ['info', 'minor', 'major'];

const listed = (list: string | undefined) => list?.split(',').map((one) => one.trim()) ?? [];

/** Those that are asked for, in their order. */
function chosenEvents(all: readonly EventAnswer[], request: EventsRequest): EventAnswer[] {
  const { code, severity, from, to, open, last } = request;
  const among = (list: string | undefined, one: string) =>
    list === undefined || listed(list).includes(one);
  const newest = new Map(all.map((event) => [event.id, event.phase]));
  const [begin, end] = [from ?? '', to ?? ''].map((time) =>
    time === '' ? null : Date.parse(instantOf(time) ?? ''),
  );
  const told = all.filter((event) => {
    const at = Date.parse(event.at);
    const isIn = (begin == null || at >= begin) && (end == null || at < end);
    const stands = open !== true || newest.get(event.id) !== 'clear';
    return isIn && stands && among(code, event.code) && among(severity, event.severity);
  });
  return last === undefined ? told : told.slice(-Number(last));
}

function eventTable(told: readonly EventAnswer[], manner: Manner): string {
  const body = told.map(({ at, meter, code, phase, severity, data }) => {
    const evidence = Object.entries(data)
      .filter(([, value]) => value !== null)
      .map(
        ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
      );
    return [at, meter ?? '-', code, phase, severity, evidence.join(', ')];
  });
  const headings = ['at', 'meter', 'code', 'phase', 'severity', 'evidence'];
  return table(
    headings.map((name) => manner.say(`cli.h_${name}`)),
    body,
    manner,
  );
}

function addReadings(program: Command, desk: Desk): void {
  const { say } = desk.manner;
  const readings = addGroup(program, desk, 'reading', 'g_reading');
  const added = addCommand(readings, desk, {
    spec: 'add <meter> <dial>',
    key: 'c_reading_add',
    example: 'reading add SP-5 123456 --by ANA',
  });
  option(added, desk, '--by <name>', 'o_by_read');
  option(added, desk, '--force', 'o_force_read');
  withConfig(added, desk).action(async (meter, dial, { config: file, by, force }) => {
    const args = { meter, read: dial, by, force: force === true };
    const question = { file, name: 'reading.add', args };
    desk.done(await deed(question, () => say('cli.reading_added', { meter, dial }), desk));
  });
  for (const [verb, key] of [
    ['confirm', 'cli.reading_counts'],
    ['reject', 'cli.reading_out'],
  ] as const) {
    const command = addCommand(readings, desk, {
      spec: `${verb} <meter>`,
      key: `c_reading_${verb}`,
      example: `reading ${verb} SP-1`,
    });
    withConfig(command, desk).action(async (meter, { config: file }) => {
      const question = { file, name: `reading.${verb}`, args: { meter } };
      desk.done(await deed(question, () => say(key, { meter }), desk));
    });
  }
}
