// `readings`: the readings of a meter that the journal kept, page by page, for a backtest over them.

import type { CommandAnswer, Journal } from '../boundaries.ts';
import { StoreLost } from '../domain/fault.ts';
import type { Dial, EpochMs } from '../domain/units.ts';
import { standing } from '../pipeline.ts';
import { type Args, refused } from './answer.ts';
import { type Operating, placeOf } from './operations.ts';

/** Increments in one answer: some 100 KB, and a few milliseconds between polls. */
const PAGE = 2_000;

/** Where the next page begins. */
interface Place {
  readonly inst: number;
  readonly seq: number;
}

/**
 * {meter, from, to (ms since 1970), next} answers {meter, poll_s, max_flow_per_h, installations: [{inst, dial, steps: [[from_at, from_read,
 * to_at, to_read]..]}], next}; `next` null ends it. Readings that found the dial as it was are not kept: between two steps it stood still.
 */
export async function readings(
  journal: Journal,
  operating: Operating,
  args: Args,
): Promise<CommandAnswer> {
  const place = placeOf(journal, operating, args);
  if ('ok' in place) return place;
  const { from = 0, to = Number.MAX_SAFE_INTEGER, next = { inst: 1, seq: 0 } } = args;
  if (typeof from !== 'number' || typeof to !== 'number' || !isPlace(next)) {
    return refused('bad_request', 'from and to are milliseconds since 1970.', '');
  }
  const { meter } = place.target;
  const { rules } = standing(place, journal);
  const found = new Map<number, { inst: number; dial: Dial; steps: number[][] }>();
  let seen = 0;
  let after: Place | null = null;
  try {
    for await (const step of journal.incrementsFrom(meter, next.inst, next.seq)) {
      if (step.fromAt >= to) break;
      seen += 1;
      const dial = journal.factsOf(meter, step.inst)?.dial;
      if (step.toAt >= from && dial) {
        const page = found.get(step.inst) ?? { inst: step.inst, dial, steps: [] };
        page.steps.push([step.fromAt, step.fromRead, step.toAt, step.toRead]);
        found.set(step.inst, page);
      }
      if (seen < PAGE) continue;
      after = { inst: step.inst, seq: step.seq + 1 };
      break;
    }
  } catch (error) {
    if (!(error instanceof StoreLost)) throw error;
    return refused('internal', error.message, 'Try again.');
  }
  const pollS = rules.pollMs / 1000;
  const installations = [...found.values()];
  const maxFlow = rules.maxFlowPerH;
  return {
    ok: true,
    data: { meter, poll_s: pollS, max_flow_per_h: maxFlow, installations, next: after },
  };
}

function isPlace(next: unknown): next is Place {
  const { inst, seq } = (next ?? {}) as { inst?: unknown; seq?: unknown };
  return isIndex(inst) && isIndex(seq);
}

const isIndex = (one: unknown): one is EpochMs => Number.isSafeInteger(one) && (one as number) >= 0;
