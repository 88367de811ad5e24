// What a person does at the command line to a collector that runs: the journal and the head-end hear of it, and no count is lost.

import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import type { GapEntry } from '../../simulator/entries.ts';
import { aedes } from '../fakes/real-brokers.ts';
import { until } from '../fakes/until.ts';
import { Street } from './street.ts';
import { typed as type } from './typed.ts';

let street: Street | undefined;
afterEach(async () => {
  await street?.close();
  street = undefined;
});

const HAND = {
  meter: 'SP-HAND',
  profile: 'read-by-hand',
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
};

async function openWithHandReadMeter(): Promise<Street> {
  const opened = await Street.open({ seed: 61, speed: 1_200, broker: await aedes() });
  const settings = parseDocument(await readFile(opened.config, 'utf8'));
  settings.addIn(['meters'], settings.createNode(HAND));
  await writeFile(opened.config, String(settings));
  return opened;
}

it('a dial read by hand, a meter put out of service, a change-out: told to the head-end, and the audit passes', async () => {
  street = await openWithHandReadMeter();
  const { config, headEnd, world } = street;
  street.start();
  await until('two hours', () => street?.hoursOf('SP-00002').length === 2, 30_000);

  expect(await type(config, 'reading', 'add', 'SP-HAND', '00001234')).toMatchObject({ exit: 0 });
  const wrong = await type(config, 'reading', 'add', 'SP-HAND', '99999999');
  expect(wrong.exit).toBe(6);
  expect(JSON.parse(wrong.out)).toMatchObject({ error: { code: 'verify_failed' } });
  expect(await type(config, 'reading', 'add', 'SP-HAND', '1250')).toMatchObject({ exit: 0 });
  expect(await type(config, 'reading', 'confirm', 'SP-00003')).toMatchObject({ exit: 1 });
  expect(await type(config, 'meter', 'disable', 'SP-NONE')).toMatchObject({ exit: 2 });

  expect(await type(config, 'meter', 'disable', 'SP-00001')).toMatchObject({ exit: 0 });
  const swapped = await type(config, 'changeout', 'SP-00002', '--body-serial', 'N-1', '--by', 'me');
  expect(JSON.parse(swapped.out)).toMatchObject({ meter: 'SP-00002', inst: 2 });
  const closed = world.now();
  const hourAfter = () => world.now() > closed + 2 * 3_600_000;
  await until('two hours more', hourAfter, 30_000);
  expect(await type(config, 'meter', 'enable', 'SP-00001')).toMatchObject({ exit: 0 });

  const told = (is: (entry: ReturnType<typeof headEnd.entries>[number]) => boolean) =>
    headEnd.entries().some(is);
  await until('the hour of the hand', () =>
    told((entry) => entry.meter === 'SP-HAND' && entry.kind === 'hour' && entry.q === 'H'),
  );
  await until('the gap of the disabled meter', () =>
    told((entry) => entry.kind === 'gap' && entry.meter === 'SP-00001' && isDisabled(entry)),
  );
  await until('the new installation', () =>
    told((entry) => entry.meter === 'SP-00002' && entry.inst === 2 && entry.kind === 'hour'),
  );
  const events = JSON.parse((await type(config, 'events', 'SP-00002')).out) as {
    events: { code: string; data: Record<string, unknown> }[];
  };
  expect(events.events.at(-1)).toMatchObject({ code: 'meter.changeout', data: { by: 'me' } });
  const audit = await type(config, 'audit');
  expect(JSON.parse(audit.out)).toMatchObject({ ok: true });
  expect(audit.exit).toBe(0);
}, 120_000);

function isDisabled({ why }: GapEntry): boolean {
  return why === 'disabled';
}
