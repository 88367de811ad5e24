// 90,000 hostile commands over some hours and 10,000 at once: each answered or refused, no poll at another instant than without them.

import { expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { CommandInbox } from '../../src/commands/inbox.ts';
import { throwAt } from '../commands/hostile.ts';
import { COMMAND_CHECK } from '../contract/command-check.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { until } from '../fakes/until.ts';
import { openMetered } from '../journal/metered.ts';

it('100,000 hostile commands break nothing, move no poll, and are each answered or refused', async () => {
  const { faults, ...figures } = await throwAt(90_000, 17);
  process.stdout.write(`${JSON.stringify({ ...figures, faults: faults.length })}\n`);
  expect(faults.slice(0, 10)).toEqual([]);
  expect(figures.thrown).toBe(100_000);
  expect(figures.pollsMoved).toBe(0);
}, 1_800_000);

/** Whoever sleeps so long is how much late at most while `work` goes on. */
async function lateness(work: Promise<unknown>): Promise<number> {
  const clock = createSystemClock();
  let over = false;
  void work.then(() => {
    over = true;
  });
  let most = 0;
  while (!over) {
    const due = clock.monotonicMs() + 10;
    await clock.sleep(10);
    most = Math.max(most, clock.monotonicMs() - due);
  }
  return most;
}

it('a flood of 10,000 in real time: how late another turn of the process comes', async () => {
  const medium = new Medium();
  const journal = await openMetered(() => medium.open());
  const clock = createSystemClock();
  let answers = 0;
  const inbox = new CommandInbox({
    ...{ journal, clock, wire: clock, log: new RecordingLog(), loadCheck: COMMAND_CHECK },
    commands: { run: async () => ({ ok: true, data: {} }) },
    known: () => ({ does: 'ping', allowed: true, isRead: true }),
    answer: async () => {
      answers += 1;
    },
  });
  const stop = new AbortController();
  const done = inbox.work(stop.signal);
  const idle = await lateness(clock.sleep(500));
  const expires = new Date(clock.now() + 60_000).toISOString();
  for (let n = 0; n < 10_000; n += 1) {
    const said = {
      v: 1,
      type: 'cmd',
      id: `f-${n}`,
      name: 'ping',
      by: 'x',
      issued: expires,
      expires,
    };
    const payload = n % 2 === 0 ? JSON.stringify({ ...said, args: {} }) : '['.repeat(400);
    inbox.take({ topic: '', payload, bytes: payload.length, retained: false }, 'ping');
  }
  const flooded = await lateness(until('all are answered', () => answers === 5_000, 60_000));
  process.stdout.write(
    `at most ${flooded.toFixed(1)} ms late in the flood, ${idle.toFixed(1)} ms without it\n`,
  );
  expect(answers).toBe(5_000);
  stop.abort('over');
  await done;
});
