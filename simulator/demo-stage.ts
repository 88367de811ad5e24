// Everything the demo needs, started in order and stopped in reverse: broker, street, head-end, collector.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { type EmbeddedBroker, startBroker } from './broker.ts';
import { CollectorProcess } from './collector-process.ts';
import { consoleUrl, makeAccount } from './demo-console.ts';
import { HeadEnd } from './head-end.ts';
import { buildWorld, type World } from './world.ts';

export interface StageOptions {
  readonly seed: number;
  readonly speed: number;
  readonly meters: number;
  /** Simulated epoch ms at the beginning. */
  readonly start: number;
  /** A broker of one's own; absent: one is started inside this process. */
  readonly broker?: string;
  /** Empty folder for settings, ports, journal, truth and log. */
  readonly folder: string;
  /** The collector's compiled program. */
  readonly program: string;
}

/** Lives from `setStage` to `close`. */
export interface Stage {
  readonly world: World;
  readonly headEnd: HeadEnd;
  readonly collector: CollectorProcess;
  /** The broker in few words. */
  readonly broker: () => string;
  readonly utility: string;
  readonly collectorId: string;
  /** Transport of each bus, as a person calls it. */
  readonly transports: ReadonlyMap<string, string>;
  /** How far from an hour's edge a reading still counts for it, simulated ms; the widest of all meters. */
  readonly toleranceMs: number;
  /** Where the collector's console is, and how to come in: a link for a person, once, and a token; undefined until it listens. */
  readonly console: () =>
    | { readonly url: string; readonly link: string; readonly token: string }
    | undefined;
  close(): Promise<void>;
}

const TRANSPORTS: Readonly<Record<string, string>> = {
  'line-serial': 'serial',
  'line-tcp': 'serial TCP',
  'modbus-rtu': 'Modbus RTU',
  'modbus-rtu-tcp': 'Modbus RTU over TCP',
  'modbus-tcp': 'Modbus TCP',
};

/** What the demo itself has to know of the settings the street writes. */
interface WrittenSettings {
  readonly utility: string;
  readonly collector: string;
  readonly buses: readonly { readonly bus: string; readonly type: string }[];
  readonly meters: readonly { readonly tolerance_s?: number }[];
}

/** The tolerance of a meter whose settings state none (contract.md, Interval). */
const TOLERANCE_S = 15;

/**
 * On a broker of somebody else a demo takes a utility and a collector id of its own, so that it meets
 * neither a real collector nor another demo.
 */
function takeOwnNames(document: Document): void {
  const mark = randomBytes(4).toString('hex');
  document.set('utility', `demo-${mark}`);
  document.set('collector', `DEMO-${mark}`);
}

/** The street's settings as the demo has them: with a console, on any free port of this machine alone. */
async function writeSettings(path: string, street: string, isGuest: boolean) {
  const document = parseDocument(street);
  document.set('console', { listen: '127.0.0.1:0' });
  if (isGuest) takeOwnNames(document);
  await writeFile(path, String(document));
  return document.toJS() as WrittenSettings;
}

function hostOf(url: string): string {
  const { hostname, port } = new URL(url);
  return port === '' ? hostname : `${hostname}:${port}`;
}

/**
 * Starts everything. Rejects with BrokerRefused when the broker is not to be had and with the system's error
 * when a port or the folder is not; what had been started is stopped then.
 */
export async function setStage(options: StageOptions): Promise<Stage> {
  const started: { close(): Promise<unknown> }[] = [];
  const close = async () => {
    for (const part of started.splice(0).reverse()) await part.close();
  };
  const keep = <T extends { close(): Promise<unknown> }>(part: T): T => {
    started.push(part);
    return part;
  };
  try {
    const embedded: EmbeddedBroker | undefined =
      options.broker === undefined ? keep(await startBroker()) : undefined;
    const url = options.broker ?? embedded?.url ?? '';
    const world = keep(await buildWorld({ ...options, brokerUrl: url }));
    const config = join(options.folder, 'collector.yaml');
    const settings = await writeSettings(config, world.settings, embedded === undefined);
    const keys = await makeAccount(join(options.folder, 'journal'));
    const { utility, collector: collectorId, buses, meters } = settings;
    const headEnd = keep(await HeadEnd.connect({ url, utility }));
    const log = join(options.folder, 'collector.log');
    const collector = CollectorProcess.start(options.program, config, log);
    keep({ close: () => collector.stop() });
    const link = () => (headEnd.isConnected() ? 'connected' : 'away');
    return {
      world,
      headEnd,
      collector,
      broker: () =>
        embedded ? `embedded, connections: ${embedded.clients()}` : `${hostOf(url)} ${link()}`,
      utility,
      collectorId,
      transports: new Map(buses.map(({ bus, type }) => [bus, TRANSPORTS[type] ?? type])),
      toleranceMs: 1000 * Math.max(...meters.map((meter) => meter.tolerance_s ?? TOLERANCE_S)),
      console: () => {
        const url = consoleUrl(log);
        if (url === undefined) return undefined;
        return { url, link: `${url}/sign-in#code=${keys.code}`, token: keys.token };
      },
      close: async () => {
        await collector.stop();
        if (embedded === undefined) await headEnd.clearRetained();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
