// What differs between two settings files, named as people name it, and what of it waits for a restart.

import { describe, expect, it } from 'vitest';
import { configChanges } from '../../src/domain/config-diff.ts';

const SAID = {
  ...{ version: 1, collector: 'COL-1', data: './journal', upstream: { url: 'mqtt://a' } },
  buses: [{ bus: 'hut', type: 'modbus-tcp', host: 'a' }],
  meters: [
    { meter: 'SP-1', bus: 'hut', poll_s: 900 },
    { meter: 'SP-2', bus: 'hut', alerts: { makers: ['a', 'b'] } },
  ],
};
const paths = (after: unknown) => configChanges(SAID, after).map(({ path }) => path);

describe('two settings files', () => {
  it('that say the same in another order do not differ', () => {
    const { meters, buses, ...rest } = SAID;
    const turned = meters.map((one) => Object.fromEntries(Object.entries(one).reverse()));
    expect(paths({ meters: turned, buses, ...rest })).toEqual([]);
    expect(paths({ ...SAID, meters: [...SAID.meters].reverse() })).toEqual([]);
  });

  it('differ by the names of meters and buses, with what was and what is', () => {
    const [first, second] = SAID.meters;
    const after = { ...SAID, meters: [second, { ...first, poll_s: 60 }, { meter: 'SP-3' }] };
    expect(configChanges(SAID, after)).toEqual([
      { path: '/meters/SP-1/poll_s', before: 900, after: 60, restart: false },
      { path: '/meters/SP-3', before: null, after: { meter: 'SP-3' }, restart: false },
    ]);
    expect(paths({ ...SAID, buses: [] })).toEqual(['/buses/hut']);
    const { meters: _, ...without } = SAID;
    expect(paths(without)).toEqual(['/meters/SP-1', '/meters/SP-2']);
  });

  it.each([
    ['/collector', { collector: 'COL-2' }],
    ['/data', { data: '/srv' }],
    ['/console', { console: { listen: '127.0.0.1:1' } }],
    ['/journal', { journal: { ballast_mb: 4, max_mb: 9 } }],
  ])('%s says what waits for a restart', (path, change) => {
    const found = configChanges({ ...SAID, journal: {} }, { ...SAID, journal: {}, ...change });
    expect(
      found.filter(({ restart }) => restart).map((one) => one.path.slice(0, path.length)),
    ).toEqual([path]);
  });

  it('a list without names is compared whole', () => {
    const [first] = SAID.meters;
    const after = {
      ...SAID,
      meters: [first, { ...SAID.meters[1], alerts: { makers: ['b', 'a'] } }],
    };
    expect(paths(after)).toEqual(['/meters/SP-2/alerts/makers']);
  });
});
