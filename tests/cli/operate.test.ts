// The commands that change something of a meter reach the collector with what was typed, and refusals come back as exit codes.

import { describe, expect, it } from 'vitest';
import { fakeParts, scriptedCommands, typed } from './fake-parts.ts';

const done = { ok: true, data: { inst: 2, final: 12, events: [] } } as const;

describe('what a person does to a meter', () => {
  it.each([
    ['changeout SP-1 --final 12 --by t4', 'changeout', { meter: 'SP-1', final: '12', by: 't4' }],
    ['meter disable SP-1', 'meter.disable', { meter: 'SP-1' }],
    ['meter enable SP-1', 'meter.enable', { meter: 'SP-1' }],
    ['meter maintenance SP-1 --off', 'meter.maintenance', { meter: 'SP-1', off: true }],
    ['reading add SP-1 00001234', 'reading.add', { meter: 'SP-1', read: '00001234' }],
    ['reading confirm SP-1', 'reading.confirm', { meter: 'SP-1' }],
    ['reading reject SP-1', 'reading.reject', { meter: 'SP-1' }],
    ['events SP-1', 'events', { meter: 'SP-1' }],
  ])('"%s" asks for %s', async (line, name, args) => {
    const { asked, commands } = scriptedCommands({ [name]: done });
    const parts = fakeParts({ daemon: () => commands });
    const { exit } = await typed(`${line} --config good.yaml`, parts);
    expect(exit).toBe(0);
    expect(asked).toMatchObject([[name, args]]);
  });

  it('a refusal is said and is no success', async () => {
    const { commands } = scriptedCommands({});
    const parts = fakeParts({ daemon: () => commands });
    const { exit, err } = await typed('reading confirm SP-1 --config good.yaml', parts);
    expect(exit).not.toBe(0);
    expect(err).toContain('No.');
  });
});
