// Whatever a dial does, in any resolution: every count is in exactly one place, and nothing is told twice.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, finish, heed, newInstallation, type Word } from '../../src/domain/advance.ts';
import type { EventEntry } from '../../src/domain/alarms.ts';
import { conserve, newest } from '../../src/domain/conservation.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { modulo } from '../../src/domain/units.ts';
import { hoursOf, MINUTE, type Poll, RULES, run, SILENCE, T0 } from './meter-run.ts';

const QUARTER = 15 * MINUTE;

/** What happens in one quarter of an hour. */
const happening = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constant('flow'), by: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('back'), by: fc.nat(150) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('missed'), by: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('damaged'), by: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('stranger'), by: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('unreadable'), by: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('changeout'), by: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('word'), by: fc.nat(5) }) },
);

const WORDS: readonly Word[] = [
  { kind: 'vouch' },
  { kind: 'reject' },
  { kind: 'disable' },
  { kind: 'enable' },
  { kind: 'maintain' },
  { kind: 'resume' },
];

interface Story {
  readonly entries: Entry[];
  readonly events: EventEntry[];
  readonly initial: Map<number, number>;
  readonly totals: Map<number, number>;
  readonly increments: Map<number, number>;
}

function live(
  plan: readonly { what: string; by: number }[],
  digits: number,
  begin: number,
  checked: boolean,
): Story {
  const turn = 10 ** digits;
  const rules = { ...RULES, dial: { digits, unit: 'ft3', pow10: -1 } as const, maxFlowPerH: 1_000 };
  const story: Story = {
    ...{ entries: [], events: [] },
    ...{ initial: new Map(), totals: new Map(), increments: new Map() },
  };
  let state = newInstallation(1);
  let dial = begin % turn;
  const keep = (step: ReturnType<typeof advance>) => {
    state = step.state;
    story.entries.push(...step.entries);
    story.events.push(...step.events);
    for (const { inst, counts } of step.increments) {
      story.increments.set(inst, (story.increments.get(inst) ?? 0) + counts);
    }
    if (state.initial) story.initial.set(state.inst, state.initial.read);
    if (state.last) story.totals.set(state.inst, state.last.total);
  };
  for (const [i, { what, by }] of plan.entries()) {
    const at = T0 + (i + 1) * QUARTER + 2_000;
    const moment = { at, mono: at, boot: 'b', synced: true };
    const read = (register: number, ms = 0) =>
      keep(
        advance(
          state,
          {
            ...{ kind: 'reading', register, checked, identified: false },
            moment: { ...moment, at: at + ms, mono: at + ms },
          },
          rules,
        ),
      );
    const silence = (fault: 'line.silent' | 'frame.unreadable' | 'frame.wrong_id') =>
      keep(advance(state, { ...SILENCE, moment, fault, stranger: `other-${by % 2}` }, rules));
    if (what === 'flow' || what === 'back') {
      dial = modulo(dial + (what === 'flow' ? by : -by), turn);
      read(dial);
      if (!checked) read(dial, 5_000);
    } else if (what === 'missed' || what === 'unreadable') {
      dial = modulo(dial + by, turn);
      silence(what === 'missed' ? 'line.silent' : 'frame.unreadable');
    } else if (what === 'damaged') {
      read(by % turn);
    } else if (what === 'stranger') {
      silence('frame.wrong_id');
    } else if (what === 'word') {
      keep(heed(state, WORDS[by % WORDS.length] as Word, moment, rules));
    } else {
      keep(finish(state, ['changeout'], rules, { by: 'test' }));
      state = newInstallation(state.inst + 1, ['changeout']);
      dial = by % turn;
    }
  }
  return story;
}

const plans = fc.array(happening, { minLength: 1, maxLength: 120 });

describe('any life of a register', () => {
  it('conserves every count of every installation, whatever happens to it', () => {
    fc.assert(
      fc.property(
        plans,
        fc.integer({ min: 3, max: 9 }),
        fc.nat(),
        fc.boolean(),
        (plan, digits, begin, checked) => {
          const story = live(plan, digits, begin, checked);
          for (const [inst, initial] of story.initial) {
            const mine = story.entries.filter((entry) => entry.inst === inst);
            expect(conserve(inst, mine, initial, { digits }).problem).toBeNull();
            expect(story.increments.get(inst)).toBe(story.totals.get(inst));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('raises nothing twice: an alarm is raised once, and ends at most once', () => {
    fc.assert(
      fc.property(
        plans,
        fc.integer({ min: 3, max: 9 }),
        fc.nat(),
        fc.boolean(),
        (plan, digits, begin, checked) => {
          const { events } = live(plan, digits, begin, checked);
          const standing = new Set<string>();
          const seen = new Set<string>();
          for (const { inst, alarm, message, code, phase } of events) {
            const id = `${inst}/${alarm}`;
            expect(seen.has(`${id}/${message}`)).toBe(false);
            seen.add(`${id}/${message}`);
            const passing = code === 'meter.rollover' || code === 'meter.changeout';
            if (phase === 'raise') {
              expect(standing.has(`${inst}/${code}`)).toBe(false);
              if (!passing) standing.add(`${inst}/${code}`);
            } else {
              expect(standing.has(`${inst}/${code}`)).toBe(true);
              if (phase === 'clear') standing.delete(`${inst}/${code}`);
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('gives the same hours however often the dial is read between their edges', () => {
    const uses = fc.array(fc.nat(40), { minLength: 20, maxLength: 100 });
    fc.assert(
      fc.property(
        uses,
        fc.nat(99_999_999),
        fc.integer({ min: 1, max: 14 }),
        (perMinute, begin, every) => {
          const dialAt = (minute: number) => {
            const passed = perMinute.reduce((sum, use, i) => (i * 7 < minute ? sum + use : sum), 0);
            return (begin + passed) % 100_000_000;
          };
          const polls = (step: number): Poll[] =>
            Array.from({ length: 60 * 8 + 1 }, (_, minute) => minute)
              .filter((minute) => minute % 60 === 0 || minute % step === 0)
              .map((minute) => ({ at: T0 + minute * MINUTE + 1_000, read: dialAt(minute) }));
          const hours = (step: number) =>
            hoursOf(newest(run(polls(step)).entries)).map((hour) => [
              hour.start,
              hour.use,
              hour.total,
              hour.q,
            ]);
          expect(hours(every)).toEqual(hours(15));
        },
      ),
      { numRuns: 60 },
    );
  });
});
