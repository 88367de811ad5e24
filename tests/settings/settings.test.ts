// Every kind of problem a settings file can have, at its exact place, and all of them at once.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { editSettings } from '../../src/settings/edit-settings.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { formatProblem, type Problem } from '../../src/settings/problems.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

const HEAD = [
  'version: 1',
  'utility: demo',
  'collector: COL-00001',
  'data: ./journal',
  'upstream: { url: "mqtt://127.0.0.1:1883" }',
];
const BUS = '  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0 }';
const METER = '  - { meter: SP-1, bus: pole-1, profile: generic-8-digit-line, address: "1" }';
const MODBUS_METER = '  - { meter: SP-1, bus: b, profile: generic-8-digit-modbus, address: 1 }';
const GOOD = [...HEAD, 'buses:', BUS, 'meters:', METER];

/** A good file with some of its lines (counted from 1) replaced. */
function withLines(changes: Readonly<Record<number, string>>): string {
  return GOOD.map((line, i) => changes[i + 1] ?? line).join('\n');
}

async function load(text: string) {
  return loadSettings({ file: '/site/settings.yaml', root: ROOT, readText: async () => text });
}

async function problemsOf(text: string): Promise<readonly Problem[]> {
  const loaded = await load(text);
  return loaded.ok ? [] : loaded.problems;
}

function brief(problems: readonly Problem[]): string[] {
  return problems.map(({ code, line, column, suggestion }) =>
    [`${line}:${column}`, code, ...(suggestion === undefined ? [] : [suggestion])].join(' '),
  );
}

async function found(text: string): Promise<string[]> {
  return brief(await problemsOf(text));
}

describe('the console', () => {
  const withConsole = (said: string) =>
    [...GOOD.slice(0, 5), `console: ${said}`, ...GOOD.slice(5)].join('\n');
  const consoleOf = async (said: string) => {
    const loaded = await load(withConsole(said));
    return loaded.ok ? loaded.settings.console : undefined;
  };

  test('is not there until it is said, then on loopback', async () => {
    const loaded = await load(GOOD.join('\n'));
    expect(loaded.ok && loaded.settings.console).toBeUndefined();
    expect(await consoleOf('{}')).toEqual({ host: '127.0.0.1', port: 8080, allowedHosts: [] });
    expect(await consoleOf('{ listen: "[::1]:80", allowed_hosts: [pole] }')).toEqual({
      ...{ host: '::1', port: 80, allowedHosts: ['pole'] },
    });
  });

  test.each(['0.0.0.0:8080', '192.168.7.2:80', 'pole.local:80', '[::]:80', '127.evil.example:80'])(
    'on %s wants TLS or the owner’s word',
    async (listen) => {
      expect(await found(withConsole(`{ listen: "${listen}" }`))).toEqual([
        '6:20 console.clear_text',
      ]);
      const bold = await load(withConsole(`{ listen: "${listen}", insecure: true }`));
      expect(bold).toMatchObject({ ok: true, warnings: [{ code: 'console.clear_text' }] });
      const tls = 'tls: { cert_file: c.pem, key_file: k.pem }';
      expect(await load(withConsole(`{ listen: "${listen}", ${tls} }`))).toMatchObject({
        ...{ ok: true, warnings: [] },
        settings: { console: { tls: { certFile: '/site/c.pem', keyFile: '/site/k.pem' } } },
      });
    },
  );

  test.each([
    ['{ listen: "127.0.0.1" }', ['value.pattern']],
    ['{ listen: "127.0.0.1:99999" }', ['value.range']],
    ['{ listen: "http://127.0.0.1:80" }', ['value.pattern']],
    ['{ tls: { cert_file: c.pem } }', ['key.missing']],
    ['{ allowed_hosts: ["http://pole"] }', ['value.pattern']],
    ['{ port: 80 }', ['key.unknown']],
  ])('%s is a problem', async (said, codes) => {
    const problems = await problemsOf(withConsole(said));
    expect(problems.map(({ code }) => code)).toEqual(codes);
  });
});

describe('a good settings file', () => {
  test('has no problem and no warning', async () => {
    const loaded = await load(GOOD.join('\n'));
    expect(loaded).toMatchObject({ ok: true, warnings: [] });
  });

  test('gets every default that it does not say', async () => {
    const loaded = await load(GOOD.join('\n'));
    expect(loaded).toMatchObject({
      settings: {
        data: '/site/journal',
        control: '/site/journal/control.sock',
        logLevel: 'info',
        time: { speed: 1, real: 0, simulated: 0, sync: 'assumed' },
        upstream: {
          protocol: 'auto',
          keepaliveS: 30,
          ackTimeoutS: 30,
          backlogPerS: 10,
          smearS: 300,
          reconnectMaxS: 60,
        },
        journal: {
          ...{ commitS: 60, ballastMb: 8, incrementDays: 45, hourDays: 400, eventDays: 400 },
          ...{ maxMb: 1024, minFreeMb: 64, writeMbPerDay: 40 },
        },
        buses: [
          {
            timeoutMs: 1000,
            reopenMaxMs: 30000,
            serial: { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 },
          },
        ],
        meters: [
          {
            address: '1',
            service: 'active',
            pollS: 900,
            toleranceS: 15,
            maxFlowPerH: 6016,
            jitter: 1,
            dial: { digits: 8, unit: 'ft3', pow10: -1 },
          },
        ],
      },
    });
  });

  test('says in the schema the same defaults as in config/README.md', async () => {
    const schema = JSON.parse(await readFile(join(ROOT, 'config/settings.schema.json'), 'utf8'));
    const readme = await readFile(join(ROOT, 'config/README.md'), 'utf8');
    const defaults = defaultsIn(schema);
    expect(defaults.length).toBeGreaterThan(15);
    for (const [key, value] of defaults) {
      expect(readme, `${key} = ${value}`).toMatch(new RegExp(`\`${key}\` +\\| ${value} +\\|`));
    }
  });

  test('knows the speed behind a server of a serial line, and how much a gateway bears', async () => {
    const modbusOn = (bus: string) =>
      load(withLines({ 7: `  - { bus: b, ${bus}, host: h, port: 1 }`, 9: MODBUS_METER }));
    const peer = { host: 'h', port: 1 };
    const through = (one: object) => ({ settings: { buses: [{ peer, ...one }] } });
    expect(await modbusOn('type: modbus-rtu-tcp')).toMatchObject(through({ baud: 9600 }));
    expect(await modbusOn('type: modbus-rtu-tcp, baud: 19200')).toMatchObject(
      through({ baud: 19_200 }),
    );
    expect(await modbusOn('type: modbus-tcp')).toMatchObject(through({ inFlight: 16 }));
    expect(await modbusOn('type: modbus-tcp, in_flight: 1')).toMatchObject(
      through({ inFlight: 1 }),
    );
  });

  test('lets a meter lay parts of its own dial over its profile', async () => {
    const text = withLines({ 9: `${METER.slice(0, -2)}, dial: { pow10: 0 } }` });
    const loaded = await load(text);
    expect(loaded).toMatchObject({
      settings: { meters: [{ dial: { digits: 8, unit: 'ft3', pow10: 0 }, maxFlowPerH: 602 }] },
    });
  });

  test('takes paths from its own folder, ports only when they begin with a dot', async () => {
    const text = withLines({
      4: 'data: ../data',
      7: '  - { bus: pole-1, type: line-serial, path: ./tty }',
    });
    expect(await load(text)).toMatchObject({
      settings: { data: '/data', buses: [{ serial: { path: '/site/tty' } }] },
    });
    const named = withLines({ 7: '  - { bus: pole-1, type: line-serial, path: COM3 }' });
    expect(await load(named)).toMatchObject({
      settings: { buses: [{ serial: { path: 'COM3' } }] },
    });
  });

  test('keeps two origins of time and a speed', async () => {
    const time = `time: { speed: 60, real: "2026-11-22T06:00:00.000Z", simulated: "2026-06-01T00:00:00Z" }`;
    expect(await load(`${GOOD.join('\n')}\n${time}`)).toMatchObject({
      settings: { time: { speed: 60, real: 1795327200000, simulated: 1780272000000 } },
    });
  });

  test('gives a line the framing of its meters, and CR where none says', async () => {
    const text = withLines({
      7: '  - { bus: pole-1, type: line-tcp, host: h, port: 1 }',
      9: '  - { meter: SP-1, bus: pole-1, profile: elster-k-frame }',
    });
    expect(await load(text)).toMatchObject({
      settings: { buses: [{ framing: { kind: 'fixed', start: 'K', length: 29 } }] },
    });
    expect(await load(GOOD.join('\n'))).toMatchObject({
      settings: { buses: [{ framing: { kind: 'delimiter', delimiter: 'CR' } }] },
    });
  });

  test('asks through a bridge as the bus says, whatever the profile says', async () => {
    const text = withLines({
      7: '  - { bus: pole-1, type: line-serial, path: /dev/x, request: "READ {address}\\r" }',
      9: `${METER}\n  - { meter: SP-2, bus: pole-1, profile: badger-e-series, address: "2" }`,
    });
    const request = 'READ {address}\r';
    expect(await load(text)).toMatchObject({
      settings: {
        meters: [
          { profile: { name: 'generic-8-digit-line', request, minPollS: 0 } },
          { profile: { name: 'badger-e-series', request, minPollS: 15 } },
        ],
      },
    });
  });

  test('reads both meters of an EtherMeter from one line', async () => {
    const meter = (n: number, profile: string) =>
      `  - { meter: SP-${n}, bus: pole-1, profile: ${profile} }`;
    const name = 'scadametrics-ethermeter-ascii';
    const text = withLines({
      7: '  - { bus: pole-1, type: line-tcp, host: h, port: 1, timeout_ms: 4000 }',
      9: `${meter(1, name)}\n${meter(2, `${name}-2`)}`,
    });
    expect(await load(text)).toMatchObject({
      settings: { meters: [{ profile: { channel: 1 } }, { profile: { channel: 2 } }] },
    });
  });

  test.each(['config/field.yaml', 'config/simulator.yaml'])('%s is one', async (file) => {
    const loaded = await loadSettings({ file: join(ROOT, file), root: ROOT });
    expect(loaded).toMatchObject({ ok: true, warnings: [] });
  });
});

/** [table name of the README, default] of every default in the schema. */
function defaultsIn(schema: {
  properties: Record<string, Defaulted>;
  $defs: Record<string, Entry>;
}): [string, unknown][] {
  const below = (path: string, { default: value, properties }: Defaulted): [string, unknown][] =>
    properties === undefined
      ? [[path, value]]
      : Object.entries(properties).flatMap(([key, one]) => below(`${path}.${key}`, one));
  const top = Object.entries(schema.properties).flatMap(([key, one]) => below(key, one));
  const kinds = schema.$defs['bus']?.allOf?.map(({ then }) => then) ?? [];
  const entries = [schema.$defs['bus'], schema.$defs['meter'], ...kinds];
  const lists = entries.flatMap((entry) =>
    Object.entries(entry?.properties ?? {}).map(([key, one]) => [key, one.default]),
  );
  return [...top, ...lists].filter(([, value]) => value !== undefined) as [string, unknown][];
}

interface Defaulted {
  readonly default?: unknown;
  readonly properties?: Record<string, Defaulted>;
}

interface Entry {
  readonly properties: Record<string, Defaulted>;
  readonly allOf?: readonly { then: { properties: Record<string, Defaulted> } }[];
}

describe('a dial that only people read', () => {
  const HAND = 'meter: SP-2, profile: read-by-hand';
  const DIAL = 'dial: { digits: 6, unit: gal, pow10: 1 }';
  const with2 = (rest: string) => `${GOOD.join('\n')}\n  - { ${rest} }`;

  test('needs no bus and no address, only what its dial shows', async () => {
    const loaded = await load(with2(`${HAND}, ${DIAL}`));
    expect(loaded).toMatchObject({ ok: true, warnings: [] });
    if (!loaded.ok) throw new Error('refused');
    expect(loaded.settings.meters[1]).toMatchObject({
      ...{ meter: 'SP-2', bus: null, profile: { transport: 'hand' } },
      dial: { digits: 6, unit: 'gal', pow10: 1 },
    });
  });

  test.each([
    ['whose dial is not said', HAND, ['10:5 key.missing']],
    [
      'whose dial is half said',
      `${HAND}, dial: { digits: 6 }`,
      ['10:49 key.missing', '10:49 key.missing'],
    ],
    ['on a bus', `${HAND}, bus: pole-1, ${DIAL}`, ['10:43 key.misplaced']],
    ['with an address', `${HAND}, address: "1", ${DIAL}`, ['10:43 key.misplaced']],
    [
      'of another profile without a bus',
      'meter: SP-2, profile: generic-8-digit-line, address: "2"',
      ['10:5 key.missing'],
    ],
  ])('is refused %s', async (_, meter, problems) => {
    expect(await found(with2(meter))).toEqual(problems);
  });
});

describe('a settings file is refused, at the place of the fault, for', () => {
  const bus = (rest: string) => withLines({ 7: `  - { bus: pole-1, ${rest} }` });
  const modbusBus = (rest: string) => withLines({ 7: `  - { bus: b, ${rest} }`, 9: MODBUS_METER });
  const meter = (rest: string) =>
    withLines({ 9: `  - { meter: SP-1, bus: pole-1, profile: generic-8-digit-line, ${rest} }` });
  const upstream = (rest: string) => withLines({ 5: `upstream: { ${rest} }` });
  const modbus = (rest: string) =>
    withLines({
      7: '  - { bus: pole-1, type: modbus-rtu, path: /dev/ttyUSB0 }',
      9: `  - { meter: SP-1, bus: pole-1, profile: generic-4-digit-modbus, ${rest} }`,
    });
  const twoMeters = (second: string) => withLines({ 9: `${METER}\n${second}` });
  const twoBuses = (second: string) => withLines({ 7: `${BUS}\n${second}` });
  const peer = (host: string) => modbusBus(`type: modbus-tcp, host: ${host}, port: 502`);
  const plus = (rest: string) => `${GOOD.join('\n')}\n${rest}`;
  // A mark stands before the place that must be named; it is taken out before loading.
  const cases: [why: string, text: string, found: string][] = [
    ['a misspelt key', withLines({ 2: '^utilty: demo' }), 'key.unknown utility'],
    ['a key like no other', withLines({ 2: 'utility: demo\n^colour: x' }), 'key.unknown'],
    [
      'a key of another kind of bus',
      bus('type: line-serial, path: /dev/x, ^port: 1'),
      'key.misplaced',
    ],
    ['a missing key', withLines({ 1: '^version: 1', 2: '' }), 'key.missing'],
    [
      'a missing key of an entry',
      withLines({ 7: '  - ^{ bus: pole-1, type: line-tcp, host: h }' }),
      'key.missing',
    ],
    ['a key that stands twice', withLines({ 4: 'data: ./a\n^data: ./b' }), 'key.duplicate'],
    ['a key without a value', withLines({ 2: 'utility:^' }), 'value.missing'],
    ['a misspelt type', bus('type: ^line-serail, path: /dev/x'), 'value.enum line-serial'],
    ['a text where a number belongs', meter('address: "1", poll_s: ^often'), 'value.type'],
    ['a list where a map belongs', withLines({ 5: 'upstream: ^[1]' }), 'value.type'],
    ['an identifier with a space', withLines({ 3: 'collector: ^"my house"' }), 'value.pattern'],
    [
      'an identifier of 41 characters',
      withLines({ 3: `collector: ^${'x'.repeat(41)}` }),
      'value.pattern',
    ],
    ["the head-end's own name", withLines({ 3: 'collector: ^_headend' }), 'value.reserved'],
    ['another version', withLines({ 1: 'version: ^2' }), 'version.unknown'],
    [
      'a serial number that would lose its zeros',
      meter('address: "1", body_serial: ^0012345'),
      'value.quote 0012345',
    ],
    [
      'an identification that reads as a number',
      meter('address: "1", register_id: ^48213377'),
      'value.quote 48213377',
    ],
    ['a line address that would lose its zeros', meter('address: ^007'), 'value.quote 007'],
    ['a poll period of nothing', meter('address: "1", poll_s: ^0'), 'value.range'],
    ['a poll period backwards', meter('address: "1", poll_s: ^-5'), 'value.range'],
    ['a poll period that is no number', meter('address: "1", poll_s: ^.nan'), 'value.type'],
    [
      'a poll faster than the register can bear',
      withLines({
        9: '  - { meter: SP-1, bus: pole-1, profile: badger-e-series, poll_s: ^14 }',
      }),
      'poll.too_fast 15',
    ],
    ['a poll period over an hour', meter('address: "1", poll_s: ^3601'), 'value.range'],
    ['a tolerance over half an hour', meter('address: "1", tolerance_s: ^1801'), 'value.range'],
    [
      'more flow than the dial has',
      meter('address: "1", max_flow_per_h: ^100000000'),
      'max_flow.range',
    ],
    ['an unknown bus', withLines({ 9: METER.replace('pole-1', '^pole-l') }), 'bus.unknown pole-1'],
    [
      'a bus named twice',
      twoBuses('  - { bus: ^pole-1, type: line-serial, path: /y }'),
      'bus.duplicate',
    ],
    [
      'two buses on one port',
      twoBuses(BUS.replace('pole-1', 'b').replace('/', '^/')),
      'port.shared',
    ],
    [
      'a meter named twice',
      twoMeters(METER.replace('SP', '^SP').replace('"1"', '"2"')),
      'meter.duplicate',
    ],
    [
      'two meters at one address',
      twoMeters(METER.replace('SP-1', 'SP-2').replace('"1"', '^"1"')),
      'address.duplicate',
    ],
    [
      'two meters at one Modbus address, written differently',
      `${modbus('address: 17')}\n  - { meter: SP-2, bus: pole-1, profile: generic-4-digit-modbus, address: ^"017" }`,
      'address.duplicate',
    ],
    [
      'an unknown profile',
      withLines({ 9: METER.replace('generic-8-digit', '^generic-8-digits') }),
      'profile.unknown generic-8-digit-line',
    ],
    [
      'a Modbus profile on a bus of lines',
      withLines({ 9: METER.replace('generic-8-digit-line', '^generic-8-digit-modbus') }),
      'profile.transport',
    ],
    [
      'a speed of the line where there is none to know',
      modbusBus('type: modbus-tcp, host: h, port: 502, ^baud: 9600'),
      'key.misplaced',
    ],
    [
      'questions at once on a line',
      modbusBus('type: modbus-rtu-tcp, host: h, port: 502, ^in_flight: 2'),
      'key.misplaced',
    ],
    [
      'no question at once',
      modbusBus('type: modbus-tcp, host: h, port: 502, in_flight: ^0'),
      'value.range',
    ],
    [
      'a path for a server of a serial line',
      modbusBus('type: modbus-rtu-tcp, host: h, port: 502, ^path: /dev/x'),
      'key.misplaced',
    ],
    [
      'a line profile on a Modbus bus',
      withLines({
        7: '  - { bus: pole-1, type: modbus-tcp, host: h, port: 502 }',
        9: METER.replace('generic', '^generic'),
      }),
      'profile.transport',
    ],
    [
      'a meter without the address that is asked for',
      withLines({ 9: METER.replace('{', '^{').replace(', address: "1"', '') }),
      'key.missing',
    ],
    [
      'two ways to cut one line',
      withLines({
        9: [
          METER,
          '  - { meter: SP-2, bus: pole-1, profile: sensus-ui1203-variable, address: "2" }',
          '  - { meter: SP-3, bus: pole-1, profile: ^neptune-e-coder, address: "3" }',
        ].join('\n'),
      }),
      'bus.mixed_framing',
    ],
    [
      'a time-out shorter than the pauses of a device that speaks by itself',
      withLines({
        7: '  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0, timeout_ms: ^3000 }',
        9: '  - { meter: SP-1, bus: pole-1, profile: scadametrics-ethermeter-ascii }',
      }),
      'timeout.too_short 4000',
    ],
    [
      'one channel of an EtherMeter twice',
      withLines({
        7: '  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0, timeout_ms: 4000 }',
        9: [1, 2]
          .map(
            (n) =>
              `  - { meter: SP-${n}, bus: ${n === 2 ? '^' : ''}pole-1, profile: scadametrics-ethermeter-ascii }`,
          )
          .join('\n'),
      }),
      'address.duplicate',
    ],
    [
      'a meter without the address that its bridge asks for',
      withLines({
        7: '  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0, request: "#{address}\\r" }',
        9: '  - ^{ meter: SP-1, bus: pole-1, profile: sensus-ui1203-variable }',
      }),
      'key.missing',
    ],
    [
      'a request on a Modbus bus',
      withLines({
        7: '  - { bus: pole-1, type: modbus-rtu, path: /dev/ttyUSB0, ^request: "#1" }',
        9: '  - { meter: SP-1, bus: pole-1, profile: generic-4-digit-modbus, address: 1 }',
      }),
      'key.misplaced',
    ],
    ['Modbus address 0', modbus('address: ^0'), 'address.range'],
    ['Modbus address 248', modbus('address: ^248'), 'address.range'],
    ['a Modbus address in letters', modbus('address: ^"a1"'), 'address.range'],
    ['a dial wider than its word', modbus('address: 1, dial: ^{ digits: 5 }'), 'dial.too_wide'],
    ['a broker without a scheme', upstream('url: ^"b.org:1883"'), 'upstream.url mqtt://b.org:1883'],
    [
      'a broker with a foreign scheme',
      upstream('url: ^"tls://b:8883"'),
      'upstream.url mqtts://b:8883',
    ],
    ['a broker with a path', upstream('url: ^"mqtt://b/x"'), 'upstream.url'],
    ['a password in the url of the broker', upstream('url: ^"mqtt://u:p@b"'), 'upstream.secret'],
    [
      'a certificate without its key',
      upstream('url: "mqtts://b", ^cert_file: c'),
      'upstream.key_pair',
    ],
    [
      'a password without its name',
      upstream('url: "mqtts://b", ^password_file: c'),
      'upstream.key_pair',
    ],
    [
      'a protocol number without quotes',
      upstream('url: "mqtt://b", protocol: ^5'),
      'value.quote 5',
    ],
    [
      'an instant that would be the next month',
      plus('time: { real: ^"2026-02-30T00:00:00Z", simulated: "2026-01-01T00:00:00Z" }'),
      'value.time',
    ],
    [
      'a speed that leaves no time',
      plus('time: { speed: ^1e308, real: "2026-01-01T00:00Z", simulated: "2026-01-01T00:00Z" }'),
      'value.range',
    ],
    [
      'a vacation from a day that there is not',
      meter(
        'address: "1", alerts: { vacation: { amount: 1, unit: gal, from: ^"2026-02-30", to: "2026-03-05" } }',
      ),
      'value.time',
    ],
    ['a speed without origins of time', plus('^time: { speed: 60 }'), 'time.origin'],
    [
      'an instant of no calendar',
      plus('time: { real: ^"2026-13-01T00:00:00Z", simulated: "2026-01-01T00:00:00Z" }'),
      'value.time',
    ],
    [
      'a control socket too long for Linux',
      withLines({ 4: `data: d\ncontrol: ^/${'c'.repeat(107)}` }),
      'control.too_long',
    ],
    [
      'a folder too long for a control socket',
      withLines({ 4: `data: ^./${'d'.repeat(100)}` }),
      'control.too_long',
    ],
    ['a tab', withLines({ 5: 'upstream:\n^\turl: x' }), 'yaml.tab'],
    ['an open quote', withLines({ 9: '  - meter: ^"SP-1' }), 'yaml.syntax'],
    ['an open quote lines before the end', withLines({ 2: "utility: ^'demo" }), 'yaml.syntax'],
    ['a text with a colon', withLines({ 2: 'utility: ^Main St: 5' }), 'yaml.syntax'],
    ['a key without a colon', plus('^console\n  listen: x'), 'yaml.syntax'],
    ['YAML 1.1, where 017 is 15', `^%YAML 1.1\n---\n${GOOD.join('\n')}`, 'yaml.directive'],
    ['an unknown directive', `^%SECRET x\n---\n${GOOD.join('\n')}`, 'yaml.directive'],
    ['a merge key', withLines({ 5: `${HEAD[4]}\n^<<: { log: {} }` }), 'yaml.key'],
    ['a control character', withLines({ 2: 'utility: de^\0mo' }), 'yaml.character'],
    ['line ends of CR alone', GOOD.join('\r').replace('\r', '^\r'), 'yaml.character'],
    ['a host as a browser has it', peer('^"tcp://10.0.0.5:502/"'), 'peer.host 10.0.0.5'],
    ['a host with its port', peer('^"gateway.local:502"'), 'peer.host gateway.local'],
    ['a host with spaces about it', peer('^" 10.0.0.5"'), 'peer.host 10.0.0.5'],
    ['a host in brackets', peer('^"[fe80::1]:502"'), 'peer.host fe80::1'],
    ['an IP address that lacks a number', peer('^10.0.0.'), 'peer.host'],
    ['an IP address with a number too large', peer('^10.0.0.256'), 'peer.host'],
    ['a broker at port 0', upstream('url: ^"mqtt://b:0"'), 'upstream.url'],
    [
      'a folder in a home that nobody fills in',
      withLines({ 4: 'data: ^~/journal' }),
      'value.pattern',
    ],
    ['a folder of a variable', withLines({ 4: 'data: ^$HOME/journal' }), 'value.pattern'],
    [
      'a misspelt time zone',
      plus('alerts: { timezone: ^America/Denvr }'),
      'value.time America/Denver',
    ],
    [
      'a time zone of a form that none has',
      plus('alerts: { timezone: ^"+05:00" }'),
      'value.pattern',
    ],
    ['two documents', plus('^---\nversion: 1'), 'yaml.documents'],
    ['a tag', withLines({ 2: 'utility: ^!secret demo' }), 'yaml.tag'],
    ['a key that is no word', plus('? ^[a]\n: 1'), 'yaml.key'],
    ['an alias without an anchor', withLines({ 2: 'utility: ^*none' }), 'yaml.alias'],
    ['an alias within its anchor', withLines({ 5: 'upstream: &u { url: ^*u }' }), 'yaml.alias'],
    ['no content', '^# nothing yet\n', 'file.empty'],
    ['a list instead of a map', '^- a\n- b', 'value.type'],
  ];

  test.each(cases)('%s', async (_why, marked, expected) => {
    const before = marked.slice(0, marked.indexOf('^')).split('\n');
    const place = `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    expect(await found(marked.replace('^', ''))).toEqual([`${place} ${expected}`]);
  });

  test('an alias that brings a bus a second time, at the alias', async () => {
    const text = withLines({ 7: `  - &b ${BUS.slice(4)}\n  - *b` });
    expect(await found(text)).toEqual(['8:5 bus.duplicate', '8:5 port.shared']);
  });

  test('a mark of byte order is no column', async () => {
    const text = `\uFEFF${withLines({ 1: 'versoin: 1' })}`;
    expect(await found(text)).toEqual(['1:1 key.unknown version']);
    expect(await found(`\uFEFF${GOOD.join('\n')}`)).toEqual([]);
  });

  test('a form that is broken, once a line', async () => {
    const [first, ...others] = await problemsOf(withLines({ 6: 'buses' }));
    expect(first).toMatchObject({ code: 'yaml.syntax', line: 6, column: 1 });
    const lines = others.map(({ line }) => line);
    expect(new Set(lines).size).toBe(lines.length);
  });

  test('every one of many problems at once, in the order of the file', async () => {
    const text = [
      'version: 1',
      'utilty: demo',
      'collector: "COL 1"',
      'data: ./journal',
      'upstream: { url: broker, keepalive_s: 1 }',
      'buses:',
      '  - { bus: a, type: line-serial, path: /dev/ttyUSB0, host: h }',
      '  - { bus: a, type: modbus-tpc, host: h, port: 1 }',
      'meters:',
      '  - { meter: m, bus: b, profile: generic-8-digit-lime, address: 01, poll_s: 9999 }',
      '  - { meter: m, bus: a, profile: generic-4-digit-modbus, address: 300, serial: 1 }',
    ].join('\n');
    expect((await found(text)).map((one) => one.replace(/:\d+/, ''))).toEqual([
      '2 key.unknown utility',
      '3 value.pattern',
      '5 upstream.url mqtt://broker',
      '5 value.range',
      '7 key.misplaced',
      '8 bus.duplicate',
      '8 value.enum modbus-tcp',
      '10 bus.unknown a',
      '10 profile.unknown generic-8-digit-line',
      '10 value.range',
      '11 meter.duplicate',
      '11 address.range',
      '11 key.unknown',
    ]);
  });

  test('a line of the form file:line:column: sentence. Did you mean "..."?', async () => {
    const [problem] = await problemsOf(withLines({ 2: 'utilty: demo' }));
    expect(problem && formatProblem(problem)).toMatch(
      /^\/site\/settings\.yaml:2:1: [A-Z][^:]*\. Did you mean "utility"\?$/,
    );
  });
});

describe('a host is well where it is', () => {
  test.each([
    '10.0.0.5',
    'gateway',
    'pump_2.local.',
    'x-1.example',
    '::1',
    'fe80::1%eth0',
    'bücher.example',
  ])('%s', async (host) => {
    const bus = `  - { bus: b, type: modbus-tcp, host: "${host}", port: 502 }`;
    expect(await found(withLines({ 7: bus, 9: MODBUS_METER }))).toEqual([]);
  });
});

describe('a settings file passes with a warning for', () => {
  const cases: [why: string, text: string, code: string][] = [
    ['no meters', [...HEAD, 'buses: []', 'meters: []'].join('\n'), 'meter.none'],
    [
      'a bus without meters',
      withLines({ 7: `${BUS}\n  - { bus: b, type: line-tcp, host: h, port: 1 }` }),
      'bus.unused',
    ],
    [
      'an identification used twice',
      withLines({
        9: [1, 2]
          .map(
            (n) =>
              `  - { meter: m${n}, bus: pole-1, profile: generic-8-digit-line, address: "${n}", register_id: "1" }`,
          )
          .join('\n'),
      }),
      'register_id.duplicate',
    ],
    [
      'an identification that the device never sends',
      withLines({
        7: '  - { bus: pole-1, type: line-serial, path: /dev/ttyUSB0, timeout_ms: 4000 }',
        9: '  - { meter: m, bus: pole-1, profile: scadametrics-ethermeter-ascii, register_id: "1" }',
      }),
      'register_id.unsent',
    ],
    [
      'a password in clear text',
      withLines({ 5: 'upstream: { url: "mqtt://b", username: u, password_file: f }' }),
      'upstream.clear_text',
    ],
    [
      'a dial that turns through within an hour',
      withLines({ 9: `${METER.slice(0, -2)}, dial: { digits: 3 } }` }),
      'dial.too_small',
    ],
  ];

  test.each(cases)('%s', async (_why, text, code) => {
    const loaded = await load(text);
    expect(loaded.ok ? loaded.warnings.map((warning) => warning.code) : loaded).toEqual([code]);
  });
});

describe('a change of a file that is not good', () => {
  const edit = (path: string[], value: unknown) =>
    editSettings({
      ...{ file: '/site/settings.yaml', root: ROOT, text: GOOD.join('\n') },
      steps: [{ path, value }],
    });

  test('says what was probably meant, or what there is', async () => {
    const misspelt = await edit(['upstream', 'keepalive'], 60);
    expect(misspelt).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('keepalive_s')],
    });
    const nowhere = await edit(['buses', 'pole1', 'baud'], 9600);
    expect(nowhere).toMatchObject({ ok: false, problems: [expect.stringContaining('pole-1')] });
    const absent = await edit(['upstream', 'keepalive'], undefined);
    expect(absent).toMatchObject({
      ok: false,
      problems: ['There is nothing at /upstream/keepalive.'],
    });
  });
});

describe('a hostile file costs little and never ends the process:', () => {
  const laughs = Array.from({ length: 12 }, (_, i) =>
    i === 0
      ? 'l0: &l0 [x, x, x]'
      : `l${i}: &l${i} [${Array(9)
          .fill(`*l${i - 1}`)
          .join(', ')}]`,
  ).join('\n');
  const cases: [why: string, text: string, code: string][] = [
    ['aliases that unfold a billionfold', laughs, 'yaml.alias'],
    ['more aliases than anyone needs', `x: &x 1\na: [${'*x, '.repeat(101)}]`, 'yaml.alias'],
    ['40,000 open brackets', '['.repeat(40_000), 'yaml.too_deep'],
    ['40,000 maps in each other', '{a: '.repeat(40_000), 'yaml.too_deep'],
    ['40,000 lists on one line', '- '.repeat(40_000), 'yaml.too_deep'],
    ['200,000 values', `a: [${'1,'.repeat(200_000)}]`, 'file.too_large'],
    [
      '20,000 keys of one map',
      Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n'),
      'key.unknown',
    ],
    ['10 MB', '#'.repeat(10_000_000), 'file.too_large'],
    [
      'a key __proto__',
      withLines({ 2: 'utility: demo\n__proto__: { polluted: 1 }' }),
      'key.unknown',
    ],
  ];

  test.each(cases)('%s', async (_why, text, code) => {
    const problems = await problemsOf(text);
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect('polluted' in {}).toBe(false);
  });
});

describe('a settings file on the disk', () => {
  const folders: string[] = [];
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((one) => rm(one, { recursive: true, force: true })));
  });
  const folder = async () => {
    const made = await mkdtemp(join(tmpdir(), 'settings-'));
    folders.push(made);
    return made;
  };
  const codes = async (file: string) => {
    const loaded = await loadSettings({ file, root: ROOT });
    return loaded.ok ? [] : loaded.problems.map((problem) => problem.code);
  };

  test('that is absent is said to be absent', async () => {
    expect(await codes(join(await folder(), 'none.yaml'))).toEqual(['file.absent']);
  });

  test('that is a folder cannot be read', async () => {
    expect(await codes(await folder())).toEqual(['file.failed']);
  });

  test('of more than a megabyte is not read to its end', async () => {
    const file = join(await folder(), 'large.yaml');
    await writeFile(file, '#'.repeat(1_000_001));
    expect(await codes(file)).toEqual(['file.too_large']);
  });

  const bytes = (...parts: (string | number)[]) =>
    Buffer.concat(
      parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))),
    );

  test.each([
    ['a letter of Latin-1', bytes('utility: "Ñ', 0xf1, 'o"\n'), '3:12'],
    ['a letter that is cut short', bytes('a: ', 0xc3), '3:4'],
    ['a bad byte behind a character that stands for one', bytes('# \uFFFD ', 0xff), '3:5'],
    ['a byte that begins nothing before one that could', bytes(0xef, 'A'), '3:1'],
  ])('with %s is refused at that byte, by a change as well', async (_why, line, place) => {
    const file = join(await folder(), 'latin.yaml');
    await writeFile(file, Buffer.concat([bytes('version: 1\r\n# ñ\n'), line]));
    const loaded = await loadSettings({ file, root: ROOT });
    expect(loaded.ok ? [] : brief(loaded.problems)).toEqual([`${place} file.encoding`]);
    const edited = await editSettings({
      file,
      root: ROOT,
      steps: [{ path: ['data'], value: 'd' }],
    });
    expect(edited).toMatchObject({ ok: false, problems: [expect.stringMatching(/^line 3: /)] });
  });

  test('of one byte that is none is refused at it', async () => {
    const file = join(await folder(), 'one.yaml');
    await writeFile(file, bytes(0xff));
    const loaded = await loadSettings({ file, root: ROOT });
    expect(loaded.ok ? [] : brief(loaded.problems)).toEqual(['1:1 file.encoding']);
  });

  test('of UTF-16 is said to be that', async () => {
    const file = join(await folder(), 'utf16.yaml');
    await writeFile(file, Buffer.from(`\uFEFF${GOOD.join('\n')}`, 'utf16le'));
    expect(await codes(file)).toEqual(['file.encoding']);
  });

  test('named by a pipe is read like any other', async () => {
    const pipe = join(await folder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [loaded] = await Promise.all([
      loadSettings({ file: pipe, root: ROOT }),
      writeFile(pipe, GOOD.join('\n')),
    ]);
    expect(loaded.ok).toBe(true);
  });
});

describe('alerts', () => {
  const ALERTS = [
    'alerts:',
    '  timezone: America/Denver',
    '  makers: [hours-24]',
    '  daily: { amount: 500, unit: gal }',
    '  multi_day: { amount: 2500, unit: gal, days: 10 }',
    '  no_use_days: 14',
  ];
  const meter = (alerts: string) => METER.replace(' }', `, alerts: ${alerts} }`);
  const withAlerts = (alerts: string) => [
    ...withLines({ 9: meter(alerts) }).split('\n'),
    ...ALERTS,
  ];

  test('of every meter and of one are read; what is off is off for that one', async () => {
    const own = '{ off: [daily], multi_day: { amount: 9, unit: m3 }, makers: [] }';
    const loaded = await load(withAlerts(own).join('\n'));
    expect(loaded).toMatchObject({
      ok: true,
      settings: {
        alerts: {
          timezone: 'America/Denver',
          makers: ['hours-24'],
          usage: {
            daily: { amount: 500, unit: 'gal' },
            multiDay: { amount: 2500, unit: 'gal', days: 10 },
            noUseDays: 14,
          },
        },
        meters: [
          {
            alerts: { usage: { daily: null, multiDay: { amount: 9, unit: 'm3' } }, makers: [] },
          },
        ],
      },
    });
  });

  test('an amount below a count is warned of, and taken for a count', async () => {
    const loaded = await load(withAlerts('{ daily: { amount: 0.5, unit: gal } }').join('\n'));
    expect(loaded).toMatchObject({ ok: true, warnings: [{ code: 'alert.below_count', line: 9 }] });
  });

  test('what makes no sense is a problem at its place', async () => {
    const text = (change: Readonly<Record<number, string>>, own = '{}') =>
      withAlerts(own)
        .map((line, i) => change[i + 1] ?? line)
        .join('\n');
    expect(await found(text({ 11: '  timezone: America/Denvr' }))).toEqual([
      '11:13 value.time America/Denver',
    ]);
    expect(await found(text({ 12: '  makers: [hours-25]' }))).toEqual([
      '12:12 value.enum hours-24',
    ]);
    expect(await found(text({ 13: '  daily: { amount: 0, unit: gal }' }))).toEqual([
      '13:20 value.range',
    ]);
    expect(await found(text({ 13: '  dayly: { amount: 1, unit: gal }' }))).toEqual([
      '13:3 key.unknown daily',
    ]);
    const trip = (from: string, to: string) =>
      `{ vacation: { amount: 1, unit: gal, from: "${from}", to: "${to}" } }`;
    expect(await found(text({}, trip('2026-06-31', '2026-07-02')))).toMatchObject([
      expect.stringContaining('value.time'),
    ]);
    expect(await found(text({}, trip('2026-07-02', '2026-07-01')))).toMatchObject([
      expect.stringContaining('value.range'),
    ]);
    expect(await found(text({}, '{ off: [leaks] }'))).toHaveLength(1);
  });
});
