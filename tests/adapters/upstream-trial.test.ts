// `upstream test` on real brokers: what they take, refuse or leave unanswered.

import { afterEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { tryUpstream } from '../../src/adapters/upstream-trial.ts';
import type { Settings } from '../../src/settings/settings.ts';
import {
  aedes,
  freePort,
  hasMosquitto,
  mosquitto,
  partsFor,
  type RealBroker,
} from '../fakes/real-brokers.ts';

let broker: RealBroker | undefined;
afterEach(async () => {
  await broker?.dispose();
  broker = undefined;
});

async function trial(made: RealBroker) {
  broker = made;
  await made.start();
  return tryAt(made.port);
}

function tryAt(port: number) {
  const { settings: upstream } = partsFor(port);
  const settings = { utility: 'u', collector: 'COL-1', upstream } as Settings;
  return tryUpstream(settings, createSystemClock());
}

describe('a trial of the way up', () => {
  it.skipIf(!hasMosquitto)(
    'is accepted where the collector may publish (needs mosquitto)',
    async () => {
      const answer = await trial(
        await mosquitto({ acl: 'topic readwrite watermeter-v1/u/COL-1/up/#' }),
      );
      expect(answer).toMatchObject({ ok: true, data: { publish: 'accepted' } });
    },
  );

  it.skipIf(!hasMosquitto)('is refused where it may not (needs mosquitto)', async () => {
    const answer = await trial(
      await mosquitto({ acl: 'topic readwrite watermeter-v1/u/COL-2/up/#' }),
    );
    expect(answer).toMatchObject({ ok: false, code: 'upstream.refused' });
  });

  it('is not confirmed on MQTT 3.1.1, where nobody says no', async () => {
    expect(await trial(await aedes())).toMatchObject({
      ok: true,
      data: { publish: 'not_confirmed' },
    });
  });

  it('is offline where nobody answers', async () => {
    expect(await tryAt(await freePort())).toMatchObject({ ok: false, code: 'upstream.offline' });
  });
});
