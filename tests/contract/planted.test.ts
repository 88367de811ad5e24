// What a dishonest collector might say, one breach of each family of rules at a time: each is found under its own number and no other.

import { beforeAll, describe, expect, it } from 'vitest';
import { ContractChecker, type Message } from '../../simulator/contract-rules/checker.ts';
import type { Rule } from '../../simulator/contract-rules/verdicts.ts';
import { VirtualWorld } from '../whole/virtual-world.ts';

const BELOW = 'watermeter-v1/test/COL-1/';
const HOUR = 3_600_000;
// biome-ignore lint/suspicious/noExplicitAny: planted breaches take no type's word for anything.
type Fields = Record<string, any>;
const parsed = ({ payload }: Message) => JSON.parse(payload || 'null') as Fields;
const isOf = (kind: string) => (message: Message) => message.topic.endsWith(`/${kind}`);
const iso = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');

/** A day and a half of a collector, with what its head-end acknowledges and commands. */
async function listen(): Promise<Message[]> {
  const world = new VirtualWorld({ seed: 7, meters: 4 });
  const said: Message[] = [];
  world.broker.onMessage((message) => said.push(message));
  const say = (path: string, message: object, retain: boolean) => {
    const [topic, payload] = [`${BELOW}${path}`, JSON.stringify({ v: 1, ...message })];
    said.push({ at: world.clock.now(), topic, payload, qos: 1, retain });
    world.broker.say(topic, payload, retain);
  };
  const command = (id: string, name: string, args: object) => {
    const now = world.clock.now();
    const times = { issued: iso(now), expires: iso(now + 60_000) };
    say(`dn/cmd/${name}`, { type: 'cmd', id, name, by: 'ops', ...times, args }, false);
  };
  await world.run(0.4);
  await world.start();
  await world.run(4.9);
  world.silence('SP-00003', true);
  await world.run(3);
  world.silence('SP-00003', false);
  await world.run(2);
  command('c-1', 'ping', {});
  command('c-2', 'meter.maintenance', { meter: 'SP-00001' });
  await world.run(1);
  const hour = iso(Date.UTC(2026, 5, 1, 6));
  command('c-3', 'billing.read', { meter: 'SP-00001', hour });
  await world.run(20);
  const rows = said.filter(isOf('interval')).map((message) => parsed(message)['intervals'][0]?.row);
  const epoch = parsed(said.find(isOf('interval')) as Message)['epoch'];
  const ack = { type: 'ack', collector: 'COL-1', epoch, row: Math.max(...rows.filter(Boolean)) };
  say('dn/ack', { ...ack, missing: [[3, 4]], sent: iso(world.clock.now()) }, true);
  await world.run(4);
  await world.stop();
  return said;
}

let heard: readonly Message[];
beforeAll(async () => {
  heard = await listen();
}, 60_000);

function broken(messages: readonly Message[], asPublished = true): Rule[] {
  const checker = new ContractChecker(undefined, asPublished);
  for (const message of messages) checker.take(message);
  return checker.finish(null).flatMap(({ rule, outcome }) => (outcome === 'failed' ? [rule] : []));
}

/** The recording with each message for which `which` holds changed, or those of them that `nth` names. */
function changed(
  which: (message: Message) => boolean,
  change: (fields: Fields) => void,
  nth?: number,
): Message[] {
  const found = heard.filter(which);
  expect(found.length).toBeGreaterThan(nth ?? 0);
  return heard.map((message) => {
    if (!(nth === undefined ? which(message) : message === found[nth])) return message;
    const fields = parsed(message);
    change(fields);
    return { ...message, payload: JSON.stringify(fields) };
  });
}
const eachHour = (meter: string, change: (hour: Fields, message: Fields) => void) =>
  changed(isOf(`${meter}/interval`), (fields) => {
    for (const hour of fields['intervals']) change(hour, fields);
  });
/** The row after all others: one further on would leave a hole. */
const nextRow = () => {
  const rows = heard.flatMap(({ payload }) => [...payload.matchAll(/"row":(\d+)/g)]);
  return 1 + Math.max(...rows.map((match) => Number(match[1])));
};
const asked = (name: string) => (message: Message) => message.topic.endsWith(`/cmd/${name}`);
const told = (code: string) => (message: Message) => message.payload.includes(`"code":"${code}"`);

describe('a collector that keeps the contract', () => {
  it('breaks no rule, and these breaches have something to be planted in', () => {
    const checker = new ContractChecker(undefined, true);
    for (const message of heard) checker.take(message);
    const verdicts = checker.finish(null);
    expect(verdicts.flatMap(({ breaches }) => breaches)).toEqual([]);
    const unseen = verdicts.filter(({ outcome }) => outcome === 'not seen');
    expect(unseen.map(({ rule }) => rule)).toEqual(['A2', 'A3', 'A4', 'C6']);
  });
});

describe('a breach is found under its own number and no other:', () => {
  it.each<[Rule, string, () => Message[]]>([
    [
      'I3',
      'the hour in which an installation began is called actual',
      () => {
        const info = parsed(heard.findLast(isOf('SP-00001/info')) as Message);
        const began = Math.floor(Date.parse(info['installed']) / HOUR) * HOUR;
        return eachHour('SP-00001', (hour) => {
          if (Date.parse(hour['start']) === began) hour['q'] = 'A';
        });
      },
    ],
    [
      'I4',
      'the volume of an hour that was read is hidden in a gap',
      () =>
        changed(
          isOf('SP-00001/interval'),
          (fields) => {
            const [hour] = fields['intervals'];
            const start = Date.parse(hour.start);
            const [from, to] = [iso(start + HOUR / 4), iso(start + HOUR / 2)];
            const gap = { row: nextRow(), from, to, use: hour.use, why: 'bus', flags: [] };
            fields['gaps'].push(gap);
            hour.use = 0;
          },
          8,
        ),
    ],
    [
      'I7',
      'a dial passes its capacity in silence',
      () => eachHour('SP-00002', (hour) => (hour['flags'] = [])),
    ],
    [
      'S1',
      'a session says ready after its clean stop',
      () => {
        const ready = heard.find(isOf('state')) as Message;
        const { at } = heard.at(-1) as Message;
        const payload = JSON.stringify({ ...parsed(ready), sent: iso(at + 60_000) });
        return [...heard, { ...ready, at: at + 60_000, payload }];
      },
    ],
    [
      'S2',
      'births speak of a session of their own',
      () => changed(isOf('birth'), (fields) => (fields['session'] = 'MINE')),
    ],
    [
      'S5',
      'a scorecard has more meters read in one day than in three',
      () => changed(isOf('scorecard'), (fields) => (fields['success'].day_3 = 0.5)),
    ],
    [
      'E1',
      'an event comes again with other evidence',
      () => {
        const event = heard.find(told('read.silent')) as Message;
        const fields = parsed(event);
        fields['data'].polls = 99;
        return [...heard, { ...event, payload: JSON.stringify(fields) }];
      },
    ],
    [
      'A1',
      'what was asked for again never comes, though it came once',
      () => {
        const ack = heard.findIndex(isOf('ack'));
        return heard.filter(({ payload }, i) => i <= ack || !/"row":[34]\b/.test(payload));
      },
    ],
    [
      'A3',
      'lost rows are told backwards',
      () => {
        const event = heard.find(told('command.executed')) as Message;
        const loss = { code: 'journal.loss', id: 'loss', row: nextRow(), data: { rows: [[9, 2]] } };
        return [...heard, { ...event, payload: JSON.stringify({ ...parsed(event), ...loss }) }];
      },
    ],
    [
      'C2',
      'a command of more than 8 KiB is done',
      () => changed(asked('ping'), (fields) => (fields['args'].note = 'x'.repeat(9_000))),
    ],
    [
      'C2',
      'a command is done a quarter of an hour after it was over',
      () =>
        changed(asked('ping'), (fields) => {
          const issued = Date.parse(fields['issued']);
          fields['issued'] = iso(issued - 2 * HOUR);
          fields['expires'] = iso(issued - HOUR);
        }),
    ],
    [
      'C4',
      'nobody is said to have given the command that was executed',
      () => changed(told('command.executed'), (fields) => delete fields['data'].by),
    ],
    [
      'C5',
      'a bill tells another quality than the hour',
      () =>
        changed(
          (message) => message.payload.includes('"name":"billing.read","status"'),
          (fields) => (fields['data'].q = 'M'),
        ),
    ],
    [
      'topics',
      'the description of a meter is not retained',
      () =>
        heard.map((message) =>
          isOf('SP-00002/info')(message) ? { ...message, retain: false } : message,
        ),
    ],
    [
      'payload',
      'an hour comes as an event',
      () => changed(isOf('SP-00001/interval'), (fields) => (fields['type'] = 'event'), 3),
    ],
  ])('%s: %s', (rule, _, planted) => {
    expect(broken(planted())).toEqual([rule]);
  });
});
