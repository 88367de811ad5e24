// Proves conservation over the whole journal: hours and gaps against the dial, and against every increment kept.

import type { Journal } from '../boundaries.ts';
import { isoTime } from '../codec/head-end-message.ts';
import { conserve, newest } from '../domain/conservation.ts';
import type { EntryRow, Increment } from '../domain/entry.ts';
import { StoreLost } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';

interface InstallationProof {
  readonly meter: string;
  readonly inst: number;
  readonly hours: number;
  readonly gaps: number;
  readonly sum: number;
  readonly total: number;
  /** Sum of the increments, which also holds what is not closed yet. */
  readonly increments: number;
  readonly ok: boolean;
  readonly problem: string | null;
}

/**
 * The proof for every installation, of every record's check sum and place, and how many rows there are, wait and were
 * acknowledged. `rest` is told of records as they are read. Never throws for damage: it is the verdict.
 */
export async function auditJournal(
  journal: Journal,
  rest: (records: number) => Promise<void> = () => Promise.resolve(),
): Promise<object> {
  const examined = await journal.examine(rest);
  const problems = examined.ok ? examined.value.problems : [examined.fault.detail];
  const meters: InstallationProof[] = [];
  for (const meter of journal.meters()) {
    try {
      meters.push(...(await auditStill(journal, meter)));
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      const inst = journal.facts(meter)?.inst ?? 0;
      const none = { hours: 0, gaps: 0, sum: 0, total: 0, increments: 0 };
      meters.push({ meter, inst, ...none, ok: false, problem: error.message });
    }
  }
  const pending = await journal.pending();
  return {
    ok: problems.length === 0 && meters.every((proof) => proof.ok),
    meters,
    rows: journal.lastRow(),
    pending: pending.rows,
    acknowledged: journal.lastRow() - pending.rows - (examined.ok ? examined.value.rowsGone : 0),
    records: examined.ok ? examined.value.records : null,
    problems: problems.slice(0, PROBLEMS_MAX),
    problem_count: problems.length,
  };
}

/** So many are told one by one. */
const PROBLEMS_MAX = 100;

/** A meter that is read while it is audited is audited again: memory runs ahead of the medium by a group. */
const TRIES_MAX = 5;

/** The verdict over what is durable and a state in memory that stood still meanwhile. */
async function auditStill(journal: Journal, meter: string): Promise<InstallationProof[]> {
  for (let tries = 1; ; tries += 1) {
    const before = journal.installation(meter);
    await journal.flush();
    const proofs = await auditMeter(journal, meter);
    if (journal.installation(meter) === before || tries === TRIES_MAX) return proofs;
  }
}

async function auditMeter(journal: Journal, meter: string): Promise<InstallationProof[]> {
  const rows = new Map<number, EntryRow[]>();
  for await (const row of journal.rowsOf(meter)) {
    const known = rows.get(row.inst);
    if (known) known.push(row);
    else rows.set(row.inst, [row]);
  }
  const chains = await chainsOf(journal, meter);
  const last = journal.facts(meter)?.inst ?? 0;
  return Array.from({ length: last }, (_, i) => i + 1).map((inst) =>
    proveInstallation(journal, meter, inst, rows.get(inst) ?? [], chains.get(inst)),
  );
}

/** Increments of one installation: their sum, and the first place where one does not begin where the last ended. */
interface Chain {
  sum: number;
  next: number;
  read: number;
  broken: string | null;
}

async function chainsOf(journal: Journal, meter: string): Promise<Map<number, Chain>> {
  const chains = new Map<number, Chain>();
  for (let inst = 1; inst <= (journal.facts(meter)?.inst ?? 0); inst += 1) {
    const point = journal.checkpoint(meter, inst);
    if (!point || point.read === null) continue;
    chains.set(inst, { sum: point.total, next: point.seq, read: point.read, broken: null });
  }
  for await (const step of journal.incrementsOf(meter)) {
    const chain = chains.get(step.inst) ?? newChain(step);
    if (step.seq !== chain.next) chain.broken ??= `increment ${chain.next} is missing`;
    if (step.fromRead !== chain.read) {
      chain.broken ??= `increment ${step.seq} does not begin where the one before ended`;
    }
    chain.sum += step.counts;
    chain.next = step.seq + 1;
    chain.read = step.toRead;
    chains.set(step.inst, chain);
  }
  return chains;
}

const newChain = ({ fromRead }: Increment): Chain => ({
  ...{ sum: 0, next: 0, read: fromRead, broken: null },
});

function proveInstallation(
  journal: Journal,
  meter: string,
  inst: number,
  rows: readonly EntryRow[],
  chain: Chain | undefined,
): InstallationProof {
  const facts = journal.factsOf(meter, inst);
  if (!facts) {
    const none = { hours: 0, gaps: 0, sum: 0, total: 0, increments: 0 };
    return { meter, inst, ...none, ok: false, problem: 'its facts are missing' };
  }
  const thinned = journal.checkpoint(meter, inst)?.use ?? 0;
  const proof = conserve(inst, rows, facts.initialRead ?? 0, facts.dial, thinned);
  const ended = inst < (journal.facts(meter)?.inst ?? 0);
  const state = ended ? 'ended' : journal.installation(meter);
  const problem =
    (proof.problem && `${proof.problem.violation} at ${isoTime(proof.problem.at)}`) ??
    chain?.broken ??
    openSum(proof.sum, chain?.sum ?? 0, state, rows);
  const { hours, gaps, sum, total } = proof;
  const increments = chain?.sum ?? 0;
  return { meter, inst, hours, gaps, sum, total, increments, ok: problem === null, problem };
}

/** What was published, plus what is measured and still open, must be the sum of the increments. */
function openSum(
  published: number,
  increments: number,
  state: ReturnType<Journal['installation']> | 'ended',
  rows: readonly EntryRow[],
): string | null {
  if (state === 'ended') {
    return published === increments ? null : `published ${published} of ${increments}`;
  }
  if (!state?.last || !state.hours) return null;
  if (state.last.total !== increments) {
    return `increments sum to ${increments}, the dial says ${state.last.total}`;
  }
  const { gap, ended, from } = state.hours;
  const unsent = ended && !ended.sent ? ended : null;
  const open = unsent ?? gap;
  const begun = (open?.from ?? from)?.total ?? 0;
  // What was told of a gap that is told again with more stands until then, and passed the dial after its beginning.
  const closed = published - (open ? toldOf(open.from.at, rows) : 0);
  return closed === begun ? null : `published ${closed}, closed on the dial ${begun}`;
}

/** What the newest revision of the gap that begins then tells; 0 where none was told, or it was withdrawn. */
function toldOf(from: EpochMs, rows: readonly EntryRow[]): number {
  const told = rows.filter((row) => row.kind === 'gap' && row.from === from);
  return newest(told)[0]?.use ?? 0;
}
