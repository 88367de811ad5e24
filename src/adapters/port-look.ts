// A look at a serial port or a peer without taking it from who holds it: is it there, may this user open it, does it answer.

import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Clock } from '../boundaries.ts';
import type { BusSettings } from '../settings/settings.ts';
import { within } from './bounded.ts';

/** What was seen. `problem`: why nothing can be read over it, null for nothing that shows from outside. */
export interface PortLook {
  /** The path of a port, or host and port of a peer. */
  readonly path: string;
  readonly exists: boolean | null;
  readonly allowed: boolean | null;
  /** The names of a port that stay when cables change places. */
  readonly byId: readonly string[];
  readonly problem: 'port_gone' | 'no_permission' | 'not_a_port' | 'peer_unreachable' | null;
  /** In the words of the system. */
  readonly detail: string;
}

/** Adapters are named here by maker and serial number. */
const BY_ID = '/dev/serial/by-id';
/** A peer on a local network answers at once; over a cellular one in a second or two. */
const CONNECT_MS = 5_000;

export async function lookAtPort(bus: BusSettings, wire: Clock): Promise<PortLook> {
  if ('serial' in bus) return lookAtSerial(bus.serial.path);
  const { host, port } = bus.peer;
  const path = `${host}:${port}`;
  const detail = await tryPeer(host, port, wire);
  const problem = detail === '' ? null : 'peer_unreachable';
  return { path, exists: null, allowed: null, byId: [], problem, detail };
}

async function lookAtSerial(path: string): Promise<PortLook> {
  const seen = { path, byId: await namesOf(path) };
  try {
    const found = await stat(path);
    if (!found.isCharacterDevice()) {
      const problem = 'not_a_port' as const;
      return { ...seen, exists: true, allowed: null, problem, detail: `${path} is no port` };
    }
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const isDenied = code === 'EACCES';
    const problem = isDenied ? 'no_permission' : 'port_gone';
    return { ...seen, exists: isDenied ? null : false, allowed: false, problem, detail: code };
  }
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return { ...seen, exists: true, allowed: true, problem: null, detail: '' };
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    return { ...seen, exists: true, allowed: false, problem: 'no_permission', detail: code };
  }
}

/** Names below /dev/serial/by-id that lead to the same device. */
async function namesOf(path: string): Promise<readonly string[]> {
  try {
    const device = await realpath(path);
    const names = await readdir(BY_ID);
    const led = await Promise.all(
      names.map(async (name) => ({ name, to: await realpath(`${BY_ID}/${name}`) })),
    );
    return led.filter(({ to }) => to === device).map(({ name }) => `${BY_ID}/${name}`);
  } catch {
    return [];
  }
}

/** Empty when somebody listens there, else why not. */
async function tryPeer(host: string, port: number, wire: Clock): Promise<string> {
  const socket = connect({ host, port });
  const answer = new Promise<string>((resolve) => {
    socket.once('connect', () => resolve(''));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  const came = await within(wire, CONNECT_MS, answer);
  socket.destroy();
  return came === 'late' ? 'ETIMEDOUT' : came;
}
