// `init`: a first settings file, commented in the language of the session, and the folder of its state.

import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { addCommand, NAME, option } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { type FirstBus, type FirstSettings, firstSettings } from './first-settings.ts';
import type { Desk } from './parts.ts';
import { chosen, type Question, wanted } from './questions.ts';
import { asTyped, fail, sayJson } from './say.ts';
import { sayProblems } from './settings-file.ts';
import { SERVICE } from './unit.ts';

interface InitRequest {
  readonly config?: string;
  readonly utility?: string;
  readonly collector?: string;
  readonly broker?: string;
  readonly data?: string;
  readonly bus?: string;
  readonly type?: string;
  readonly port?: string;
  readonly host?: string;
  readonly tcpPort?: string;
  readonly baud?: string;
  readonly parity?: string;
  readonly console?: string;
  readonly force?: boolean;
}

/** What stands in MQTT topics (contract, Topics). */
const IDENTIFIER = /^[A-Za-z0-9_-]{1,40}$/;
const BROKER = /^mqtts?:\/\/[^\s/@]+$/;
const TYPES = ['line-serial', 'modbus-rtu', 'line-tcp', 'modbus-tcp'] as const;
const BAUDS = /^(300|600|1200|2400|4800|9600|19200|38400|57600|115200)$/;
const PARITIES = ['none', 'even', 'odd'] as const;

export function addInit(program: Command, desk: Desk): void {
  const command = addCommand(program, desk, {
    ...{ spec: 'init', key: 'c_init', example: 'init --config settings.yaml' },
  });
  for (const [flags, key] of OPTIONS) option(command, desk, flags, key);
  command.action(async (request: InitRequest) => desk.done(await init(request, desk)));
}

const OPTIONS: readonly (readonly [flags: string, key: string])[] = [
  ['--config <file>', 'o_init_config'],
  ['--utility <name>', 'o_utility'],
  ['--collector <name>', 'o_collector'],
  ['--broker <url>', 'o_broker'],
  ['--data <folder>', 'o_data'],
  ['--bus <bus>', 'o_init_bus'],
  ['--type <type>', 'o_init_type'],
  ['--port <path>', 'o_port'],
  ['--host <host>', 'o_host'],
  ['--tcp-port <n>', 'o_init_tcp_port'],
  ['--baud <n>', 'o_init_baud'],
  ['--parity <parity>', 'o_init_parity'],
  ['--console <address>', 'o_init_console'],
  ['--force', 'o_init_force'],
];

/** 0 when the file stands; 1 where one is there already, 3 if what was said makes no good settings. */
async function init(request: InitRequest, desk: Desk): Promise<number> {
  const { manner, io, parts } = desk;
  const { say } = manner;
  const file = request.config ?? io.env['METER_COLLECTOR_CONFIG'] ?? './settings.yaml';
  if (request.force !== true && (await parts.host.has(file))) {
    const message = say('cli.init_there', { file });
    return fail(io, manner, { code: 'conflict', message, hint: say('cli.init_there_hint') });
  }
  const settings = await asked(request, file, desk);
  await parts.host.place(file, firstSettings(settings, manner), 0o640, false);
  const checked = await parts.loadSettings(file);
  if (!checked.ok) {
    const { problems } = checked;
    if (!manner.json) sayProblems(problems, manner, io);
    const message = say('cli.settings_bad', { file, count: problems.length });
    const failure = { code: 'config.invalid', message, hint: '', more: { problems } };
    return fail(io, manner, failure, EXIT.settings);
  }
  await parts.host.folder(checked.settings.data, 0o700);
  const typed = asTyped(file);
  const next = [`${NAME} run --config ${typed}`, `${NAME} commission --config ${typed}`];
  const code = `${NAME} user code --config ${typed}`;
  const hasConsole = checked.settings.console !== undefined;
  if (manner.json) {
    sayJson(io, {
      ...{ file, data: checked.settings.data },
      next: [...next, ...(hasConsole ? [code] : [])],
    });
  } else {
    io.out(`${say('cli.init_done', { file, data: checked.settings.data })}\n`);
    io.err(`${say('cli.init_next', { run: next[0] ?? '', commission: next[1] ?? '' })}\n`);
    if (hasConsole) io.err(`${say('cli.init_console', { code })}\n`);
  }
  return EXIT.ok;
}

async function asked(request: InitRequest, file: string, desk: Desk): Promise<FirstSettings> {
  const name = (key: string, flag: string, usual?: string): Question => ({
    ...{ key, flag, usual },
    check: (one) => (IDENTIFIER.test(one) ? null : 'q_bad_name'),
  });
  const utility = await wanted(desk, request.utility, name('q_utility', '--utility'));
  const collector = await wanted(desk, request.collector, name('q_collector', '--collector'));
  const broker = await wanted(desk, request.broker, {
    ...{ key: 'q_broker', flag: '--broker' },
    check: (one) => (BROKER.test(one) ? null : 'q_bad_broker'),
  });
  const listen = request.console ?? null;
  const isService = resolve(file) === `/etc/${SERVICE}/settings.yaml`;
  const state = isService ? `/var/lib/${SERVICE}/journal` : './journal';
  const data = request.data ?? state;
  const bus = await askedBus(request, desk);
  const whole = isAbsolute(data) ? data : join(dirname(resolve(file)), data);
  const control = isService ? `/run/${SERVICE}/control.sock` : null;
  return { utility, collector, broker, data: isService ? whole : data, control, bus, listen };
}

async function askedBus(request: InitRequest, desk: Desk): Promise<FirstBus> {
  const { manner } = desk;
  const given = request.type ?? (desk.manner.asks ? undefined : TYPES[0]);
  const type = await chosen(desk, given, TYPES, {
    ...{ key: 'q_type', flag: '--type' },
    rows: TYPES.map((one) => manner.say(`cli.type_${one.replace('-', '_')}`)),
  });
  const bus = await wanted(desk, request.bus, {
    ...{ key: 'q_bus', flag: '--bus', usual: 'bus-1' },
    check: (one) => (IDENTIFIER.test(one) ? null : 'q_bad_name'),
  });
  if (type === 'line-tcp' || type === 'modbus-tcp') {
    const host = await wanted(desk, request.host, { key: 'q_host', flag: '--host' });
    const port = await wanted(desk, request.tcpPort, {
      ...{ key: 'q_tcp_port', flag: '--tcp-port' },
      ...{ usual: type === 'modbus-tcp' ? '502' : '4001' },
      check: (one) => (isPort(one) ? null : 'q_bad_port'),
    });
    return { bus, type, peer: { host, port: Number(port) } };
  }
  const path = await askedPort(request.port, desk);
  const baud = await wanted(desk, request.baud, {
    ...{ key: 'q_baud', flag: '--baud', usual: '9600' },
    check: (one) => (BAUDS.test(one) ? null : 'q_bad_baud'),
  });
  // Even is the standard's own (Modbus over serial line 1.02, 2.5.1); encoders on a line have none.
  const usual = type === 'modbus-rtu' ? 'even' : 'none';
  const parity = await wanted(desk, request.parity, {
    ...{ key: 'q_parity', flag: '--parity', usual },
    check: (one) => (PARITIES.some((known) => known === one) ? null : 'q_bad_parity'),
  });
  return { bus, type, serial: { path, baud: Number(baud), parity } };
}

/** The port that was named, one of those that are there, or whatever is typed. */
async function askedPort(given: string | undefined, desk: Desk): Promise<string> {
  const { manner, io, parts } = desk;
  if (given !== undefined) return given;
  const ports = await parts.host.ports();
  const [usual] = ports;
  if (manner.asks) {
    const rows = ports.map((port, i) => `  ${i + 1}  ${port}\n`).join('');
    io.err(`${manner.say(usual === undefined ? 'cli.ports_none' : 'cli.ports_there')}\n${rows}`);
  }
  const answer = await wanted(desk, undefined, {
    ...{ key: 'q_port', flag: '--port' },
    ...(manner.asks && { usual }),
  });
  return ports[Number(answer) - 1] ?? answer;
}

const isPort = (one: string) => /^\d{1,5}$/.test(one) && Number(one) >= 1 && Number(one) <= 65_535;
