// `report list` and `report get`: what was proved of meters, as it stands in the collector's journal.

import type { Command } from 'commander';
import type { CommandAnswer, Commands } from '../boundaries.ts';
import { ask, perform } from './ask.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk } from './parts.ts';
import { asTyped, fail, printable, sayJson, table } from './say.ts';

interface ListedReport {
  readonly id: string;
  readonly meter: string;
  readonly at: string;
  readonly by: string;
}

interface ReportText {
  readonly sha256: string;
  readonly text: string;
}

export function addReports(program: Command, desk: Desk): void {
  const reports = addGroup(program, desk, 'report', 'g_report');
  const all = addCommand(reports, desk, {
    ...{ spec: 'list [meter]', key: 'c_report_list', example: 'report list SP-1' },
  });
  withConfig(all, desk).action(async (meter, { config }) =>
    desk.done(await list(config, meter, desk)),
  );
  const one = addCommand(reports, desk, {
    ...{ spec: 'get <report>', key: 'c_report_get' },
    example: 'report get commission-COL-1-SP-1-2026-11-22 --out SP-1.html',
  });
  option(one, desk, '--out <file>', 'o_report_out');
  withConfig(one, desk).action(async (id, { config, out }) =>
    desk.done(await get({ file: config, id, out }, desk)),
  );
}

async function list(
  file: string,
  meter: string | undefined,
  { manner, io, parts }: Desk,
): Promise<number> {
  const args = meter === undefined ? {} : { meter };
  const question = { file, name: 'report.list', args, list: 'reports' };
  const answered = await ask(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { reports } = answered.data as { readonly reports: readonly ListedReport[] };
  if (manner.json) sayJson(io, answered.data);
  else if (reports.length === 0) io.out(`${manner.say('cli.reports_none')}\n`);
  else {
    const headings = ['at', 'meter', 'by', 'report'].map((name) => manner.say(`cli.h_${name}`));
    const rows = reports.map(({ id, meter: of, at, by }) => [at, of, by, id]);
    io.out(table(headings, rows, manner));
  }
  return EXIT.ok;
}

async function get(
  { file, id, out }: { readonly file: string; readonly id: string; readonly out?: string },
  desk: Desk,
): Promise<number> {
  const { manner, io, parts } = desk;
  const args = { id, format: formatOf(out), lang: manner.language };
  const answered = await perform({ file, name: 'report.get', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const { text } = answered.data as ReportText;
  if (out !== undefined) return writeReport(out, id, text, desk);
  // As it is: its SHA-256 is that of these bytes.
  io.out(text);
  return EXIT.ok;
}

/** A page to print where the file is called so. */
const formatOf = (file: string | undefined) => (file?.endsWith('.html') ? 'html' : 'json');

/** The report as that file wants it, or the refusal. */
export async function reportText(
  id: string,
  file: string | undefined,
  commands: Commands,
  lang: string,
): Promise<
  { readonly ok: true; readonly data: ReportText } | Extract<CommandAnswer, { ok: false }>
> {
  const answer = await commands.run('report.get', { id, format: formatOf(file), lang });
  return answer.ok ? { ok: true, data: answer.data as ReportText } : answer;
}

/** 0 when it stands there, or where no file is wanted. One that cannot be written is not lost: the collector has it. */
export async function writeReport(
  path: string | undefined,
  id: string,
  text: string,
  { manner, io, parts }: Desk,
): Promise<number> {
  if (path === undefined) return EXIT.ok;
  try {
    const file = await parts.createFile(path);
    await file.write(text);
    await file.close();
  } catch (cause) {
    const { code = 'internal', message } = cause as NodeJS.ErrnoException;
    const said = manner.hear(`The report was not written: ${message}.`);
    const hint = manner.say('cli.report_kept', { name: NAME, id: asTyped(id) });
    return fail(io, manner, { code, message: said, hint });
  }
  if (!manner.json) io.err(`${manner.say('cli.report_in', { file: printable(path) })}\n`);
  return EXIT.ok;
}
