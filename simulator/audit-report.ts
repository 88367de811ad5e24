// The audit as a person reads it, and the one JSON line a program reads.

import type { Audit, InstallationAudit, MeterAudit } from './audit.ts';
import { passes } from './audit.ts';

/** More findings than this help nobody; the rest are counted. */
const FINDINGS_SHOWN = 12;

const HEADINGS = ['meter', 'hours', 'A', 'P', 'M', 'gaps', 'truth', 'head-end'] as const;
const FAULT_HEADINGS = ['lost', 'invented', 'twice'] as const;

function cellsOf(part: MeterAudit): string[] {
  const { meter, hours, gaps, truth, head_end, lost, invented, duplicates, qualities } = part;
  const qs = ['A', 'P', 'M'].map((q) => qualities[q] ?? 0);
  return [meter, hours, ...qs, gaps, truth, head_end, lost, invented, duplicates].map(String);
}

/** A meter of one installation needs no further line; of several, each has its own counts. */
function installationRows({ per_installation }: Audit, meter: string): string[][] {
  const own = per_installation.filter((part) => part.meter === meter);
  return own.length < 2 ? [] : own.map(installationCells);
}

function installationCells(part: InstallationAudit): string[] {
  const { inst, truth, head_end, lost, invented, duplicates } = part;
  const counts = [truth, head_end, lost, invented, duplicates].map(String);
  return [`  installation ${inst}`, '', '', '', '', '', ...counts];
}

function total(audit: Audit): MeterAudit {
  const qualities: Record<string, number> = {};
  for (const part of audit.per_meter) {
    for (const [q, hours] of Object.entries(part.qualities)) {
      qualities[q] = (qualities[q] ?? 0) + hours;
    }
  }
  const gaps = audit.per_meter.reduce((sum, part) => sum + part.gaps, 0);
  return { ...audit, meter: 'all', gaps, qualities };
}

function counted(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}

/** The verdict in one sentence. */
export function verdict(audit: Audit): string {
  const { hours, lost, invented, duplicates, findings } = audit;
  if (!passes(audit)) {
    const wrong = `${counted(lost, 'count')} lost, ${invented} invented, ${duplicates} told twice`;
    return `The audit fails: ${wrong}, ${counted(findings.length, 'finding')}.`;
  }
  if (hours === 0) return 'Nothing to audit yet: no whole hour has ended.';
  return 'The audit passes: no count was lost, invented or told twice.';
}

/** A table with one line a meter, the findings, and the verdict. */
export function reportAudit(audit: Audit): string[] {
  const rows = [[...HEADINGS, ...FAULT_HEADINGS]] as string[][];
  for (const part of audit.per_meter) {
    rows.push(cellsOf(part), ...installationRows(audit, part.meter));
  }
  rows.push(cellsOf(total(audit)));
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths?.[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
  const pending =
    audit.pending === 0
      ? []
      : [`${counted(audit.pending, 'count')} wait for silent meters; a gap will tell of them.`];
  const swapped = audit.per_installation.filter(({ unaccounted }) => unaccounted > 0);
  const unaccounted = swapped.map(
    (part) =>
      `${part.meter}: ${counted(part.unaccounted, 'count')} passed unread where one meter took another's place (installation ${part.inst}).`,
  );
  const shown = audit.findings.slice(0, FINDINGS_SHOWN);
  const more = audit.findings.length - shown.length;
  return [
    `Audit of ${counted(audit.meters, 'meter')} and ${counted(audit.hours, 'hour')}; volumes in counts of each dial`,
    '',
    ...lines,
    '',
    ...pending,
    ...unaccounted,
    ...shown.map(({ meter, code, text }) => `${meter}: ${code}: ${text}`),
    ...(more > 0 ? [`... and ${counted(more, 'more finding')}`] : []),
    verdict(audit),
  ];
}

/** The audit's line for programs: these keys in counts, nothing else. */
export function auditLine(audit: Audit): string {
  const { type, meters, hours, truth, head_end, lost, invented, duplicates } = audit;
  return JSON.stringify({ type, meters, hours, truth, head_end, lost, invented, duplicates });
}
