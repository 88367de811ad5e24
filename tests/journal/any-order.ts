// Lives of a meter and its journal by chance: whatever happens to them in whatever order, no water is lost and none invented.

import fc from 'fast-check';
import { expect } from 'vitest';
import { DAY, Life } from './life.ts';
import { HOUR } from './metered.ts';

type Deed = (life: Life) => Promise<void>;

const DEEDS: readonly (readonly [name: string, deed: Deed])[] = [
  ...[0.25, 1, 5.75, 9].map((n) => [`reads ${n} h`, (life: Life) => life.read(n, 2)] as const),
  ...[0.5, 14, 40].map((n) => [`silent ${n} h`, (life: Life) => life.silent(n, 1)] as const),
  ...[0, 0.5, -0.5, 3, -3, 48, -48, 700].flatMap((n) =>
    [true, null, false].map(
      (synced) =>
        [
          `clock ${n} h ahead, synced ${synced}`,
          async (life: Life) => {
            Object.assign(life, { ahead: n * HOUR, synced });
          },
        ] as const,
    ),
  ),
  ...[10_000, 3 * HOUR, 2 * DAY].flatMap((off) =>
    (['stop', 'cut'] as const).map(
      (how) => [`${how}, off ${off} ms`, (life: Life) => life.restart(how, off)] as const,
    ),
  ),
  [
    'a count back',
    async (life) => {
      life.dial = Math.max(0, life.dial - 4);
      await life.read(0.5, 0);
    },
  ],
  ...[0.25, 0.75, 30].map(
    (hours) =>
      [
        `a jump for ${hours} h`,
        async (life: Life) => {
          const { dial } = life;
          life.dial += 40_000;
          await life.read(hours, 0);
          // One that is seen for a day is believed.
          if (hours < 24) life.dial = dial;
        },
      ] as const,
  ),
  [
    'a dial far back',
    async (life) => {
      life.dial = Math.max(0, life.dial - 9_000);
      await life.read(0.75, 0);
    },
  ],
  ['delivers all', (life) => life.deliver()],
  ['delivers some', (life) => life.deliver(0.3)],
  ...[0, 1, 3].flatMap((hourDays) =>
    [0, 2].map(
      (incrementDays) =>
        [
          `thins to ${hourDays} and ${incrementDays} days`,
          async (life: Life) => {
            await life.deliver();
            await life.thin({ hourDays, incrementDays, eventDays: hourDays });
          },
        ] as const,
    ),
  ),
  [
    'is restored',
    async (life) => {
      await life.deliver();
      await life.restore(await life.backup());
    },
  ],
  [
    'loses its state',
    async (life) => {
      await life.deliver();
      // That it is lost is told by a clock that is right: else the hours are nobody knows when.
      if (life.synced === true) await life.loseState();
    },
  ],
  [
    'is restored undelivered',
    async (life) => {
      if (life.synced === true) await life.restore(await life.backup());
    },
  ],
  [
    'leaves its mark',
    async (life) => {
      await life.journal.mark();
    },
  ],
  ['is changed out', (life) => life.changeOut(50)],
  ['is read by a person', (life) => life.say({ kind: 'read', register: life.dial, by: null })],
  ...(['disable', 'enable', 'maintain', 'resume', 'vouch', 'reject'] as const).map(
    (kind) => [kind, (life: Life) => life.say({ kind })] as const,
  ),
];

const backups = new WeakMap<Life, readonly string[]>();

/** What a head-end must cope with beside: backups restored long after they were made, however often, once the clock is right. */
const OLD_BACKUPS: typeof DEEDS = [
  [
    'is backed up',
    async (life) => {
      await life.deliver(0.6);
      backups.set(life, await life.backup());
    },
  ],
  [
    'is restored from an old backup',
    async (life) => {
      const backup = backups.get(life);
      Object.assign(life, { ahead: 0, synced: true });
      if (!backup) return;
      await life.deliver();
      await life.restore(backup);
    },
  ],
  ['replays all', (life) => life.replay()],
];

/** These would end some lives with no reading believed since the restore: the head-end rightly has more than the journal then. */
const DOUBTED = /^(?:is changed out|clock|a jump|a dial far back|disable|reject)/;

/** Lives with old backups, of deeds after which the journal comes to know all that passed. */
export async function liveFromOldBackups(runs: number): Promise<void> {
  const deeds = DEEDS.filter(([name]) => !DOUBTED.test(name));
  // Until its gap is told the head-end knows more than the journal: so long that whatever is doubted in the end is settled.
  await live(runs, [...deeds, ...Array(6).fill(OLD_BACKUPS).flat()], 30);
}

/** So many lives of up to 25 deeds: after each deed the journal proves itself, and in the end what the head-end got does. */
export async function liveInAnyOrder(runs: number): Promise<void> {
  await live(runs, DEEDS, 4);
}

async function live(runs: number, deeds: typeof DEEDS, lastHours: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...deeds.map(([name]) => name)), { minLength: 5, maxLength: 25 }),
      async (names) => {
        const life = await Life.begin();
        await life.read(3, 3);
        for (const name of names) {
          await deeds.find(([one]) => one === name)?.[1](life);
          expect(await life.problems(false), name).toEqual([]);
        }
        Object.assign(life, { ahead: 0, synced: true });
        await life.say({ kind: 'enable' });
        await life.read(lastHours, 2);
        expect(await life.problems()).toEqual([]);
      },
    ),
    { numRuns: runs },
  );
}
