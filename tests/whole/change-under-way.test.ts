// A meter changed while it is being asked: what its predecessor still says, or is silent about, never becomes its own.

import { afterEach, describe, expect, it } from 'vitest';
import { createLineBus } from '../../src/bus/line-bus.ts';
import { createModbusBus } from '../../src/bus/modbus-bus.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { ScriptedModbus } from '../fakes/scripted-modbus.ts';
import { VirtualWorld } from './virtual-world.ts';

const METER = 'SP-00001';
const SLOW_MS = 800;
/** What stands on the dial of the meter that is put there. */
const NEW_DIAL = 41;

/** What hangs there, and how often it was asked. */
interface Pit {
  dial: number;
  isSilent: boolean;
  asked: number;
}

let world: VirtualWorld;
afterEach(() => world.stop());

/** One slow meter, of either kind. */
async function pitWith(kind: 'line-serial' | 'modbus-rtu'): Promise<Pit> {
  const pit: Pit = { dial: 70_000_000, isSilent: false, asked: 0 };
  world = new VirtualWorld({
    ...{ seed: 5, meters: 1, lineType: kind },
    openLine: ({ timeoutMs, reopenMaxMs }, clock) => {
      const common = { clock, timeoutMs, reopenMaxMs, random: () => 0.5 };
      if (kind === 'line-serial') {
        const line = new ScriptedLine(clock);
        line.answer(() => {
          pit.asked += 1;
          const dial = String(pit.dial).padStart(8, '0');
          return pit.isSilent ? [] : [{ bytes: `V;RB${dial};IB10000000\r`, afterMs: SLOW_MS }];
        });
        return createLineBus({ line, ...common });
      }
      const link = new ScriptedModbus(clock);
      link.answer(() => {
        pit.asked += 1;
        const words = [pit.dial >>> 16, pit.dial & 0xffff];
        return pit.isSilent ? 'silence' : { words, afterMs: SLOW_MS };
      });
      return createModbusBus({ link, ...common });
    },
  });
  await world.start();
  await world.run(1.1);
  return pit;
}

/** Lives until the meter is asked once more. */
async function untilAsked(pit: Pit): Promise<void> {
  const { asked } = pit;
  for (let i = 0; pit.asked === asked && i < 40 * 600; i += 1) {
    await world.clock.run(world.clock.trueNow() + 100);
  }
  expect(pit.asked).toBe(asked + 1);
}

interface Shown {
  readonly installation: { readonly inst: number; readonly initial_read: number | null };
}
const shown = async () => ((await world.ask('meter.show', { meter: METER })) as Shown).installation;
const rows = async () =>
  world
    .ledger()
    .entries()
    .filter(({ inst }) => inst === 2);

describe.each(['line-serial', 'modbus-rtu'] as const)(
  'a meter on %s that is changed while it is asked',
  (kind) => {
    it('begins at its own dial, read at once, not at the answer that was under way', async () => {
      const pit = await pitWith(kind);
      await untilAsked(pit);
      await world.ask('changeout', { meter: METER });
      pit.dial = NEW_DIAL;
      await world.clock.run(world.clock.trueNow() + 5_000);
      expect(pit.asked).toBeGreaterThan(2);
      expect(await shown()).toMatchObject({ inst: 2, initial_read: NEW_DIAL });
      await world.run(3);
      expect(await shown()).toMatchObject({ inst: 2, initial_read: NEW_DIAL });
      for (const row of await rows()) expect(row).toMatchObject({ use: 0 });
    });

    it('is not told as silent because its predecessor was', async () => {
      const pit = await pitWith(kind);
      pit.isSilent = true;
      await untilAsked(pit);
      const { length } = world.log.lines;
      await world.ask('changeout', { meter: METER });
      pit.isSilent = false;
      pit.dial = NEW_DIAL;
      await world.clock.run(world.clock.trueNow() + 1_900);
      const told = world.log.lines.slice(length).map(({ message }) => message);
      expect(told).not.toContain('the meter was not read');
    });
  },
);
