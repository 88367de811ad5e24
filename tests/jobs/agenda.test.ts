// The plan of one bus by itself: what it never gives out, whatever came of the turns before and whenever it is asked.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planEdge } from '../../src/domain/edge-plan.ts';
import type { Fault } from '../../src/domain/fault.ts';
import { Agenda } from '../../src/jobs/agenda.ts';
import { newTurn, type Turn } from '../../src/jobs/turn.ts';
import { modbusProfile } from '../fakes/profiles.ts';
import { FINE, HOUR, rulesOf, T0 } from '../journal/metered.ts';

const SILENT_MS = 2_000;
const SILENCE: Fault = { code: 'line.silent', detail: '' };

interface World {
  readonly meters: number;
  readonly parallel: number;
  readonly pollMs: number;
  readonly readMs: number;
  readonly minPollS: number;
}

function open(
  { meters, parallel, pollMs, readMs, minPollS }: World,
  now: number,
  bears = () => parallel,
) {
  const profile = { ...modbusProfile({ type: 'u32', order: 'ABCD' }), minPollS };
  const turns = Array.from({ length: meters }, (_, i) =>
    newTurn(
      {
        target: { meter: `SP-${i}`, address: `${i}`, profile, dial: FINE },
        rules: { ...rulesOf(FINE), pollMs },
      },
      now,
      readMs,
    ),
  );
  const timeoutMs = SILENT_MS / 2;
  const limits = { timeoutMs, silentMs: SILENT_MS, burstMs: 2_000, parallel, bears };
  const agenda = new Agenda({ turns, now, ...limits });
  return { agenda, turns };
}

function came(agenda: Agenda, turn: Turn, from: number, to: number, fault: Fault | null): void {
  const times = { askedAt: from, askedMono: from - T0, now: to, mono: to - T0 };
  agenda.came(turn, { ...times, fault, unconfirmed: false });
}

const world = fc.record({
  meters: fc.integer({ min: 2, max: 12 }),
  parallel: fc.constant(1),
  pollMs: fc.constantFrom(1_000, 3_000, 20_000, 600_000, 900_000),
  readMs: fc.integer({ min: 10, max: 2_500 }),
  minPollS: fc.constantFrom(0, 0, 1),
});

describe('the plan of a bus', () => {
  it('a port that is away before a reading would count for the edge is not asked in the same breath', () => {
    // Reads that were learned as long as a minute, such as one during which the process stood still.
    const how = { meters: 2, parallel: 1, pollMs: 300_000, readMs: 60_000, minPollS: 0 };
    const edge = T0 + HOUR;
    const { agenda } = open(how, edge - 30 * 60_000);
    let now = edge - 40_000;
    const away: Fault = { code: 'port.absent', detail: 'unplugged' };
    for (let asked = 0; asked < 100; asked += 1) {
      const turn = agenda.next(now, now - T0);
      if (turn) came(agenda, turn, now, now, away);
      else now = Math.max(now + 1, agenda.wakeAt(now, now - T0));
    }
    expect(now).toBeGreaterThan(edge - 40_000);
  });

  it('never gives out a meter that failed when its time-out could reach into the others’ reads for the edge', () => {
    fc.assert(
      fc.property(
        world,
        fc.integer({ min: -30_000, max: 1_000 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 5, maxLength: 120 }),
        (how, begin, dead, pauses) => {
          let now = T0 + HOUR + begin;
          const { agenda, turns } = open(how, now);
          const isDead = (turn: Turn) => dead.includes(turns.indexOf(turn));
          for (const turn of turns) if (isDead(turn)) turn.failures = 5;
          const edge = T0 + (begin > 0 ? 2 : 1) * HOUR;
          const answering = turns.filter((turn) => !isDead(turn));
          const reads = answering.map(() => ({ readMs: how.readMs, toleranceMs: 15_000 }));
          const from = edge + planEdge(reads).fromMs;
          const read = new Set<Turn>();
          for (const pause of pauses) {
            const turn = agenda.next(now, now - T0);
            const asked = now;
            if (turn && isDead(turn)) {
              const left = answering.filter((one) => !read.has(one));
              const isAfter = asked >= edge && left.length === 0;
              const isBefore =
                asked + SILENT_MS <= edge && (asked + SILENT_MS <= from || left.length === 0);
              const isLate = asked > edge + 15_000;
              expect(isAfter || isBefore || isLate).toBe(true);
              now += SILENT_MS / 2;
              came(agenda, turn, asked, now, SILENCE);
            } else if (turn) {
              now += how.readMs;
              came(agenda, turn, asked, now, null);
              if (now > edge - 15_000) read.add(turn);
            } else now += pause;
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    [8, 4],
    [2, 1],
  ])(
    'gives a read of a meter that does not answer while nobody waits, and half of the reads at once to such: of %i, %i',
    (bears, most) => {
      const now = T0 + 10 * 60_000;
      const { agenda, turns } = open(
        { meters: 20, parallel: 8, pollMs: 1_000, readMs: 50, minPollS: 0 },
        now,
        () => bears,
      );
      for (const turn of turns.slice(0, 10)) turn.failures = 9;
      const given: Turn[] = [];
      for (let turn = agenda.next(now, 0); turn; turn = agenda.next(now, 0)) given.push(turn);
      const sick = given.filter(({ failures }) => failures > 0);
      expect([given.length, sick.length]).toEqual([10 + most, most]);
      expect(given.slice(0, 10).every(({ failures }) => failures === 0)).toBe(true);
    },
  );

  const line: World = { meters: 4, parallel: 1, pollMs: 900_000, readMs: 50, minPollS: 0 };

  it('one failure in between does not cost a meter its place at the edge, a second one does', () => {
    for (const failures of [1, 2]) {
      const now = T0 + HOUR - 60_000;
      const { agenda, turns } = open(line, now);
      const [first] = turns as [Turn];
      for (const turn of turns) {
        turn.due = T0 + HOUR;
        turn.edgeRead = 0;
      }
      first.failures = failures;
      const given: Turn[] = [];
      for (let at = T0 + HOUR; given.length < 4; at += 50) {
        const turn = agenda.next(at, at - T0);
        if (turn === null) continue;
        given.push(turn);
        came(agenda, turn, at, at + 50, null);
      }
      expect(given.indexOf(first)).toBe(failures === 1 ? 0 : 3);
    }
  });

  it('has nothing to spare for a meter while another is due or near its time, and nothing for one that is sick', () => {
    const now = T0 + 10 * 60_000;
    const { agenda, turns } = open(line, now);
    const [first, second, ...others] = turns as [Turn, Turn, ...Turn[]];
    for (const turn of [first, ...others]) turn.due = now + 60_000;
    second.due = now;
    expect(agenda.spareMs(first, now)).toBe(0);
    second.due = now + 1_700;
    expect(agenda.spareMs(first, now)).toBe(700);
    second.due = now + 60_000;
    expect(agenda.spareMs(first, now)).toBe(2_000);
    // Those that do not answer may wait.
    second.due = now;
    second.failures = 5;
    expect(agenda.spareMs(first, now)).toBe(2_000);
    expect(agenda.spareMs(second, now)).toBe(0);
    agenda.ask(second);
    expect(agenda.spareMs(first, now)).toBe(0);
    expect(agenda.spareMs(first, T0 + HOUR - 1_500)).toBe(0);
  });

  it('leaves a meter alone for as long as its late answer may be under way, whoever asks', () => {
    const now = T0 + 10 * 60_000;
    const { agenda, turns } = open(line, now);
    const turn = agenda.next(now, 0) as Turn;
    const times = { askedAt: now, askedMono: 0, now: now + 1_000, mono: 1_000 };
    agenda.came(turn, { ...times, fault: SILENCE, restMs: 800, unconfirmed: false });
    agenda.ask(turn);
    expect(agenda.freeAt(turn, now + 1_000, 1_000)).toBe(now + 1_800);
    for (const other of turns)
      if (other !== turn) came(agenda, agenda.next(now + 1_000, 1_000) as Turn, now, now, null);
    expect(agenda.next(now + 1_700, 1_700)).toBeNull();
    expect(agenda.next(now + 1_800, 1_800)).toBe(turn);
  });

  it('wakes not later than the next meter is due, and never in the past', () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 0, max: HOUR }), (how, begin) => {
        let now = T0 + begin;
        const { agenda, turns } = open(how, now);
        for (let i = 0; i < 200; i += 1) {
          const turn = agenda.next(now, now - T0);
          if (turn) {
            came(agenda, turn, now, now + how.readMs, i % 7 === 3 ? SILENCE : null);
            now += how.readMs;
          } else {
            const wake = agenda.wakeAt(now, now - T0);
            expect(wake).toBeGreaterThan(now);
            const due = Math.min(
              ...turns.filter(({ failures }) => failures === 0).map((one) => one.due),
            );
            if (due > now) expect(wake).toBeLessThanOrEqual(Math.ceil(due));
            now = wake;
          }
        }
      }),
    );
  });

  it('reads of a person and polls take turns, however many a person asks for', () => {
    const now = T0 + 10 * 60_000;
    const { agenda, turns } = open(
      { meters: 20, parallel: 1, pollMs: 1_000, readMs: 50, minPollS: 0 },
      now,
    );
    const asked = turns.slice(10);
    for (const turn of asked) agenda.ask(turn);
    const given = Array.from({ length: 10 }, () => {
      const turn = agenda.next(now, 0);
      if (turn) came(agenda, turn, now, now, null);
      return turn ? asked.includes(turn) : null;
    });
    expect(given).toEqual([true, false, true, false, true, false, true, false, true, false]);
  });
});
