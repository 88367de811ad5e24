// `scan` on the command line: by itself or through the running collector, with progress, and an end at Ctrl-C.

import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/boundaries.ts';
import type { ScanProgress } from '../../src/domain/scan.ts';
import { fakeParts, typed } from './fake-parts.ts';

const FOUND = {
  ...({ way: 'rtu', baud: 9_600, parity: 'even', address: '17', garbled: false } as const),
  fits: [{ profile: 'generic-8-digit-modbus', digits: '00001234', id: null }],
};
const progress = (asked: number, more: Partial<ScanProgress> = {}): ScanProgress => ({
  ...{ asked, of: 100, found: [], left_ms: 90_000, over: asked === 100, fault: null, ...more },
});

/** A scan here that is as far as told after each sitting. */
function scanning(...all: ScanProgress[]) {
  const wishes: unknown[] = [];
  let at = -1;
  const run = {
    work: async () => {
      at += 1;
    },
    progress: () => all[Math.min(at, all.length - 1)] as ScanProgress,
  };
  const openScan = async (...wish: unknown[]) => {
    wishes.push(wish);
    return { run };
  };
  return { wishes, openScan };
}

describe('scan', () => {
  it('tells how far it is and how long it will take, then the devices', async () => {
    const { wishes, openScan } = scanning(progress(10), progress(100, { found: [FOUND] }));
    const line = 'scan --port /dev/x --baud 9600,19200 --parity even --addresses 1-50';
    const { exit, out, err } = await typed(line, fakeParts({ openScan }), { isTTY: true });
    expect(exit).toBe(0);
    expect(wishes).toEqual([
      [{ port: '/dev/x' }, { baud: [9_600, 19_200], parity: ['even'], addresses: '1-50' }],
    ]);
    expect(err).toContain('10 % of 100 questions, about 90 s left');
    expect(out).toMatch(/rtu +9600 +even +17 +generic-8-digit-modbus +00001234/);
  });

  it('ends with 4 where nobody was found, with 130 and what was found when broken off', async () => {
    const none = scanning(progress(100));
    expect((await typed('scan --port /dev/x --json', fakeParts(none))).exit).toBe(4);
    const { openScan } = scanning(progress(10, { found: [FOUND] }));
    const onStop = (listener: () => void) => {
      listener();
      return () => undefined;
    };
    const broken = await typed('scan --port /dev/x --json', fakeParts({ openScan, onStop }));
    expect(broken.exit).toBe(130);
    expect(JSON.parse(broken.out)).toMatchObject({ found: [{ address: '17' }] });
  });

  it('goes through the collector that owns the port, and follows it there', async () => {
    const asked: unknown[] = [];
    const answers = [progress(50), progress(100, { found: [FOUND] })];
    const run = async (name: string, args: unknown): Promise<CommandAnswer> => {
      asked.push([name, args]);
      const data = name === 'bus.scan' ? progress(0) : answers.shift();
      return { ok: true, data };
    };
    const parts = fakeParts({ daemon: () => ({ run }) });
    const line = 'scan --port /dev/ttyUSB0 --addresses 1-9 --config good.yaml';
    const { exit, out } = await typed(line, parts);
    expect(exit).toBe(0);
    expect(asked).toEqual([
      ['bus.scan', { bus: 'pole-1', addresses: '1-9' }],
      ['bus.scan.progress', { bus: 'pole-1' }],
      ['bus.scan.progress', { bus: 'pole-1' }],
    ]);
    expect(out).toContain('17');
  });

  it.each(['onStop', 'onReload'] as const)(
    'ends in the collector too when it is broken off (%s) before that has begun',
    async (how) => {
      const asked: string[] = [];
      let breakOff = () => {};
      const heard = (listener: () => void) => {
        breakOff = listener;
        return () => undefined;
      };
      const run = async (name: string): Promise<CommandAnswer> => {
        asked.push(name);
        if (name === 'bus.scan') breakOff();
        return { ok: true, data: progress(1) };
      };
      const parts = fakeParts({ daemon: () => ({ run }), [how]: heard });
      const { exit } = await typed('scan --bus pole-1 --config good.yaml --json', parts);
      expect([exit, asked]).toEqual([130, ['bus.scan', 'bus.scan.stop', 'bus.scan.progress']]);
    },
  );

  it('scans by itself where no collector runs, with the settings of the bus', async () => {
    const { wishes, openScan } = scanning(progress(100, { found: [FOUND] }));
    const parts = fakeParts({ openScan });
    expect((await typed('scan --bus pole-1 --config good.yaml', parts)).exit).toBe(0);
    expect(wishes).toMatchObject([[{ bus: { bus: 'pole-1', type: 'line-serial' } }, {}]]);
  });

  it.each([
    'scan',
    'scan --port /dev/x --host h',
    'scan --host h --tcp-port 0',
    'scan --bus hut --config good.yaml',
    'scan --port /dev/x', // The wish itself is refused.
  ])('refuses "%s"', async (line) => {
    expect((await typed(line, fakeParts())).exit).toBe(2);
  });

  it('says what to do about a port that another holds', async () => {
    const held = progress(0, { over: true, fault: 'port.denied: /dev/x is in use' });
    const { exit, err } = await typed('scan --port /dev/x', fakeParts(scanning(held)));
    expect(exit).toBe(8);
    expect(err).toContain('--config');
  });

  it('says what to see where a peer refuses, which no collector holds', async () => {
    const fault = 'peer.unreachable: 127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9';
    const refused = fakeParts(scanning(progress(0, { over: true, fault })));
    const { err } = await typed('scan --host 127.0.0.1 --tcp-port 9', refused);
    expect(err).not.toContain('--config');
    expect(err).toContain('--tcp-port');
  });
});
