// The rule checker passes what our collector says in every story and world, and finds each planted breach under its number.

import { beforeAll, describe, expect, it } from 'vitest';
import { ContractChecker, type Message } from '../../simulator/contract-rules/checker.ts';
import { RowSet } from '../../simulator/contract-rules/row-set.ts';
import type { Rule, Verdict } from '../../simulator/contract-rules/verdicts.ts';
import { Ledger } from '../../simulator/ledger.ts';
import { Random } from '../../simulator/random.ts';
import { VirtualWorld } from '../whole/virtual-world.ts';

const HOUR = 3_600_000;
const broken = (verdicts: readonly Verdict[]) =>
  verdicts.filter(({ outcome }) => outcome === 'failed').map(({ rule }) => rule);

function judge(messages: readonly Message[]): Verdict[] {
  const checker = new ContractChecker();
  for (const message of messages) checker.take(message);
  return checker.finish(null);
}

const breachesOf = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap(({ breaches }) => breaches.map(({ rule, text }) => `${rule} ${text}`));

/** Eight meters through silences, an unplugged bus, kills and a broker away. */
async function recording(): Promise<Message[]> {
  const world = new VirtualWorld({ seed: 11, meters: 8 });
  await world.start();
  await world.run(3.5);
  world.silence('SP-00001', true);
  await world.run(3);
  world.silence('SP-00001', false);
  world.unplug('bus-3');
  await world.run(2);
  world.plugIn('bus-3');
  world.kill();
  await world.run(1.4);
  await world.start();
  world.broker.setUp(false);
  await world.run(6);
  world.broker.setUp(true);
  await world.run(4);
  await world.stop();
  return world.broker.received;
}

let heard: readonly Message[];
beforeAll(async () => {
  heard = await recording();
}, 60_000);

// biome-ignore lint/suspicious/noExplicitAny: planted breaches take no type's word for anything.
type Fields = Record<string, any>;
type Which = (fields: Fields, message: Message) => boolean;
const isInterval = ({ topic }: Message) => topic.endsWith('/interval');
const parsed = (message: Message): Fields => JSON.parse(message.payload) as Fields;
/** The message with these fields in the place of its own. */
const saying = (message: Message, fields: object): Message => ({
  ...message,
  payload: JSON.stringify({ ...parsed(message), ...fields }),
});
/** As the contract writes a time of whole seconds. */
const instant = (ms: number) => new Date(ms).toISOString().replace('.000', '');

function edited(message: Message, edit: (fields: Fields) => void): Message {
  const fields = parsed(message);
  edit(fields);
  return { ...message, payload: JSON.stringify(fields) };
}

/** The n-th message of the recording for which `which` holds. */
function found(which: Which, nth: number): Message {
  const message = heard.filter((one) => one.payload !== '' && which(parsed(one), one))[nth];
  expect(message).toBeDefined();
  return message as Message;
}

/** The recording with one message edited. */
function changed(which: Which, edit: (fields: Fields) => void, nth = 0): Message[] {
  const meant = found(which, nth);
  return heard.map((message) => (message === meant ? edited(message, edit) : message));
}

/** The recording with one message again, after all others, edited. */
const again = (which: Which, edit: (fields: Fields) => void): Message[] => [
  ...heard,
  edited(found(which, 1), edit),
];

const ofType =
  (type: string): Which =>
  (fields) =>
    fields['type'] === type;
const ofMeter =
  (meter: string): Which =>
  (fields, message) =>
    isInterval(message) && fields['meter'] === meter && fields['intervals'].length > 0;
const hasGap: Which = (fields, message) => isInterval(message) && fields['gaps'].length > 0;
const hasMissing: Which = (fields, message) =>
  isInterval(message) && fields['intervals'].some((one: Fields) => one['q'] === 'M');
/** An hour in the middle of the recording. */
const hour = (edit: (entry: Fields) => void) =>
  changed(ofMeter('SP-00002'), (fields) => edit(fields['intervals'][0]), 2);
/** The n-th state that was told, changed. */
const stateOf = (nth: number, fields: object): Message =>
  saying(heard.filter(({ topic }) => topic.endsWith('/state')).at(nth) as Message, fields);

describe('the rules of the contract', () => {
  it('are all kept by our collector, as far as a recording can show them', () => {
    const verdicts = judge(heard);
    expect(breachesOf(verdicts)).toEqual([]);
    const unseen = verdicts.filter(({ outcome }) => outcome === 'not seen');
    // Rules of messages that this recording has none of.
    const may = ['I9', 'S4', 'S5', 'A2', 'A3', 'C1', 'C2', 'C3', 'C4', 'C5', 'C6'];
    expect(may).toEqual(expect.arrayContaining(unseen.map(({ rule }) => rule)));
    expect(verdicts.find(({ rule }) => rule === 'I5')?.checked).toBeGreaterThan(100);
  });

  it('are kept whatever part of a recording was heard', () => {
    for (const [from, to] of [
      [heard.length >> 2, heard.length],
      [heard.length >> 1, heard.length],
    ]) {
      expect(breachesOf(judge(heard.slice(from, to)))).toEqual([]);
    }
  });

  it('are kept when every message comes twice', () => {
    expect(breachesOf(judge(heard.flatMap((message) => [message, message])))).toEqual([]);
  });

  it.each<[string, Rule, () => Message[]]>([
    ['a use that is one count too much', 'I5', () => hour((one) => (one['use'] += 1))],
    [
      'a use and total that both are one too much',
      'I5',
      () =>
        hour((one) => {
          one['use'] += 1;
          one['total'] += 1;
        }),
    ],
    ['a dial that does not follow from the total', 'I5', () => hour((one) => (one['read'] += 3))],
    [
      'a gap whose volume was kept back',
      'I5',
      () => changed(hasGap, (fields) => (fields['gaps'][0].use += 1)),
    ],
    [
      'an hour that came again with another use',
      'I6',
      () => again(ofMeter('SP-00003'), (fields) => (fields['intervals'][0].use += 1)),
    ],
    [
      'an hour that came again with another flag',
      'I6',
      () => again(ofMeter('SP-00003'), (fields) => fields['intervals'][0].flags.push('late')),
    ],
    [
      'an hour in local time',
      'I1',
      () => hour((one) => (one['start'] = one['start'].replace('Z', '-06:00'))),
    ],
    [
      'an hour off the hour',
      'I1',
      () => hour((one) => (one['start'] = one['start'].replace(':00:00Z', ':30:00Z'))),
    ],
    [
      'a reading outside its hour',
      'I1',
      () => hour((one) => (one['at'] = instant(Date.parse(one['start']) - 2 * HOUR))),
    ],
    ['a volume in cubic feet with decimals', 'I2', () => hour((one) => (one['use'] += 0.5))],
    [
      'another number of digits within an installation',
      'I2',
      () => changed(ofMeter('SP-00002'), (fields) => (fields['digits'] = 7), 3),
    ],
    [
      'another power of ten within an installation',
      'I2',
      () => changed(ofMeter('SP-00002'), (fields) => (fields['pow10'] = 0), 3),
    ],
    [
      'a missing hour filled with zero',
      'I3',
      () =>
        changed(hasMissing, (fields) => {
          for (const one of fields['intervals']) if (one.q === 'M') Object.assign(one, { use: 0 });
        }),
    ],
    [
      'a silence filled with actual hours of zero',
      'I3',
      () =>
        changed(hasMissing, (fields) => {
          for (const one of fields['intervals']) {
            if (one.q !== 'M') continue;
            Object.assign(one, { q: 'A', read: 1, total: 1, use: 0, at: one.start });
          }
        }),
    ],
    [
      'a silence filled with the dial as it was, read at every edge',
      'I3',
      () => {
        let last: Fields = {};
        return heard.map((message) => {
          if (message.payload === '' || !ofMeter('SP-00001')(parsed(message), message))
            return message;
          return edited(message, ({ intervals }) => {
            for (const one of intervals) {
              if (one.q === 'M') {
                const at = instant(Date.parse(one.start) + HOUR);
                const { read, total } = last;
                Object.assign(one, { q: 'A', read, total, use: 0, at, n: 0, flags: [] });
              }
              last = one;
            }
          });
        });
      },
    ],
    [
      'an hour called actual though its beginning was read late',
      'I3',
      () =>
        changed(
          (fields, message) =>
            ofMeter('SP-00002')(fields, message) &&
            fields['intervals'].some((one: Fields) => one['q'] === 'A'),
          (fields) => {
            const [one] = fields['intervals'];
            one.at = instant(Date.parse(one.start) + HOUR / 2);
            one.q = 'P';
            one.flags = ['late'];
          },
          1,
        ),
    ],
    [
      'an hour called actual in the midst of a gap',
      'I3',
      () =>
        changed(hasGap, ({ gaps: [gap] }) => {
          gap.from = instant(Date.parse(gap.from) - 2 * HOUR);
        }),
    ],
    ['a quality that nobody knows', 'I3', () => hour((one) => (one['q'] = 'E'))],
    [
      'an hour left out',
      'I3',
      () =>
        changed(
          (fields, message) => isInterval(message) && fields['intervals'].length > 2,
          (fields) => {
            // Its row is spent on another gap, so that the rows have no hole.
            const [gone] = fields['intervals'].splice(1, 1);
            const from = '2026-05-01T00:00:00Z';
            fields['gaps'].push({
              row: gone.row,
              from,
              to: from,
              use: null,
              why: 'bus',
              flags: [],
            });
          },
        ),
    ],
    [
      'a gap that ends before it begins',
      'I4',
      () => changed(hasGap, ({ gaps: [gap] }) => ([gap.from, gap.to] = [gap.to, gap.from])),
    ],
    [
      'a gap of an unknown cause',
      'I4',
      () => changed(hasGap, (fields) => (fields['gaps'][0].why = 'weather')),
    ],
    ['a flag that nobody knows', 'I7', () => hour((one) => one['flags'].push('wet'))],
    [
      'a cause that nobody knows',
      'I8',
      () => changed(ofMeter('SP-00002'), (fields) => (fields['cause'] = 'whim')),
    ],
    [
      'an hour told before it is over',
      'I10',
      () =>
        changed(
          ofMeter('SP-00002'),
          (fields) => {
            fields['sent'] = fields['intervals'][0].start;
          },
          3,
        ),
    ],
    [
      'a meter that two collectors tell of',
      'I9',
      () =>
        again(ofMeter('SP-00003'), (fields) => (fields['collector'] = 'COL-2')).map((message, i) =>
          i < heard.length
            ? message
            : { ...message, topic: message.topic.replace('COL-1', 'COL-2') },
        ),
    ],
    [
      'a session that took its leave and says ready again',
      'S1',
      () => [...heard, stateOf(-1, { state: 'ready', sent: '2026-06-02T00:00:00Z' })],
    ],
    [
      'a session that was used again after another',
      'S1',
      () => [...heard, stateOf(0, { sent: '2026-06-02T00:00:00Z' })],
    ],
    [
      'a birth of a session that no state has told of',
      'S2',
      () => changed(ofType('birth'), (fields) => (fields['session'] = 'OTHER'), 1),
    ],
    [
      'a birth without its epoch',
      'S2',
      () => changed(ofType('birth'), (fields) => delete fields['epoch']),
    ],
    [
      'a description that changed under its old rev',
      'S3',
      () => again(ofType('meter'), (fields) => (fields['route'] = 'R-9')),
    ],
    [
      'an event id that is used for another alarm',
      'E1',
      () =>
        again(ofType('event'), (fields) => {
          fields['code'] = 'flow.burst';
          fields['row'] += 100_000;
        }),
    ],
    [
      'an alarm that is raised again after its clear',
      'E1',
      () =>
        again(
          (fields) => fields['phase'] === 'clear',
          (fields) => {
            fields['phase'] = 'raise';
            fields['row'] += 100_000;
          },
        ),
    ],
    [
      'an event of an unknown code',
      'E2',
      () => changed(ofType('event'), (fields) => (fields['code'] = 'pipe.sad')),
    ],
    [
      'an event without evidence',
      'E3',
      () => changed(ofType('event'), (fields) => (fields['data'] = {})),
    ],
    [
      'a row that never came',
      'A1',
      () => {
        const gone = heard.filter(isInterval)[20];
        return heard.filter((one) => one !== gone);
      },
    ],
    [
      'a row for two entries',
      'A1',
      () =>
        again(ofMeter('SP-00003'), ({ intervals: [one] }) => (one.start = '2026-05-01T00:00:00Z')),
    ],
    [
      'an epoch that no birth has told of',
      'A1',
      () => changed(ofMeter('SP-00002'), (fields) => (fields['epoch'] = 'OTHER'), 3),
    ],
    [
      'a backlog that is not oldest first',
      'A4',
      () =>
        changed(
          (fields) => fields['cause'] === 'backfill' && fields['intervals'].length > 1,
          (fields) => fields['intervals'].reverse(),
        ),
    ],
    [
      'hours that are retained',
      'topics',
      () => heard.map((message) => (isInterval(message) ? { ...message, retain: true } : message)),
    ],
    [
      'hours at QoS 0',
      'topics',
      () => heard.map((message) => (isInterval(message) ? { ...message, qos: 0 } : message)),
    ],
    [
      'hours on another meter’s topic',
      'topics',
      () =>
        heard.map((message) =>
          isInterval(message)
            ? { ...message, topic: message.topic.replace('SP-00002', 'SP-9') }
            : message,
        ),
    ],
    [
      'a payload of another major version',
      'payload',
      () => changed(ofMeter('SP-00002'), (fields) => (fields['v'] = 2)),
    ],
    [
      'a payload that is no JSON',
      'payload',
      () => [...heard, { ...(heard.find(isInterval) as Message), payload: '{"v":1' }],
    ],
  ])('fail with %s', (_, rule, planted) => {
    expect(broken(judge(planted()))).toContain(rule);
  });

  const events = () =>
    heard.filter(({ topic }) => topic.endsWith('/event')).map((message) => parsed(message));

  it('E1: an alarm has one id from raise to clear, and each of its messages a row of its own', () => {
    const clears = events().filter(({ phase }) => phase === 'clear');
    expect(clears.length).toBeGreaterThan(1);
    for (const clear of clears) {
      const mine = events().filter(({ id }) => id === clear['id']);
      const rows = new Map(mine.map(({ row, phase }) => [row, phase]));
      expect([...rows].sort(([a], [b]) => a - b).map(([, phase]) => phase)).toEqual([
        'raise',
        'clear',
      ]);
    }
  });

  it('E2, E3: every event has a code of the contract, and every raise its evidence', () => {
    const verdicts = judge(heard);
    for (const rule of ['E2', 'E3']) {
      const verdict = verdicts.find((one) => one.rule === rule);
      expect(verdict).toMatchObject({ outcome: 'passed', checked: events().length });
    }
    const raised = events().filter(({ phase }) => phase === 'raise');
    expect(raised.every(({ data }) => Object.keys(data).length > 0)).toBe(true);
  });

  it('S3: what a broker kept of an earlier life gives way, what was said in this one does not', () => {
    const infos = heard.filter(({ topic }) => topic.endsWith('/SP-00002/info'));
    const live = { ...(infos.at(-1) as Message), retain: false };
    const other = (retain: boolean) => ({ ...saying(live, { initial_read: 7, rev: 7 }), retain });
    expect(broken(judge([other(true), live, live]))).toEqual([]);
    expect(broken(judge([other(true), live, other(false)]))).toEqual(['S3']);
    expect(broken(judge([other(false), live]))).toEqual(['S3']);
  });

  it('I6: a restored journal tells its hours again under other rows of another epoch, and no head-end minds', () => {
    const restored = heard
      .filter(({ topic }) => /\/(?:interval|birth)$/.test(topic))
      .map((message, i) => {
        const fields = parsed(message);
        const renumbered = (entries: Fields[]) =>
          entries.map((entry) => ({ ...entry, row: entry['row'] + 7 }));
        const again =
          fields['type'] === 'birth'
            ? {}
            : {
                intervals: renumbered(fields['intervals']),
                gaps: renumbered(fields['gaps']),
              };
        return { ...saying(message, { ...again, epoch: 'RESTORED' }), at: message.at + i };
      });
    const ledger = new Ledger();
    for (const { topic, payload } of [...heard, ...restored]) ledger.take(topic, payload);
    expect(ledger.conflicts).toEqual([]);
    expect(broken(judge([...heard, ...restored]))).not.toContain('I6');
    const [hour] = restored.filter(isInterval).slice(-1) as [Message];
    const other = { ...hour, payload: hour.payload.replace(/"n":(\d+)/, '"n":9$1') };
    expect(broken(judge([...heard, other]))).toContain('I6');
    ledger.take(other.topic, other.payload);
    expect(ledger.conflicts).toHaveLength(1);
  });

  it('S3: a description sent before the first reading, or with its fields in another order, contradicts none', () => {
    const infos = heard.filter(({ topic }) => topic.endsWith('/SP-00002/info'));
    const [first, last] = [infos[0], infos.at(-1)] as [Message, Message];
    expect(parsed(first)['initial_read']).toBeNull();
    expect(broken(judge([last, first, last]))).toEqual([]);
    const turned = Object.fromEntries(Object.entries(parsed(last)).reverse());
    expect(broken(judge([last, { ...last, payload: JSON.stringify(turned) }]))).toEqual([]);
  });

  it('S3: what a broker kept may come after what is new, when we begin to listen and not later', () => {
    const info = heard.findLast(({ topic }) => topic.endsWith('/SP-00002/info')) as Message;
    const said = (fields: object, minute: number) => ({
      ...saying(info, fields),
      at: minute * 60_000,
    });
    const other = { initial_read: 7, digits: 7, rev: 7 };
    expect(broken(judge([said({}, 0), said(other, 0.5), said({}, 60)]))).toEqual([]);
    expect(broken(judge([said({}, 0), said(other, 5), said({}, 60)]))).toEqual(['I2', 'S3']);
    // What hours are stated for is what some description says.
    const rest = heard.filter(({ topic }) => !topic.endsWith('/SP-00002/info'));
    const wrong = { ...said({ digits: 7, rev: 7 }, 0), at: rest[0]?.at ?? 0 };
    expect(broken(judge([wrong, ...rest]))).toEqual(['I2']);
  });

  it('S2: a broker may keep the birth of one start and the state of the next, or a late will', () => {
    const births = heard.filter(({ topic }) => topic.endsWith('/birth'));
    const [birth, next] = [births[0], births.at(-1)] as [Message, Message];
    expect(parsed(birth)['session']).not.toBe(parsed(next)['session']);
    const ready = stateOf(0, { session: parsed(next)['session'], sent: parsed(next)['sent'] });
    const lost = stateOf(0, { session: 'OLD', state: 'lost', sent: undefined });
    const soon = (message: Message) => ({ ...message, at: birth.at });
    expect(broken(judge([birth, soon(ready)]))).toEqual([]);
    expect(broken(judge([soon(lost), birth]))).toEqual([]);
    expect(broken(judge([birth, { ...ready, at: birth.at + 3_600_000 }]))).toEqual(['S2']);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'are kept in whatever order messages overtake each other, with late wills and twice (seed %i)',
    (seed) => {
      const random = new Random(`order/${seed}`);
      const width = [4, 60, Number.MAX_SAFE_INTEGER][seed % 3] ?? 1;
      const wills = heard
        .filter(({ topic }) => topic.endsWith('/state'))
        .map(({ at }, i) => ({ ...stateOf(i, { state: 'lost', sent: undefined }), at }));
      const turned = [...heard, ...heard, ...wills]
        .map((message, i) => ({ message, place: (i % heard.length) + random.next() * width }))
        .sort((a, b) => a.place - b.place)
        .map(({ message }) => message);
      expect(breachesOf(judge(turned))).toEqual([]);
    },
  );

  it('wait for rows that may still be on their way', () => {
    const gone = heard.filter(isInterval)[20];
    const rest = heard.filter((one) => one !== gone);
    const checker = new ContractChecker();
    for (const message of rest) checker.take({ ...message, at: 0 });
    expect(broken(checker.finish(14 * 60_000))).toEqual([]);
    expect(broken(checker.finish(15 * 60_000))).toEqual(['A1']);
  });

  it('tell each breach once, with its message', () => {
    const told: string[] = [];
    const checker = new ContractChecker(({ rule, topic }) => told.push(`${rule} ${topic}`));
    for (const message of hour((one) => (one['use'] += 0.5))) checker.take(message);
    expect(told).toEqual(['I2 watermeter-v1/test/COL-1/up/meter/SP-00002/interval']);
  });
});

describe('the rules of commands, health and scorecards', () => {
  const UP = 'watermeter-v1/test/COL-1/up';
  const at = '2026-06-01T04:00:00Z';
  const message = (topic: string, payload: object, qos = 1): Message => ({
    ...{ at: 0, topic: `${UP}/${topic}`, qos, retain: topic === 'birth' },
    payload: JSON.stringify({ v: 1, ...payload }),
  });
  const rsp = (more: object) =>
    message('rsp', {
      type: 'rsp',
      id: 'c1',
      name: 'ping',
      status: 'done',
      code: 'ok',
      at,
      data: {},
      ...more,
    });
  const hasHour: Which = (fields, one) => isInterval(one) && fields['intervals'].length > 0;
  /** A billing read of the first hour of a message. */
  const billedBy = (interval: Message, more: object) => {
    const { meter, inst, intervals } = parsed(interval);
    const { start, read, q } = intervals[0];
    return rsp({ name: 'billing.read', data: { meter, inst, start, read, q, ...more } });
  };
  const birth = message('birth', {
    ...{ type: 'birth', collector: 'COL-1', session: 'S', software: '1', contract: '1.0' },
    ...{ config_rev: 'a', epoch: 'E', oldest_hour: null, rows_pending: 0, sent: at, meters: [] },
    commands: ['ping', 'alerts.set'],
  });
  const executed = message('event', {
    ...{ type: 'event', epoch: 'E', collector: 'COL-1', row: 1, id: 'x', code: 'command.executed' },
    ...{
      severity: 'info',
      phase: 'raise',
      at,
      since: at,
      data: { id: 'c1', name: 'alerts.set', by: 'ops' },
    },
  });
  const scorecard = (more: object) =>
    message('scorecard', {
      ...{ type: 'scorecard', collector: 'COL-1', day: '2026-05-31', from: at, to: at, sent: at },
      ...{ reads: { due: 96, made: 96 }, hours: { actual: 24, partial: 0, missing: 0 } },
      ...{ meters: { available: 1, unavailable: [] }, success: { day_1: 1, day_3: 1 } },
      ...{ billing: [], ...more },
    });

  it('C1 to C4: what is answered once, allowed and told passes', () => {
    expect(breachesOf(judge([birth, rsp({}), rsp({}), scorecard({})]))).toEqual([]);
    const operated = rsp({ name: 'alerts.set' });
    expect(breachesOf(judge([birth, operated, executed]))).toEqual([]);
  });

  it('C3: an answer and the birth that changes what is allowed may cross, and an answer is repeated later', () => {
    const later = (minute: number, commands: string[]) => {
      const said = { ...parsed(birth), sent: `2026-06-01T04:${minute}:00Z`, commands };
      return message('birth', said);
    };
    const none = later(10, ['ping']);
    const operated = rsp({ name: 'alerts.set', at: '2026-06-01T04:09:59Z' });
    expect(broken(judge([birth, none, operated, executed]))).toEqual([]);
    expect(broken(judge([birth, operated, executed, none, operated]))).toEqual([]);
    const after = rsp({ name: 'alerts.set', at: '2026-06-01T04:10:01Z' });
    expect(broken(judge([birth, none, after, executed]))).toEqual(['C3']);
  });

  it.each<[string, Rule, () => Message[]]>([
    ['a code that is none', 'C1', () => [rsp({ code: 'maybe' })]],
    ['an id answered twice and differently', 'C2', () => [rsp({}), rsp({ data: { n: 2 } })]],
    ['a command that birth does not allow', 'C3', () => [birth, rsp({ name: 'meter.add' })]],
    ['an operation that nobody was told of', 'C4', () => [birth, rsp({ name: 'alerts.set' })]],
    ['more reads than were due', 'S5', () => [scorecard({ reads: { due: 3, made: 4 } })]],
    [
      'two scorecards of one day',
      'S5',
      () => [scorecard({}), scorecard({ billing: [{ meter: 'SP-1', in_hand: true }] })],
    ],
  ])('fail with %s', (_, rule, planted) => {
    expect(broken(judge(planted()))).toContain(rule);
  });

  it('C5: a billing read is held against the hour as it was told then, not as it was restated since', () => {
    const interval = found(hasHour, 0);
    const [first] = parsed(interval)['intervals'];
    const again = { ...first, row: first.row + 1_000, rev: 1, q: 'T', flags: ['clock'] };
    const restated = saying(interval, { intervals: [again], gaps: [] });
    const { total } = first;
    const billed = (more: object) => billedBy(interval, { total, ...more });
    const c5 = (messages: readonly Message[]) => broken(judge(messages)).includes('C5');
    expect(c5([interval, billed({}), restated])).toBe(false);
    expect(c5([interval, restated, billed({ rev: 1, q: 'T' })])).toBe(false);
    expect(c5([interval, restated, billed({ rev: 1 })])).toBe(true);
  });

  it('C2: an id that was done and is then refused, retained or under another name, was not done twice', () => {
    const refused = (code: string, name = 'ping') =>
      rsp({ name, status: 'error', code, data: { message: 'no' } });
    expect(broken(judge([rsp({}), refused('bad_request')]))).toEqual([]);
    expect(broken(judge([rsp({}), refused('conflict', 'read'), rsp({})]))).toEqual([]);
    expect(broken(judge([refused('forbidden'), rsp({})]))).toEqual([]);
    expect(broken(judge([rsp({}), refused('bad_request'), rsp({ data: { n: 2 } })]))).toEqual([
      'C2',
    ]);
    expect(broken(judge([rsp({}), refused('no_answer')]))).toEqual(['C2']);
  });

  it('C5: a billing read that differs from its hour fails', () => {
    const interval = found(hasHour, 0);
    const { read } = parsed(interval)['intervals'][0];
    expect(broken(judge([interval, billedBy(interval, {})]))).toEqual([]);
    expect(broken(judge([interval, billedBy(interval, { read: read + 1 })]))).toEqual(['C5']);
  });

  it('A3: rows that a journal.loss tells are not called missing', () => {
    const event = (row: number, more: object) =>
      message('event', { ...parsed(executed), row, id: `e${row}`, ...more });
    expect(broken(judge([event(1, {}), event(5, {})]))).toEqual(['A1']);
    const loss = event(6, { code: 'journal.loss', data: { rows: [[2, 4]] } });
    expect(broken(judge([event(1, {}), event(5, {}), loss]))).toEqual([]);
  });
});

describe('the rows of an epoch', () => {
  it('are few ranges, in whatever order they come', () => {
    const rows = new RowSet();
    for (const row of [5, 3, 9, 4, 1, 9]) rows.add(row);
    expect(rows.ranges()).toEqual([
      [1, 1],
      [3, 5],
      [9, 9],
    ]);
    expect(rows.holes()).toEqual([
      [2, 2],
      [6, 8],
    ]);
    expect([rows.has(4), rows.has(6), rows.hasAll(3, 5), rows.hasAll(3, 6)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    rows.addRange(2, 8);
    expect(rows.ranges()).toEqual([[1, 9]]);
    expect(rows.top()).toBe(9);
  });
});
