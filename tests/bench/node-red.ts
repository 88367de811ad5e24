// The peer of the bench: Node-RED with its Modbus nodes, installed into a temporary folder, polling the same meters.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const RED = '4.1';
const MODBUS = '5.45';
/** What contrib-modbus depends on is no package of a registry but an archive of somebody's; this is where it came from. */
const SERIAL = 'modbus-serial@8.0.25';
const INSTALL_MS = 10 * 60_000;

export const PEER = `Node-RED ${RED} with node-red-contrib-modbus ${MODBUS}`;
export const PEER_NOTE = `${PEER} runs here with ${SERIAL} in place of @openp4nr/modbus-serial, an archive outside the registry; its fork may behave otherwise. Its editor is switched off.`;

/** The folder with the peer, installed by the first run and kept for later ones; undefined where npm cannot install it. */
export async function installPeer(): Promise<string | undefined> {
  const kept = join(tmpdir(), `bench-peer-node-red-${RED}-modbus-${MODBUS}`);
  if (existsSync(join(kept, 'node_modules', 'node-red', 'red.js'))) return kept;
  const folder = await mkdtemp(join(tmpdir(), 'bench-peer-'));
  const wanted = {
    name: 'bench-peer',
    version: '0.0.0',
    private: true,
    dependencies: { 'node-red': `${RED}.x`, 'node-red-contrib-modbus': `${MODBUS}.x` },
    overrides: { '@openp4nr/modbus-serial': `npm:${SERIAL}` },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(wanted));
  const how = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  process.stderr.write(`Installing ${PEER} into ${kept} ...\n`);
  try {
    await promisify(execFile)('npm', how, { cwd: folder, timeout: INSTALL_MS });
    await rm(kept, { recursive: true, force: true });
    await rename(folder, kept);
    return kept;
  } catch (error) {
    const [line] = String(error).split('\n');
    process.stderr.write(`npm could not install it: ${line}\n`);
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
}

/** One flow: a client for each gateway, a read node for each meter, one way out to the broker. All else is as the editor sets it. */
export function flowOf(ports: readonly number[], units: number, brokerPort: number): object[] {
  const broker = {
    ...{ id: 'broker', type: 'mqtt-broker', name: '', broker: '127.0.0.1', port: brokerPort },
    ...{ clientid: '', autoConnect: true, usetls: false, protocolVersion: 4, keepalive: 60 },
    ...{ cleansession: true, autoUnsubscribe: true, sessionExpiry: '' },
  };
  const out = { id: 'out', type: 'mqtt out', z: 'tab', topic: '', qos: '1', retain: 'false' };
  const clients = ports.map((tcpPort, i) => ({
    ...{ id: `gateway${i}`, type: 'modbus-client', name: '', clienttype: 'tcp' },
    ...{ bufferCommands: true, stateLogEnabled: false, queueLogEnabled: false },
    ...{ failureLogEnabled: true, tcpHost: '127.0.0.1', tcpPort, tcpType: 'DEFAULT' },
    ...{ unit_id: 1, commandDelay: 1, clientTimeout: 1000, reconnectOnTimeout: true },
    ...{ reconnectTimeout: 2000, parallelUnitIdsAllowed: true },
  }));
  const reads = ports.flatMap((_, i) =>
    Array.from({ length: units }, (_unit, k) => ({
      ...{ id: `meter${i}-${k}`, type: 'modbus-read', z: 'tab', name: '' },
      ...{ topic: `bench/SP-${i}-${k}`, showStatusActivities: false, logIOActivities: false },
      ...{ showErrors: false, unitid: String(k + 1), dataType: 'HoldingRegister' },
      ...{ adr: '0', quantity: '2', rate: '1', rateUnit: 's', delayOnStart: false },
      ...{ server: `gateway${i}`, useIOFile: false, useIOForPayload: false },
      ...{ emptyMsgOnFail: false, wires: [['out'], []] },
    })),
  );
  const tab = { id: 'tab', type: 'tab', label: 'meters', disabled: false };
  return [tab, broker, { ...out, broker: 'broker', wires: [] }, ...clients, ...reads];
}

/** Starts it in a folder of its own, and returns its process. */
export async function startPeer(
  installed: string,
  folder: string,
  flow: readonly object[],
  port: number,
): Promise<ChildProcess> {
  await mkdir(folder, { recursive: true });
  await symlink(join(installed, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'flows.json'), JSON.stringify(flow));
  const settings = {
    ...{ uiHost: '127.0.0.1', uiPort: port, httpAdminRoot: false, httpNodeRoot: false },
    ...{ flowFile: 'flows.json', credentialSecret: false, telemetry: { enabled: false } },
    ...{ logging: { console: { level: 'warn', metrics: false, audit: false } } },
  };
  const file = join(folder, 'settings.cjs');
  await writeFile(file, `module.exports = ${JSON.stringify(settings)};\n`);
  const program = join(installed, 'node_modules', 'node-red', 'red.js');
  const args = [program, '--userDir', folder, '--settings', file];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
