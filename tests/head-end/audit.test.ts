// Shows that the audit passes a correct ledger and finds every planted fault with its exact number of counts.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Audit, type AuditOptions, audit, passes } from '../../simulator/audit.ts';
import { reportAudit } from '../../simulator/audit-report.ts';
import { type Entry, type GapEntry, HOUR_MS, type HourEntry } from '../../simulator/entries.ts';
import {
  type CorrectLedger,
  correctLedger,
  type Poll,
  START,
  type Water,
} from './correct-ledger.ts';

const read = (flow: number): Poll => ({ flow, fate: 'read' });
const silent = (flow: number): Poll => ({ flow, fate: 'silent' });
const torn = (flow: number): Poll => ({ flow, fate: 'torn' });
const repeat = (times: number, poll: Poll): Poll[] => Array.from({ length: times }, () => poll);

/** Ten hours; read all the time, five counts an hour. */
const steady: Water = {
  meter: 'SP-1',
  digits: 8,
  initial: 1_000,
  offset: 2,
  polls: Array.from({ length: 41 }, (_, index) => read(index % 4 === 0 ? 2 : 1)),
};
/** Silent from 03:15 to 06:15, with one torn answer, while 12 counts pass; its dial passes 9999. */
const cut: Water = {
  meter: 'SP-2',
  digits: 4,
  initial: 9_990,
  offset: 2,
  polls: [
    ...repeat(12, read(1)),
    ...repeat(5, silent(1)),
    torn(1),
    ...repeat(5, silent(1)),
    ...repeat(18, read(1)),
  ],
};

const ledger = correctLedger([steady, cut]);

function judge(entries: readonly Entry[], options: AuditOptions = {}, from = ledger): Audit {
  const { installations, until } = from;
  return audit(from.truth, entries, { installations, until, ...options });
}

const figures = ({ lost, invented, duplicates }: Audit) => ({ lost, invented, duplicates });
const codes = (result: Audit) => [...new Set(result.findings.map(({ code }) => code))].sort();

function hourAt(meter: string, hour: number): HourEntry {
  const found = ledger.entries.find(
    (entry) =>
      entry.kind === 'hour' && entry.meter === meter && entry.start === START + hour * HOUR_MS,
  );
  if (found?.kind !== 'hour') throw new Error(`no hour ${hour} of ${meter}`);
  return found;
}

function gapOf(meter: string): GapEntry {
  const found = ledger.entries.find((entry) => entry.kind === 'gap' && entry.meter === meter);
  if (found?.kind !== 'gap') throw new Error(`no gap of ${meter}`);
  return found;
}

const without = (gone: Entry): Entry[] => ledger.entries.filter((entry) => entry !== gone);
function altered<T extends Entry>(entry: T, change: Partial<T>): Entry[] {
  return ledger.entries.map((one) => (one === entry ? { ...entry, ...change } : one));
}
const useOf = (entry: Entry): number => entry.use ?? 0;

describe('the audit of a correct ledger', () => {
  test('a ledger with actual, partial and missing hours, a gap and a rollover passes', () => {
    const result = judge(ledger.entries);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
    expect(result.truth).toBe(result.head_end);
    expect(result.truth).toBeGreaterThan(80);
    expect(result.per_meter.map((part) => part.qualities)).toEqual([
      { P: 1, A: 9 },
      { P: 3, M: 2, A: 5 },
    ]);
    expect(result.per_meter[1]?.gaps).toBe(1);
  });

  test('a gap holds what passed while nothing was read', () => {
    expect(useOf(gapOf('SP-2'))).toBe(12);
  });

  test('a ledger whose meter infos never came is judged from its first hour', () => {
    expect(figures(judge(ledger.entries, { installations: [] }))).toEqual({
      lost: 0,
      invented: 0,
      duplicates: 0,
    });
  });

  test('a withdrawn gap carries no volume', () => {
    const withdrawn: Entry = { ...gapOf('SP-2'), from: START + 7 * HOUR_MS, use: null };
    expect(passes(judge([...ledger.entries, withdrawn]))).toBe(true);
  });

  test('the volume of a gap stays with it when an hour ends with the same reading', () => {
    const gap = gapOf('SP-2');
    const after = hourAt('SP-2', 6);
    const total = (after.total ?? 0) - useOf(after);
    const read = (after.read ?? 0) - useOf(after);
    const empty = { read, at: gap.to, total, use: 0, q: 'P' };
    const result = judge(altered(hourAt('SP-2', 5), empty));
    expect(figures(result)).toEqual({ lost: 0, invented: 0, duplicates: 0 });
  });

  test('hours that are not yet due are not lost', () => {
    const last = hourAt('SP-1', 9);
    const options = { until: ledger.until - HOUR_MS };
    expect(passes(judge(without(last), options))).toBe(true);
  });
});

describe('the audit of a planted fault', () => {
  const hour = hourAt('SP-1', 4);

  test('a count taken from an hour is one count lost', () => {
    const result = judge(altered(hour, { use: useOf(hour) - 1 }));
    expect(figures(result)).toEqual({ lost: 1, invented: 0, duplicates: 0 });
    expect(passes(result)).toBe(false);
  });

  test('a count added to an hour is one count invented', () => {
    const result = judge(altered(hour, { use: useOf(hour) + 1 }));
    expect(figures(result)).toEqual({ lost: 0, invented: 1, duplicates: 0 });
  });

  test('errors in opposite directions in two hours do not cancel', () => {
    const other = hourAt('SP-1', 6);
    const entries = altered(hour, { use: useOf(hour) - 1 }).map((entry) =>
      entry === other ? { ...other, use: useOf(other) + 1 } : entry,
    );
    expect(figures(judge(entries))).toEqual({ lost: 1, invented: 1, duplicates: 0 });
  });

  test('errors in opposite directions on two meters do not cancel', () => {
    const other = hourAt('SP-2', 8);
    const entries = altered(hour, { use: useOf(hour) - 3 }).map((entry) =>
      entry === other ? { ...other, use: useOf(other) + 3 } : entry,
    );
    expect(figures(judge(entries))).toEqual({ lost: 3, invented: 3, duplicates: 0 });
  });

  test('a count moved from a gap into the hour after it is lost there and invented here', () => {
    const gap = gapOf('SP-2');
    const after = hourAt('SP-2', 6);
    const entries = altered(gap, { use: useOf(gap) - 1 }).map((entry) =>
      entry === after ? { ...after, use: useOf(after) + 1 } : entry,
    );
    expect(figures(judge(entries))).toEqual({ lost: 1, invented: 1, duplicates: 0 });
  });

  test.each([0, 4, 9])('the water of a removed hour %i is lost', (index) => {
    const gone = hourAt('SP-1', index);
    const result = judge(without(gone));
    expect(useOf(gone)).toBeGreaterThan(0);
    expect(figures(result)).toEqual({ lost: useOf(gone), invented: 0, duplicates: 0 });
    expect(codes(result)).toContain('hour.missing');
  });

  test('an hour told twice is a duplicate and its water invented', () => {
    const result = judge([...ledger.entries, hour]);
    expect(figures(result)).toEqual({ lost: 0, invented: useOf(hour), duplicates: 1 });
  });

  test('an hour told again under a later start is a duplicate and its water invented', () => {
    const result = judge([...ledger.entries, { ...hour, start: START + 10 * HOUR_MS }]);
    expect(figures(result)).toEqual({ lost: 0, invented: useOf(hour), duplicates: 1 });
    expect(codes(result)).toContain('hour.misplaced');
  });

  test('an hour told again in the place of a missing one is a duplicate', () => {
    const before = hourAt('SP-2', 2);
    const missing = hourAt('SP-2', 4);
    const result = judge(altered(missing, { ...before, start: missing.start }));
    expect(figures(result)).toEqual({ lost: 0, invented: useOf(before), duplicates: 1 });
  });

  test('the water of a removed gap is lost', () => {
    const result = judge(without(gapOf('SP-2')));
    expect(figures(result)).toEqual({ lost: 12, invented: 0, duplicates: 0 });
    expect(codes(result)).toContain('gap.missing');
  });

  test('a gap told twice, under its own key or another, is invented', () => {
    const gap = gapOf('SP-2');
    const again = { lost: 0, invented: 12, duplicates: 1 };
    expect(figures(judge([...ledger.entries, gap]))).toEqual(again);
    const elsewhere = { ...gap, from: gap.from + HOUR_MS };
    expect(figures(judge([...ledger.entries, elsewhere]))).toEqual(again);
  });

  test('a gap of twice the volume is invented by so much', () => {
    const result = judge(altered(gapOf('SP-2'), { use: 24 }));
    expect(figures(result)).toEqual({ lost: 0, invented: 12, duplicates: 0 });
  });

  test('an hour whose read was never served is invented, and its water missed after it', () => {
    const result = judge(altered(hour, { read: 77_777 }));
    const use = useOf(hour);
    expect(figures(result)).toEqual({ lost: use, invented: use, duplicates: 0 });
    expect(codes(result)).toEqual(['read.unserved', 'total.incongruent']);
  });

  test('a register served at another time than the reading states is not believed', () => {
    const result = judge(altered(hour, { at: (hour.at ?? 0) + 300_000 }));
    expect(codes(result)).toContain('read.unserved');
    expect(result.invented).toBe(useOf(hour));
  });

  test('a total that does not follow from the uses is found, with no count lost', () => {
    const result = judge(altered(hour, { total: (hour.total ?? 0) + 1 }));
    expect(figures(result)).toEqual({ lost: 0, invented: 0, duplicates: 0 });
    expect(codes(result)).toEqual(['total.broken', 'total.incongruent']);
    expect(passes(result)).toBe(false);
  });

  test('water that waits for a silent meter is pending, neither lost nor told', () => {
    const polls = [...repeat(9, read(1)), ...repeat(12, torn(2))];
    const made = correctLedger([{ meter: 'SP-1', digits: 8, initial: 0, offset: 0, polls }]);
    const result = audit(made.truth, made.entries, made);
    expect(passes(result)).toBe(true);
    expect(result.pending).toBe(24);
    expect(result.truth).toBe(8);
  });

  test('a fraction of a count is found', () => {
    expect(codes(judge(altered(hour, { use: useOf(hour) + 0.5 })))).toContain('count.fractional');
  });

  test('a missing hour with a number, and a number missing from an actual hour, are found', () => {
    const missing = hourAt('SP-2', 4);
    expect(codes(judge(altered(missing, { use: 0 })))).toEqual(['numbers.wrong']);
    expect(codes(judge(altered(hour, { use: null })))).toContain('numbers.wrong');
  });

  test('I3: an hour that a person read may leave its volume to a gap, and owes its dial and total all the same', () => {
    const numbers = (change: Partial<HourEntry>) =>
      codes(judge(altered(hour, { q: 'H', ...change }))).includes('numbers.wrong');
    expect([numbers({}), numbers({ use: null })]).toEqual([false, false]);
    expect([numbers({ use: null, total: null }), numbers({ read: null })]).toEqual([true, true]);
  });

  test('a meter of which nothing was told is lost whole', () => {
    const entries = ledger.entries.filter(({ meter }) => meter !== 'SP-2');
    const told = ledger.entries.filter(({ meter }) => meter === 'SP-2');
    const lost = told.reduce((total, entry) => total + useOf(entry), 0);
    const result = judge(entries, { installations: [] });
    expect(figures(result)).toEqual({ lost, invented: 0, duplicates: 0 });
    expect(codes(result)).toContain('meter.absent');
  });

  test('a meter that does not exist is invented whole', () => {
    const result = judge([...ledger.entries, { ...hour, meter: 'SP-9' }]);
    expect(figures(result)).toEqual({ lost: 0, invented: useOf(hour), duplicates: 0 });
    expect(codes(result)).toEqual(['meter.unknown']);
  });

  test('two arrivals of one hour that differ are a duplicate', () => {
    const conflicts = [{ meter: 'SP-1', inst: 1, what: 'use 5 and 6' }];
    expect(figures(judge(ledger.entries, { conflicts })).duplicates).toBe(1);
  });

  test('a world in which no meter was ever read does not pass', () => {
    const dial = { digits: 8, unit: 'ft3', pow10: -1 };
    const truth = { meters: [{ meter: 'SP-1', ...dial }], served: () => [] };
    const result = audit(truth, [], { since: START, until: START + HOUR_MS });
    expect(codes(result)).toEqual(['meter.absent']);
    expect(passes(result)).toBe(false);
  });
});

const poll = fc.record({
  flow: fc.oneof(
    { weight: 6, arbitrary: fc.nat(9) },
    { weight: 1, arbitrary: fc.integer({ min: -3, max: 0 }) },
  ),
  fate: fc.oneof(
    { weight: 5, arbitrary: fc.constant('read' as const) },
    { weight: 1, arbitrary: fc.constantFrom('silent' as const, 'torn' as const) },
  ),
});
const outage = fc.array(
  fc.record({ flow: fc.nat(9), fate: fc.constantFrom('silent' as const, 'torn' as const) }),
  { minLength: 3, maxLength: 20 },
);
const polls = fc
  .array(fc.oneof({ weight: 6, arbitrary: fc.array(poll, { maxLength: 24 }) }, outage), {
    maxLength: 6,
  })
  // Begins with a good reading, for before it there is nothing to audit.
  .map((parts) => [{ flow: 0, fate: 'read' as const }, ...parts.flat()]);
const waters = fc
  .array(
    fc.record({
      digits: fc.constantFrom(4, 8),
      // Near the top of the dial, so that many roll over.
      below: fc.nat(60),
      offset: fc.nat(7),
      polls,
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((drawn) =>
    drawn.map(
      ({ digits, below, offset, polls }, index): Water => ({
        meter: `SP-${index + 1}`,
        digits,
        initial: 10 ** digits - 1 - below,
        offset,
        polls,
      }),
    ),
  )
  .map((drawn) => {
    // All end together, so that one edge of an hour is due for all.
    const end = Math.max(...drawn.map((water) => water.offset + water.polls.length));
    return drawn.map((water) => {
      const missing = end - water.offset - water.polls.length;
      return { ...water, polls: [...water.polls, ...repeat(missing, read(1))] };
    });
  });

type Alteration = (entries: readonly Entry[], pick: Entry) => readonly Entry[];
const exchange =
  (change: (entry: Entry) => Entry): Alteration =>
  (entries, pick) =>
    entries.map((entry) => (entry === pick ? change(entry) : entry));

/** Every way in which one entry of a kept ledger may be spoilt. */
const ALTERATIONS: Readonly<Record<string, Alteration>> = {
  'one count less': exchange((entry) => ({ ...entry, use: (entry.use ?? 0) - 1 })),
  'one count more': exchange((entry) => ({ ...entry, use: (entry.use ?? 0) + 1 })),
  'half a count': exchange((entry) => ({ ...entry, use: (entry.use ?? 0) + 0.5 })),
  removed: (entries, pick) => entries.filter((entry) => entry !== pick),
  'told twice': (entries, pick) => [...entries, pick],
  'moved by a day': exchange((entry) =>
    entry.kind === 'hour'
      ? { ...entry, start: entry.start + 24 * HOUR_MS }
      : { ...entry, from: entry.from - 24 * HOUR_MS },
  ),
  'of another dial': exchange((entry) => ({ ...entry, digits: entry.digits + 1 })),
  'of another resolution': exchange((entry) => ({ ...entry, pow10: entry.pow10 + 3 })),
  'in another unit': exchange((entry) => ({ ...entry, unit: 'gal' })),
  'of another meter': exchange((entry) => ({ ...entry, meter: 'SP-99' })),
  'another read': exchange((entry) =>
    entry.kind === 'hour' ? { ...entry, read: (entry.read ?? 0) + 1 } : { ...entry, use: 9_999 },
  ),
  'another total': exchange((entry) =>
    entry.kind === 'hour' ? { ...entry, total: (entry.total ?? 0) + 1 } : { ...entry, use: -1 },
  ),
};

/** A gap that no hour with numbers follows may as well not have come yet. */
function isFollowed({ entries }: CorrectLedger, pick: Entry): boolean {
  if (pick.kind === 'hour') return true;
  return entries.some(
    (entry) =>
      entry.kind === 'hour' &&
      entry.meter === pick.meter &&
      entry.at !== null &&
      entry.at > pick.to,
  );
}

function judged({ truth, installations, until }: CorrectLedger, entries: readonly Entry[]): Audit {
  return audit(truth, entries, { installations, until });
}

describe('any ledger', () => {
  test('passes when it is correct, whatever flowed and whenever the bus was down', () => {
    fc.assert(
      fc.property(waters, (drawn) => {
        const made = correctLedger(drawn);
        const result = judged(made, made.entries);
        expect(result.findings).toEqual([]);
        expect(figures(result)).toEqual({ lost: 0, invented: 0, duplicates: 0 });
        expect(result.truth).toBe(result.head_end);
      }),
      { numRuns: 300 },
    );
  });

  test('never passes with one entry spoilt, and the sums still balance', () => {
    let tried = 0;
    fc.assert(
      fc.property(
        waters,
        fc.constantFrom(...Object.keys(ALTERATIONS)),
        fc.nat(),
        (drawn, name, draw) => {
          const made = correctLedger(drawn);
          const pick = made.entries[draw % made.entries.length];
          if (pick === undefined || (name === 'removed' && !isFollowed(made, pick))) return;
          const result = judged(made, ALTERATIONS[name]?.(made.entries, pick) ?? []);
          tried += 1;
          expect(passes(result)).toBe(false);
          expect(result.head_end - result.truth).toBe(result.invented - result.lost);
        },
      ),
      { numRuns: 600 },
    );
    expect(tried).toBeGreaterThan(100);
  });
});

describe('a meter swapped for one of another dial', () => {
  /** A dial of four digits that is taken away after five hours, and one of eight that stands there from then on. */
  const MINUTE = 60_000;
  const SWAP = START + 5 * HOUR_MS + 7 * MINUTE;
  const old = { digits: 4, unit: 'ft3', pow10: 2 };
  const young = { digits: 8, unit: 'ft3', pow10: -1 };
  const quarters = (from: number, to: number) =>
    repeat(4 * (to - from) + 1, read(0)).map((_, i) => START + from * HOUR_MS + i * 15 * MINUTE);
  const swapped = (telling: { readonly answers?: number } = {}) => {
    const first = quarters(0, 5).map((at, i) => ({ at, register: 100 + i, count: 100 + i }));
    const later = quarters(6, 12).map((at, i) => ({ at, register: 40 * i, count: 40 * i }));
    const change = { at: SWAP, final: 121, initial: 0, registerId: 'B', ...young };
    // The change-out is told after so many answers of the new dial.
    const told = later[telling.answers ?? 4] ?? later[0];
    if (told === undefined) throw new Error('no answers');
    const hours = (inst: number, dial: typeof old, edges: readonly (typeof told)[]): HourEntry[] =>
      edges.slice(1).map((edge, i) => {
        const before = edges[i] ?? edge;
        const start = Math.floor((edge.at - 1) / HOUR_MS) * HOUR_MS;
        const use = edge.count - before.count;
        const total = edge.count - (edges[0]?.count ?? 0);
        const q = edge.at % HOUR_MS === 0 && before.at % HOUR_MS === 0 ? 'A' : 'P';
        const place = { kind: 'hour', meter: 'SP-1', inst, rev: 0, ...dial, start } as const;
        return { ...place, read: edge.register, at: edge.at, total, use, q };
      });
    const edges = first.filter(({ at }) => at % HOUR_MS === 0);
    const begins = [told, ...later.filter(({ at }) => at > told.at && at % HOUR_MS === 0)];
    const place = (inst: number, edge: typeof told, dial: typeof old) =>
      ({ meter: 'SP-1', inst, ...dial, initialRead: edge.register, installed: edge.at }) as const;
    const at = SWAP + 40 * MINUTE;
    const event = { meter: 'SP-1', inst: 1, phase: 'raise', at } as const;
    return {
      truth: {
        meters: [{ meter: 'SP-1', ...old }],
        served: (_: string, body = 1) => (body === 1 ? first : later),
        swaps: () => [change],
      },
      entries: [...hours(1, old, edges), ...hours(2, young, begins)],
      installations: [place(1, first[0] ?? told, old), place(2, told, young)],
      events: [{ ...event, code: 'meter.swap_suspected' }],
      until: START + 12 * HOUR_MS,
    };
  };

  test('passes, each installation on its own dial, and what nobody could count is said', () => {
    const made = swapped();
    const result = audit(made.truth, made.entries, made);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
    expect(result.per_installation).toMatchObject([
      // One count of the old dial passed between its last answer and its removal.
      { inst: 1, truth: 20, head_end: 20, unaccounted: 1 },
      { inst: 2, truth: 800, head_end: 800, unaccounted: 160 },
    ]);
    expect(reportAudit(result).join('\n')).toContain('160 counts passed unread');
  });

  test('a new dial that was counted by nobody and of which nobody was told is lost', () => {
    const made = swapped({ answers: 12 });
    const result = audit(made.truth, made.entries, { ...made, events: [] });
    expect(figures(result)).toEqual({ lost: 480, invented: 0, duplicates: 0 });
    expect(codes(result)).toEqual(['swap.untold']);
  });

  test('a suspicion of another meter, or before the swap, or cleared only, tells nothing of it', () => {
    const made = swapped({ answers: 12 });
    for (const wrong of [{ meter: 'SP-2' }, { at: START }, { phase: 'clear' }]) {
      const events = made.events.map((event) => ({ ...event, ...wrong }));
      expect(codes(audit(made.truth, made.entries, { ...made, events }))).toEqual(['swap.untold']);
    }
  });

  test('a count moved from one dial to the other is lost here and invented there', () => {
    const made = swapped();
    const entries = made.entries.map((entry, i) =>
      i === 2 || i === made.entries.length - 1
        ? { ...entry, use: useOf(entry) + (i === 2 ? 1 : -1) }
        : entry,
    );
    const result = audit(made.truth, entries, made);
    expect(result.per_installation).toMatchObject([
      { inst: 1, lost: 0, invented: 1 },
      { inst: 2, lost: 1, invented: 0 },
    ]);
  });

  test('hours of the new dial told of the old one, or the other way about, are invented', () => {
    const made = swapped();
    for (const inst of [1, 2]) {
      const entries = made.entries.map((entry) => ({ ...entry, inst }));
      const result = audit(made.truth, entries, made);
      expect(passes(result)).toBe(false);
      expect(result.invented).toBeGreaterThan(0);
    }
  });

  test('hours of the old dial that are missing before the change-out are lost', () => {
    const made = swapped();
    const result = audit(made.truth, made.entries.toSpliced(3, 2), made);
    // One answer may have been damaged on the wire, so the last is not held against anybody.
    expect(result.lost).toBe(7);
    const changed = { ...made.events[0], code: 'meter.changeout', at: SWAP + HOUR_MS };
    const events = [...made.events, changed as (typeof made.events)[number]];
    const told = audit(made.truth, made.entries.toSpliced(3, 2), { ...made, events });
    expect(codes(told)).toContain('hour.missing');
  });

  test('a dial read by a person after it was taken away counts to its end, and no further', () => {
    const made = swapped();
    const { entries } = made;
    const last = entries[4];
    if (last === undefined) throw new Error('no last hour');
    const start = START + 5 * HOUR_MS;
    const at = SWAP + 45 * MINUTE;
    const typed = { ...last, start, at, read: 121, total: 21, use: 1, q: 'H' };
    const right = audit(made.truth, [...entries, typed], made);
    expect(right.findings).toEqual([]);
    expect(right.per_installation[0]).toMatchObject({ truth: 21, head_end: 21, unaccounted: 0 });
    const more = { ...typed, read: 130, total: 30, use: 10 };
    expect(audit(made.truth, [...entries, more], made).invented).toBe(10);
  });

  test('without a change-out the old installation goes on without numbers, and the new dial is said to be doubted', () => {
    const made = swapped();
    const own = made.entries.filter(({ inst }) => inst === 1);
    const missing = Array.from({ length: 7 }, (_, i) => ({
      ...(own[0] as HourEntry),
      ...{ start: START + (5 + i) * HOUR_MS, read: null, at: null, total: null, use: null },
      q: 'M',
    }));
    const options = { ...made, installations: made.installations.slice(0, 1) };
    const result = audit(made.truth, [...own, ...missing], options);
    expect(result.findings).toEqual([]);
    expect(result.unaccounted).toBe(1 + 40 * 24);
    const untold = audit(made.truth, [...own, ...missing], { ...options, events: [] });
    expect(untold.lost).toBe(40 * 24);
  });
});
