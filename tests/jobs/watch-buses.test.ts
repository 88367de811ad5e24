// A bus on which nobody is heard is told once, with what is known of it, and once more when somebody is heard again.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/boundaries.ts';
import type { EventRow } from '../../src/domain/entry.ts';
import type { FaultCode } from '../../src/domain/fault.ts';
import type { PollRecord } from '../../src/jobs/turn.ts';
import { watchBuses } from '../../src/jobs/watch-buses.ts';
import { Medium } from '../fakes/memory-store.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { all, FINE, MINUTE, openMetered, T0 } from '../journal/metered.ts';

const METERS = { 'SP-1': FINE, 'SP-2': FINE };
const OPEN = { open: true, detail: 'open' };

describe('the watch over buses', () => {
  let clock: VirtualClock;
  let medium: Medium;
  let journal: Journal;
  let records: Map<string, PollRecord>;
  let link = OPEN;
  const open = async () => {
    journal = await openMetered(() => medium.open(), METERS);
    await journal.flush();
  };
  beforeEach(async () => {
    clock = new VirtualClock(T0);
    medium = new Medium();
    records = new Map();
    link = OPEN;
    await open();
  });
  const say = (code: FaultCode | null, ...meters: string[]) => {
    const fault = code && { code, detail: 'in words', since: clock.now() };
    for (const meter of meters) records.set(meter, { fault });
  };
  /** One life of the job, on this bus, for so many minutes. */
  const watch = async (minutes: number, bus = 'line') => {
    const stop = new AbortController();
    const buses = [{ bus, meters: Object.keys(METERS), link: () => link }];
    const parts = { journal, clock, log: new RecordingLog(), buses, records };
    const done = watchBuses(parts, stop.signal);
    await clock.run(clock.trueNow() + minutes * MINUTE);
    stop.abort();
    await clock.runUntil(done);
  };
  const told = async () => {
    await journal.flush();
    const events: EventRow[] = await all(journal.eventsOf(''));
    return events.map(({ code, phase, alarm }) => [code, phase, alarm] as const);
  };

  it('tells after a quarter of an hour that no meter of it is heard, once, and that one is again', async () => {
    say('line.silent', 'SP-1', 'SP-2');
    await watch(14);
    expect(await told()).toEqual([]);
    await watch(60);
    const [raised, ...more] = await told();
    expect(raised?.slice(0, 2)).toEqual(['bus.down', 'raise']);
    expect(more).toEqual([]);
    const [event] = await all(journal.eventsOf(''));
    expect(event?.data).toMatchObject({ bus: 'line', meters: 2, link: 'open', limit_s: 900 });
    say(null, 'SP-2');
    await watch(2);
    expect(await told()).toEqual([raised, ['bus.down', 'clear', raised?.[2]]]);
    expect(journal.troubles()).toEqual([]);
  });

  it('a restart raises nothing again, and the first meter that is heard after it clears', async () => {
    say('line.silent', 'SP-1', 'SP-2');
    await watch(20);
    await journal.close();
    records.clear();
    await open();
    await watch(30);
    say('line.silent', 'SP-1', 'SP-2');
    await watch(30);
    expect((await told()).map(([, phase]) => phase)).toEqual(['raise']);
    say(null, 'SP-1');
    await watch(2);
    expect((await told()).map(([, phase]) => phase)).toEqual(['raise', 'clear']);
  });

  it('a meter that is heard wrongly is heard', async () => {
    say('line.silent', 'SP-1');
    say('frame.malformed', 'SP-2');
    await watch(60);
    expect(await told()).toEqual([]);
  });

  it('of one meter alone it is the port that tells', async () => {
    say('line.silent', 'SP-1');
    await watch(60);
    expect(await told()).toEqual([]);
    link = { open: false, detail: 'there is no /dev/ttyUSB0' };
    say('port.absent', 'SP-1');
    await watch(2);
    expect(await told()).toEqual([]);
    await watch(20);
    expect(await told()).toHaveLength(1);
    const [event] = await all(journal.eventsOf(''));
    expect(event?.data).toMatchObject({ link: 'there is no /dev/ttyUSB0', meters: 1 });
  });

  it('a clock that steps makes no silence longer', async () => {
    say('line.silent', 'SP-1', 'SP-2');
    clock.at(clock.trueNow() + 5 * MINUTE, () => clock.stepWall(365 * 24 * 60 * MINUTE));
    await watch(10);
    expect(await told()).toEqual([]);
  });

  it('a bus that is taken out of the settings is no trouble any more', async () => {
    say('line.silent', 'SP-1', 'SP-2');
    await watch(20);
    await watch(1, 'another');
    expect((await told()).map(([, phase]) => phase)).toEqual(['raise', 'clear']);
  });
});
