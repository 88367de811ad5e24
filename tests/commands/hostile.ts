// Random and hostile commands thrown at a whole collector, each with what must come of it, and its polls beside those of an undisturbed twin.

import { Random } from '../../simulator/random.ts';
import { validatorOf } from '../contract/schemas.ts';
import { HOUR, VirtualWorld } from '../whole/virtual-world.ts';

const BELOW = 'watermeter-v1/test/COL-1/';
const BYTES_MAX = 8 * 1024;
const METERS = 4;
const FLOOD = 10_000;
const SMALL = 400;

/** What was thrown, and the code that must answer it; null: nobody can be answered. */
interface Thrown {
  readonly name: string;
  readonly payload: string;
  readonly retained: boolean;
  /** An answer is awaited elsewhere (MQTT 5). */
  readonly elsewhere: boolean;
  readonly id: string | null;
  readonly codes: readonly string[] | null;
}

export interface Onslaught {
  readonly thrown: number;
  readonly answered: number;
  readonly refused: number;
  /** What did not go as it must, in words. */
  readonly faults: readonly string[];
  readonly polls: number;
  /** Polls that came at another instant than those of the twin. */
  readonly pollsMoved: number;
}

const isCommand = validatorOf('cmd');
/** What the owner has not switched on. */
const FORBIDDEN = ['changeout', 'meter.disable', 'reading.add', 'bus.scan', 'meter.maintenance'];
const DONE = ['ping', 'time.get', 'meter.list', 'events.list', 'diag.bus', 'billing.read', 'birth'];
const UNKNOWN = [
  'shell',
  'time.set',
  'status',
  'audit',
  'constructor',
  'to.string',
  'has.own_property',
];

class Thrower {
  readonly #random: Random;
  readonly #world: VirtualWorld;
  #n = 0;
  /** Commands that were done, to be thrown again. */
  readonly #done: { readonly thrown: Thrown; readonly at: number }[] = [];

  constructor(seed: string, world: VirtualWorld) {
    this.#random = new Random(seed);
    this.#world = world;
  }

  next(): Thrown {
    this.#n += 1;
    const kinds = [
      () => this.#garbage(),
      () => this.#wrongFields(),
      () => this.#wrongFields(),
      () => this.#deep(),
      () => this.#prototype(),
      () => this.#oversized(),
      () => this.#valid({ retained: true }, ['bad_request']),
      () => this.#valid({ late: true }, ['expired']),
      () => this.#valid({ names: UNKNOWN }, ['unknown_command']),
      () => this.#valid({ names: FORBIDDEN }, ['forbidden']),
      () => this.#valid({}, ['ok', 'bad_request', 'unknown_meter', 'no_answer']),
      () => this.#again(),
      () => this.#oddTopic(),
    ];
    const thrown = (kinds[this.#random.whole(0, kinds.length - 1)] as () => Thrown)();
    const elsewhere = this.#random.chance(0.1);
    return { ...thrown, elsewhere };
  }

  /** One that a flood of is held in memory whole: what is larger may be dropped, counted and told. */
  small(): Thrown {
    for (;;) {
      const thrown = this.next();
      if (thrown.payload.length < SMALL) return thrown;
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.whole(0, list.length - 1)] as T;
  }

  #text(most: number): string {
    const length = this.#random.whole(0, most);
    return Array.from({ length }, () =>
      String.fromCharCode(
        this.#random.chance(0.8) ? this.#random.whole(32, 126) : this.#random.whole(0, 65_535),
      ),
    ).join('');
  }

  #id(): string {
    return `h-${this.#n}`;
  }

  #command(name: string, more: object = {}): Record<string, unknown> {
    const now = this.#world.clock.now();
    return {
      ...{ v: 1, type: 'cmd', id: this.#id(), name, by: 'ops', args: {} },
      ...{ issued: new Date(now).toISOString(), expires: new Date(now + 60_000).toISOString() },
      ...more,
    };
  }

  #as(
    name: string,
    payload: string,
    codes: readonly string[] | null,
    id: string | null,
    retained = false,
  ): Thrown {
    return { name, payload, retained, elsewhere: false, id, codes };
  }

  /** By the schema itself: what breaks it is a bad request, and unanswered where its id is none. */
  #judged(name: string, said: unknown): Thrown {
    const payload = JSON.stringify(said) ?? 'undefined';
    const { id } = (said ?? {}) as { id?: unknown };
    const isObject = typeof said === 'object' && said !== null && !Array.isArray(said);
    const named = isObject && typeof id === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(id);
    const fits = Buffer.byteLength(payload) <= BYTES_MAX;
    if (!named || !fits) return this.#as(name, payload, null, null);
    const bad = !isCommand(JSON.parse(payload)) || (said as { name?: unknown }).name !== name;
    const codes = bad
      ? ['bad_request']
      : ['ok', 'unknown_meter', 'bad_request', 'no_answer', 'expired', 'conflict'];
    return this.#as(name, payload, codes, id as string);
  }

  #garbage(): Thrown {
    const whole = JSON.stringify(this.#command('ping'));
    const cut = whole.slice(0, this.#random.whole(0, whole.length - 1));
    const payload = this.#pick([
      cut,
      '',
      '[]',
      'null',
      '7',
      '"x"',
      '{',
      '\u0000',
      '\ufffd',
      this.#text(300),
    ]);
    // Chance does not write a whole command.
    return this.#as('ping', payload, null, null);
  }

  #wrongFields(): Thrown {
    const odd = () =>
      this.#pick<unknown>([
        ...[
          null,
          true,
          -1,
          1e308,
          0.5,
          [],
          {},
          [[]],
          '',
          this.#text(120),
          'x'.repeat(200),
          '2026-02-31T25:61:00Z',
        ],
        ...[
          '2026-06-01T00:00:00',
          '2026-06-01T00:00:00+02:00',
          { toString: 1 },
          '__proto__',
          undefined,
        ],
      ]);
    const name = this.#pick(DONE);
    const said = this.#command(name);
    for (let i = this.#random.whole(1, 3); i > 0; i -= 1) {
      const field = this.#pick(['v', 'type', 'id', 'name', 'by', 'issued', 'expires', 'args']);
      const value = odd();
      if (value === undefined) delete said[field];
      else said[field] = value;
    }
    return this.#judged(name, said);
  }

  #deep(): Thrown {
    const depth = this.#random.whole(10, 3_900);
    const nest = this.#pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    const core = nest[0] === '[' ? '' : '1';
    const most = Math.floor((BYTES_MAX - 300) / (nest[0].length + 1));
    const times = Math.min(depth, most);
    const deep = nest[0].repeat(times) + core + nest[1].repeat(times);
    const whole = JSON.stringify(this.#command('meter.list'));
    if (this.#random.chance(0.3)) return this.#as('meter.list', deep, null, null);
    const payload = whole.replace('"args":{}', `"args":{"x":${deep}}`);
    return this.#as('meter.list', payload, ['ok'], this.#id());
  }

  #prototype(): Thrown {
    const poison = this.#pick([
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
    ]);
    const whole = JSON.stringify(this.#command('meter.list'));
    const payload = this.#random.chance(0.5)
      ? whole.replace('"args":{}', `"args":${poison}`)
      : whole.replace('{"v":1', '{"__proto__":{"id":"stolen"},"v":1');
    return this.#as('meter.list', payload, ['ok'], this.#id());
  }

  #oversized(): Thrown {
    const pad = 'x'.repeat(this.#random.whole(BYTES_MAX, 60_000));
    return this.#as('ping', JSON.stringify(this.#command('ping', { args: { pad } })), null, null);
  }

  #valid(
    how: {
      readonly retained?: boolean;
      readonly late?: boolean;
      readonly names?: readonly string[];
    },
    codes: readonly string[],
  ): Thrown {
    const name = this.#pick(how.names ?? DONE);
    const late = how.late
      ? { expires: new Date(this.#world.clock.now() - this.#random.whole(0, 1e9)).toISOString() }
      : {};
    const args = this.#pick<object>([
      {},
      { meter: 'SP-00001' },
      { meter: this.#text(60) },
      { meter: 7, hour: [] },
    ]);
    const said = this.#command(name, { args, ...late });
    const thrown = this.#as(name, JSON.stringify(said), codes, this.#id(), how.retained === true);
    if (!how.retained && !how.late && !how.names)
      this.#done.push({ thrown, at: this.#world.clock.now() });
    return thrown;
  }

  /** An id that was done is answered again with what it came to, though its time is over. */
  #again(): Thrown {
    const before = this.#done.length === 0 ? undefined : this.#pick(this.#done.slice(-200));
    return before ? before.thrown : this.#garbage();
  }

  #oddTopic(): Thrown {
    const name = this.#pick([
      'PING',
      'a'.repeat(150),
      'ping ',
      '__proto__',
      'ünkown',
      '..',
      'ping\u0000',
    ]);
    const said = this.#command(this.#random.chance(0.5) ? 'ping' : name);
    return this.#as(name, JSON.stringify(said), ['bad_request'], this.#id());
  }
}

const worldOf = (seed: number) =>
  new VirtualWorld({
    seed,
    meters: METERS,
    pollS: 60,
    commands: { operate: false, configure: false },
  });

const pollsOf = (world: VirtualWorld) =>
  world.places.map(({ served }) => served.map(({ at }) => at));

interface Rsp {
  readonly topic: string;
  readonly id: string | null;
  readonly code: string;
}

/**
 * Throws `count` commands and a flood of 10,000 at once at a collector that reads four meters, over some hours, and reads the
 * same meters undisturbed beside it.
 */
export async function throwAt(count: number, seed: number): Promise<Onslaught> {
  const world = worldOf(seed);
  const twin = worldOf(seed);
  await world.start();
  await twin.start();
  await world.run(0.1);
  await twin.run(0.1);
  const thrower = new Thrower(`hostile/${seed}`, world);
  const faults: string[] = [];
  let answered = 0;
  const batch = 200;
  const step = Math.max(1_000, Math.floor((3 * HOUR) / Math.ceil(count / batch)));
  const say = (thrown: Thrown) => {
    const { name, payload, retained, elsewhere } = thrown;
    const where = elsewhere ? { responseTopic: 'answers/here', correlation: Buffer.from('c') } : {};
    world.broker.sayAs({ topic: `${BELOW}dn/cmd/${name}`, payload, retained, ...where });
  };
  const settle = async (list: readonly Thrown[], ms: number) => {
    const from = world.broker.received.length;
    for (const thrown of list) say(thrown);
    await world.clock.run(world.clock.trueNow() + ms);
    const rsps = world.broker.received.slice(from).flatMap(({ topic, payload }): Rsp[] => {
      if (topic !== `${BELOW}up/rsp` && topic !== 'answers/here') return [];
      return [{ topic, ...(JSON.parse(payload) as { id: string | null; code: string }) }];
    });
    faults.push(...wrongs(list, rsps));
    answered += rsps.length;
  };
  for (let left = count; left > 0; left -= batch) {
    const list = Array.from({ length: Math.min(batch, left) }, () => thrower.next());
    await settle(list, step);
  }
  await settle(
    Array.from({ length: FLOOD }, () => thrower.small()),
    60_000,
  );
  const until = world.clock.trueNow() + HOUR;
  await world.clock.run(until);
  await twin.clock.run(until);
  if (({} as { polluted?: unknown }).polluted !== undefined)
    faults.push('a prototype was polluted');
  const [polls, quiet] = [pollsOf(world), pollsOf(twin)];
  const moved = polls.flatMap((list, i) => list.filter((at, n) => quiet[i]?.[n] !== at));
  const refused = toldRefusals(world);
  return {
    ...{ thrown: count + FLOOD, answered, refused, faults },
    polls: polls.flat().length,
    pollsMoved: moved.length + Math.abs(polls.flat().length - quiet.flat().length),
  };
}

/** Refusals that were told, in events that say how many each stands for. */
function toldRefusals(world: VirtualWorld): number {
  return world.broker.received
    .filter(({ topic }) => topic === `${BELOW}up/event`)
    .map(({ payload }) => JSON.parse(payload) as { code: string; data: { refused?: number } })
    .filter(({ code }) => code === 'command.refused')
    .reduce((sum, { data }) => sum + (data.refused ?? 0), 0);
}

/** One answer for each that can be answered, where it was awaited, with a code that it may have. */
function wrongs(list: readonly Thrown[], rsps: readonly Rsp[]): string[] {
  const faults: string[] = [];
  const byId = new Map<string, Rsp[]>();
  for (const rsp of rsps) {
    const key = rsp.id ?? '';
    byId.set(key, [...(byId.get(key) ?? []), rsp]);
  }
  const awaited = list.filter(({ codes, elsewhere }) => codes === null && elsewhere).length;
  const nameless = byId.get('') ?? [];
  if (nameless.length !== awaited)
    faults.push(`${nameless.length} answers without an id, for ${awaited}`);
  const wanted = new Map<string, Thrown[]>();
  for (const one of list) {
    if (one.codes && one.id !== null) wanted.set(one.id, [...(wanted.get(one.id) ?? []), one]);
  }
  for (const [id, ones] of wanted) {
    const got = byId.get(id) ?? [];
    if (got.length !== ones.length)
      faults.push(
        `${got.length} answers for ${ones.length} of ${id}: ${ones[0]?.payload.slice(0, 200)}`,
      );
    const codes = new Set(ones.flatMap((one) => one.codes ?? []));
    for (const { code } of got) {
      if (!codes.has(code))
        faults.push(`${code} for ${id}, not ${[...codes]}: ${ones[0]?.payload.slice(0, 200)}`);
    }
  }
  return faults;
}
