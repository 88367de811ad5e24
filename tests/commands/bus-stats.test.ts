// `bus.stats`, which a technician and the head-end (diag.bus) ask alike: counts, and the sentence that follows.

import { describe, expect, it } from 'vitest';
import { BusTally } from '../../src/bus/bus-tally.ts';
import { busStats, type ToldBus } from '../../src/commands/bus-stats.ts';
import { remoteCommand } from '../../src/commands/classes.ts';
import { faulty, good } from '../../src/domain/fault.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

function toldBus(tally: BusTally, link = { open: true, detail: 'open' }): ToldBus {
  return {
    ...{ bus: 'pit', type: 'modbus-rtu', kind: 'rtu', timeoutMs: 1_000 },
    conversation: { link: () => link, seen: () => tally.seen() },
    addresses: new Map([['SP-17', '17']]),
  };
}

describe('bus.stats', () => {
  it('tells the counts of each meter and bus, and what they mean', async () => {
    const tally = new BusTally(new VirtualClock());
    for (let i = 0; i < 4; i += 1) tally.ended('SP-17', faulty('modbus.crc', 'wrong'), 9, false);
    tally.ended('SP-17', good(1), 40, true);
    expect(await busStats([toldBus(tally)], {})).toMatchObject({
      ok: true,
      data: {
        buses: [
          {
            ...{ bus: 'pit', total: { polls: 5, crc: 4, ok: 1, second: 1 }, p50_ms: 40 },
            advice: [{ code: 'meter.spoilt', meters: ['SP-17'] }],
            meters: [{ meter: 'SP-17', address: '17', day: { polls: 5 } }],
          },
        ],
      },
    });
  });

  it('a port that is away is told as such; one to be opened at the next read is not', async () => {
    const tally = new BusTally(new VirtualClock());
    const codeOf = async (detail: string) => {
      const answer = await busStats([toldBus(tally, { open: false, detail })], { bus: 'pit' });
      return JSON.parse(JSON.stringify(answer)).data.buses[0].advice[0].code;
    };
    expect(await codeOf('port.absent: no such file (tried 3 times)')).toBe('bus.closed');
    expect(await codeOf('closed, to be opened at the next read')).toBe('bus.unread');
  });

  it('refuses a bus that is not there, and says so where no collector runs', async () => {
    const tally = new BusTally(new VirtualClock());
    const unknown = await busStats([toldBus(tally)], { bus: 'hut' });
    expect(unknown).toMatchObject({ ok: false, code: 'bad_request', hint: 'Known are pit.' });
    expect(await busStats(undefined, {})).toMatchObject({ ok: false, code: 'daemon.absent' });
  });

  it('C3: a head-end asks for the same as diag.bus', () => {
    expect(remoteCommand('diag.bus')).toEqual({ kind: 'read', does: 'bus.stats' });
  });
});
