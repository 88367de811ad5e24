// Faults of broker and head-end, and what comes from there: silence, lost links, refusals, take-overs, commands of every kind.

import type { Random } from '../../simulator/random.ts';
import { type FaultKind, HOUR, MINUTE, oneOf } from './fault-kind.ts';
import type { HostileWorld } from './hostile-world.ts';
import { meterOf } from './street.ts';

const anHour = (chance: Random, most: number) =>
  chance.chance(0.6) ? chance.between(1, 50) * MINUTE : chance.between(1, most) * HOUR;

/** A command as a head-end makes it, valid for ten minutes. */
function command(
  world: HostileWorld,
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  fields: Readonly<Record<string, unknown>> = {},
): string {
  world.commands += 1;
  const now = Math.floor(world.trueNow());
  const [issued, expires] = [now, now + 10 * MINUTE].map((at) => new Date(at).toISOString());
  const id = `cmd-${world.commands}`;
  return JSON.stringify({
    v: 1,
    type: 'cmd',
    id,
    name,
    by: 'office',
    issued,
    expires,
    args,
    ...fields,
  });
}

const topicOf = (name: string) => `watermeter-v1/test/COL-1/dn/cmd/${name}`;

/** What nobody in his right mind would say. */
const sayWrong = (world: HostileWorld, name: string, payload: string) =>
  world.broker.say(topicOf(name), payload);

function say(world: HostileWorld, name: string, payload: string): void {
  const topic = topicOf(name);
  world.said.push({ at: world.trueNow(), topic, payload });
  if (world.said.length > SAID_KEPT) world.said.shift();
  world.broker.say(topic, payload);
}

const SAID_KEPT = 200;

/** Commands of the last hours, as a broker may bring them twice. */
const AGAIN_MS = 20 * HOUR;

/** What the head-end said before, said again. */
function sayAgain(world: HostileWorld, chance: Random): void {
  const recent = world.said.filter(({ at }) => at > world.trueNow() - AGAIN_MS);
  const one = oneOf(recent, chance);
  if (one) world.broker.say(one.topic, one.payload);
}

const READS = ['ping', 'birth', 'meter.list', 'events.list', 'diag.bus', 'time.get'];

function replay(world: HostileWorld, chance: Random): Record<string, unknown> {
  const to = chance.whole(1, 3_000);
  return chance.chance(0.5)
    ? { rows: [[Math.max(1, to - chance.whole(0, 300)), to]] }
    : {
        from: new Date(world.trueNow() - chance.between(2, 60) * HOUR).toISOString(),
        to: new Date(world.trueNow() - HOUR).toISOString(),
      };
}

/** A medium that takes so long for a sync lets a cut fall between two of them. */
const NOTICED_MS = 20;

export const UPSTREAM_FAULTS: readonly FaultKind[] = [
  {
    id: 'F17',
    means: 'the broker is away for hours',
    perDay: [0.2, 2],
    strike(world, chance) {
      world.hit('F17');
      world.broker.setUp(false);
      world.later(anHour(chance, 40), () => world.broker.setUp(true));
    },
  },
  {
    id: 'F18',
    means: 'the broker takes everything and acknowledges nothing',
    perDay: [0.3, 2],
    strike(world, chance) {
      world.hit('F18');
      world.broker.withheld = 'acks';
      world.later(anHour(chance, 4), () => {
        world.broker.withheld = 'nothing';
      });
    },
  },
  {
    id: 'F19',
    means: 'acknowledgements are lost with the link, so that messages come twice',
    perDay: [0.5, 5],
    strike(world, chance) {
      world.hit('F19');
      world.broker.withheld = 'acks';
      world.later(chance.between(500, 20_000), () => {
        world.broker.withheld = 'nothing';
        world.broker.cut();
      });
    },
  },
  {
    id: 'F20',
    means: 'the broker refuses topics (135), of one meter or of all',
    perDay: [0.2, 2],
    strike(world, chance) {
      world.hit('F20');
      const meter = chance.chance(0.6) ? oneOf(world.places.map(meterOf), chance) : undefined;
      const part = meter === undefined ? '/interval' : `/${meter}/`;
      world.broker.refuses = (topic) => topic.includes(part);
      world.later(anHour(chance, 5), () => {
        world.broker.refuses = () => false;
      });
    },
  },
  {
    id: 'F21',
    means: 'another client with the same id takes the session over, again and again',
    perDay: [0.2, 2],
    strike(world, chance) {
      world.hit('F21');
      for (let n = 0, ms = 0; n < chance.whole(5, 40); n += 1) {
        ms += chance.between(500, 8_000);
        world.later(ms, () => world.broker.cut());
      }
    },
  },
  {
    id: 'F22',
    means: 'the broker restarts and has forgotten sessions and retained messages',
    perDay: [0.2, 2],
    strike(world, chance) {
      world.hit('F22');
      world.broker.setUp(false);
      world.broker.forget();
      world.later(chance.between(500, 60_000), () => {
        world.broker.setUp(true);
        world.headEnd.greet();
      });
    },
  },
  {
    id: 'F24',
    means: 'a black hole: the link stands and nothing arrives',
    perDay: [0.3, 3],
    strike(world, chance) {
      world.hit('F24');
      world.broker.withheld = 'messages';
      world.later(anHour(chance, 3), () => {
        world.broker.withheld = 'nothing';
      });
    },
  },
  {
    id: 'F24c',
    means: 'the link is cut at any instant',
    perDay: [0.5, 8],
    strike(world) {
      world.hit('F24c');
      world.broker.cut();
    },
  },
  {
    id: 'F24s',
    means: 'a slow link that lets few messages be in flight',
    perDay: [0.2, 2],
    strike(world, chance) {
      world.hit('F24s');
      world.broker.latencyMs = chance.between(200, 4_000);
      world.broker.receiveMaximum = chance.whole(1, 5);
      world.later(anHour(chance, 4), () => {
        world.broker.latencyMs = world.options.latencyMs;
        world.broker.receiveMaximum = 20;
      });
    },
  },
  {
    id: 'H1',
    means: 'the head-end is dead behind a living broker, which acknowledges all the same',
    perDay: [0.3, 2],
    strike(world, chance) {
      if (world.options.ack !== 'required') return;
      world.hit('H1');
      world.headEnd.die();
      world.later(anHour(chance, 20), () => world.headEnd.revive());
    },
  },
  {
    id: 'H2',
    means: 'the head-end comes back from a store of yesterday',
    perDay: [0.3, 1.5],
    strike(world, chance) {
      if (world.options.ack !== 'required') return;
      world.hit('H2');
      world.headEnd.fallBack(world.trueNow() - chance.between(0.1, 30) * HOUR);
    },
  },
  {
    id: 'F49v',
    means: 'commands as they should be',
    perDay: [2, 20],
    strike(world, chance) {
      world.hit('F49v');
      const place = oneOf(world.places, chance);
      const draw = chance.next();
      if (draw < 0.3) {
        const name = oneOf(READS, chance) ?? 'ping';
        say(world, name, command(world, name));
      } else if (draw < 0.6) {
        say(world, 'read', command(world, 'read', { meter: place && meterOf(place) }));
      } else if (draw < 0.8) say(world, 'replay', command(world, 'replay', replay(world, chance)));
      else {
        const hour = Math.floor(world.trueNow() / HOUR - chance.whole(1, 30)) * HOUR;
        const args = { meter: place && meterOf(place), start: new Date(hour).toISOString() };
        say(world, 'billing.read', command(world, 'billing.read', args));
      }
    },
  },
  {
    id: 'F49',
    means: 'commands malformed, unknown, expired, replayed, retained, forbidden or oversized',
    perDay: [2, 20],
    strike(world, chance) {
      world.hit('F49');
      const long = new Date(world.trueNow() - HOUR).toISOString();
      const wrong: readonly (() => void)[] = [
        () => sayWrong(world, 'ping', '{"v":1,"type":"cmd"'),
        () => sayWrong(world, 'ping', command(world, 'read')),
        () => sayWrong(world, 'ping', command(world, 'ping', {}, { expires: long })),
        () => sayAgain(world, chance),
        () => sayWrong(world, 'ping', command(world, 'ping', { fill: 'x'.repeat(9_000) })),
        () => sayWrong(world, 'shell', command(world, 'shell', { run: 'ls' })),
        () => sayWrong(world, 'read', command(world, 'read', { meter: '__proto__' })),
        () => sayWrong(world, 'ping', `{"__proto__":{"v":1},"id":${'['.repeat(2_000)}`),
        () =>
          sayWrong(world, 'meter.maintenance', command(world, 'meter.maintenance', { meter: 7 })),
      ];
      oneOf(wrong, chance)?.();
    },
  },
  {
    id: 'F49d',
    means:
      'the process dies just after a command that changes something, and the command comes again',
    perDay: [0.3, 1.5],
    async strike(world, chance) {
      const place = oneOf(world.places, chance);
      if (!world.options.operate || !place || !world.collector) return;
      world.hit('F49d');
      const args = { meter: meterOf(place), off: chance.chance(0.5) };
      const payload = command(world, 'meter.maintenance', args);
      const syncMs = Math.max(world.options.syncMs, NOTICED_MS);
      world.syncIn(syncMs);
      say(world, 'meter.maintenance', payload);
      // Its mark is one sync, what it did another, its answer a third.
      await world.clock.run(world.trueNow() + chance.between(0, 3 * syncMs));
      world.kill(0);
      world.syncIn(world.options.syncMs);
      await world.clock.run(world.trueNow() + chance.between(200, 5_000));
      world.disturb();
      await world.begin();
      await world.clock.run(world.trueNow() + 2 * MINUTE);
      say(world, 'meter.maintenance', payload);
    },
  },
  {
    id: 'F49f',
    means: 'a flood of commands',
    perDay: [0.1, 0.7],
    strike(world, chance) {
      world.hit('F49f');
      const flood = chance.whole(200, 1_500);
      for (let n = 0; n < flood; n += 1) say(world, 'ping', command(world, 'ping'));
    },
  },
];
