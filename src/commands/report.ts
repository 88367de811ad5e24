// `report.list`, `report.get`, and the last step of a commissioning: what was proved, by whom, under a hash.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { type ReportContent, reportPage } from '../codec/report-page.ts';
import { canonicalJson } from '../domain/canonical.ts';
import { type Session, stepOf } from '../domain/commission.ts';
import { LANGUAGES, type Language, type Say } from '../domain/words.ts';
import { type Answerer, type Args, refused } from './answer.ts';
import { done, failed, failedBy, type StepOutcome, type StepParts } from './commission-step.ts';

/** What reports are made with, and of which collector. */
export interface ReportParts extends Pick<StepParts, 'journal' | 'clock' | 'run'> {
  readonly collector: string;
  readonly utility: string;
  readonly version: string;
  readonly sha256: (text: string) => string;
  /** A text as a QR code, in SVG. */
  readonly qrSvg: (text: string) => string;
  readonly sayIn: (language: Language) => Promise<Say>;
}

interface Listed {
  readonly id: string;
  readonly meter: string;
  readonly at: string;
  readonly by: string;
  readonly sha256: string;
}

/** A utility's meters of many years fit; the oldest go first. */
const REPORTS_MAX = 1_000;

/**
 * `report.list` {meter?} answers {reports: [{id, meter, at, by, sha256}]}, the newest first; `report.get` {id, format: json | html, lang}
 * answers {id, sha256, text}. The JSON text is canonical: its SHA-256 is the report's.
 */
export function reportAnswerers(parts: ReportParts): Readonly<Record<string, Answerer>> {
  return {
    'report.list': (args) => listReports(parts.journal, args),
    'report.get': (args) => getReport(parts, args),
  };
}

async function listReports(journal: Journal, { meter }: Args): Promise<CommandAnswer> {
  const all = (await journal.papers('report')) as readonly Listed[];
  const wanted = all.filter((one) => meter === undefined || one.meter === meter);
  const reports = [...wanted].sort((a, b) => (a.at < b.at ? 1 : -1));
  return { ok: true, data: { reports } };
}

async function getReport(parts: ReportParts, args: Args): Promise<CommandAnswer> {
  const { id, format = 'json', lang = 'en' } = args;
  const isId = typeof id === 'string' && /^[A-Za-z0-9._-]{1,120}$/.test(id);
  const listed = isId
    ? ((await parts.journal.paper(`report/${id}`)) as Listed | undefined)
    : undefined;
  const text = isId ? await parts.journal.paper(`report-text/${id}`) : undefined;
  if (!listed || typeof text !== 'string') {
    return refused('bad_request', `There is no report ${String(id)}.`, 'See report.list.');
  }
  const { sha256 } = listed;
  if (format === 'json') return { ok: true, data: { id, sha256, text } };
  const language = LANGUAGES.find((one) => one === lang);
  if (format !== 'html' || !language) {
    return refused('bad_request', 'format is json or html, lang en or es.', '');
  }
  const say = await parts.sayIn(language);
  const content = JSON.parse(text) as ReportContent;
  const qr = parts.qrSvg(`${content.collector} ${sha256}`);
  return {
    ok: true,
    data: { id, sha256, text: reportPage(content, { sha256, qr, say, language }) },
  };
}

/** Writes the report, and with the meter that it was proved. */
export async function finish(
  session: Session,
  args: Args,
  parts: ReportParts,
): Promise<StepOutcome> {
  const { journal, clock, run } = parts;
  const meter = session.meter ?? '';
  const shown = await run('meter.show', { meter });
  if (!shown.ok) return failedBy(shown);
  const time = await run('time.get', {});
  const now = clock.now();
  const by = typeof args['by'] === 'string' && args['by'] !== '' ? args['by'] : session.by;
  const known = (await journal.papers('report')) as readonly Listed[];
  const id = freeName(`commission-${parts.collector}-${meter}-${isoTime(now).slice(0, 10)}`, known);
  const content = contentOf(session, parts, {
    ...{ id, at: isoTime(now), by, meter },
    ...{ shown: shown.data as Shown, time: time.ok ? time.data : null },
  });
  const text = canonicalJson(content);
  const sha256 = parts.sha256(text);
  const listed: Listed = { id, meter, at: content.at, by, sha256 };
  journal.keepPaper(`report/${id}`, listed);
  journal.keepPaper(`report-text/${id}`, text);
  const old = [...known].sort((a, b) => (a.at < b.at ? -1 : 1)).slice(0, -(REPORTS_MAX - 1));
  for (const one of old.length > 0 && known.length >= REPORTS_MAX ? old : []) {
    journal.keepPaper(`report/${one.id}`, undefined);
    journal.keepPaper(`report-text/${one.id}`, undefined);
  }
  const typed = stepOf(session, 'dial');
  if (typed.state === 'done') {
    journal.noteProved(meter, { at: now, by, dial: Number(typed.result?.['read']), report: id });
  }
  const data = {
    id: session.id,
    name: 'commission.finish',
    by,
    meter,
    report: id,
    sha256,
    code: 'ok',
  };
  journal.note({ code: 'command.executed', severity: 'info', data });
  const written = await journal.flush();
  if (!written.ok) return failed('internal', { message: written.fault.detail });
  return done({ report: id, sha256, at: content.at, by });
}

interface Shown {
  readonly installation: object | null;
  readonly settings: object | null;
}

function contentOf(
  session: Session,
  { collector, utility, version }: ReportParts,
  of: {
    readonly id: string;
    readonly at: string;
    readonly by: string;
    readonly meter: string;
    readonly shown: Shown;
    readonly time: unknown;
  },
): ReportContent {
  const { id, at, by, meter, shown, time } = of;
  // What the neighbours showed before a tap test is theirs.
  const steps = session.steps
    .filter(({ step }) => step !== 'finish')
    .map((one) => ({ ...one, result: plain(one.result) }));
  return {
    ...{ v: 1, type: 'commission', id, collector, utility, version, meter, bus: session.bus },
    ...{ by, began: session.began, at, clock: time, steps },
    installation: shown.installation as ReportContent['installation'],
    settings: shown.settings,
  };
}

function plain(result: Readonly<Record<string, unknown>> | null) {
  if (result === null) return null;
  const { before: _, places: __, ...rest } = result;
  return rest;
}

function freeName(base: string, known: readonly Listed[]): string {
  let name = base;
  for (let n = 2; known.some(({ id }) => id === name); n += 1) name = `${base}-${n}`;
  return name;
}
