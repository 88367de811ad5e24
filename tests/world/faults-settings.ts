// Faults of people with the settings: other polls, meters taken out and put back, a file that is refused.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileSchema } from '../../src/settings/check-schema.ts';
import { checkSettings } from '../../src/settings/check-settings.ts';
import { parseYaml } from '../../src/settings/parse-yaml.ts';
import { CONTRACT } from '../contract/schemas.ts';
import { type FaultKind, HOUR } from './fault-kind.ts';
import type { HostileWorld } from './hostile-world.ts';
import { meterOf } from './street.ts';

async function restartWith(world: HostileWorld, change: () => void): Promise<void> {
  await world.stop();
  change();
  world.disturb();
  await world.begin();
}

const POLLS_S = [300, 600, 900];

const WRONG = [
  'version: 1\nutility: demo\ncollector: COL-1\n\tdata: x\n',
  'version: 1\nutility: demo\ncollector: COL-1\ncolector: COL-2\n',
  'version: 1\nutility: demo\ncollector: COL-1\nmeters:\n  - { meter: A, bus: none }\n',
  'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n',
];

const SCHEMA = join(CONTRACT, '..', '..', 'config', 'settings.schema.json');

function isTaken(text: string): boolean {
  const { source, problems: before } = parseYaml('x.yaml', text);
  if (!source) return false;
  const profiles = { names: [], byName: new Map() };
  const schema = compileSchema(readFileSync(SCHEMA, 'utf8'));
  return checkSettings(source, { schema, profiles, folder: '/', before }).ok;
}

export const SETTINGS_FAULTS: readonly FaultKind[] = [
  {
    id: 'C1',
    means: 'restarted with another poll period',
    perDay: [0.1, 1],
    async strike(world, chance) {
      world.hit('C1');
      await restartWith(world, () => {
        world.pollS = POLLS_S[chance.whole(0, POLLS_S.length - 1)] as number;
      });
      world.later(chance.between(1, 20) * HOUR, () =>
        restartWith(world, () => {
          world.pollS = world.options.pollS;
        }),
      );
    },
  },
  {
    id: 'C2',
    means: 'restarted without some of the meters, which are added again later',
    perDay: [0.1, 1],
    async strike(world, chance) {
      const gone = world.places
        .map(meterOf)
        .filter((meter) => !world.taken.has(meter) && chance.chance(0.15));
      world.hit('C2');
      await restartWith(world, () => {
        for (const meter of gone) world.absent.add(meter);
      });
      world.later(chance.between(0.5, 20) * HOUR, () =>
        restartWith(world, () => {
          for (const meter of gone) world.absent.delete(meter);
        }),
      );
    },
  },
  {
    id: 'F46',
    means: 'a settings file that is wrong is refused, and the old one goes on',
    perDay: [0.1, 1],
    strike(world, chance) {
      world.hit('F46');
      const text = WRONG[chance.whole(0, WRONG.length - 1)] as string;
      if (isTaken(text)) world.violate('F46', `wrong settings were taken: ${text}`);
    },
  },
];
