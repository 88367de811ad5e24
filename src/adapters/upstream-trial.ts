// One connection to the broker as the settings say, beside whatever collector runs, to see whether it lets this collector speak.

import type { Clock, CommandAnswer, Log } from '../boundaries.ts';
import type { Fault } from '../domain/fault.ts';
import type { Settings } from '../settings/settings.ts';
import { createMqttHeadEnd } from './mqtt-head-end.ts';

/** TCP, TLS, CONNECT and one more try in the older version of MQTT. */
const TRIAL_MS = 45_000;
const LOOK_MS = 50;

const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What a trial came to: in the link's words, and whether the broker said yes to a message; or its fault. */
export type Trial =
  | { readonly link: string; readonly publish: 'accepted' | 'not_confirmed' }
  | { readonly fault: Fault };

/**
 * Connects with an id of its own, for the collector's own would end its link, and publishes an answer that nobody asked for
 * where the collector's answers go. On MQTT 3.1.1 a broker cannot say no.
 */
export async function tryLink(
  { utility, collector, upstream }: Pick<Settings, 'utility' | 'collector' | 'upstream'>,
  clock: Clock,
): Promise<Trial> {
  const link = createMqttHeadEnd({
    ...{ settings: upstream, clientId: `${collector}-trial`, clock, random: Math.random },
    ...{ log: SILENT, sessionS: 0 },
  });
  const at = new Date(clock.now()).toISOString().replace('.000Z', 'Z');
  const answer = { v: 1, type: 'rsp', id: 'upstream-test', name: 'ping', status: 'done' };
  const message = {
    topic: `watermeter-v1/${utility}/${collector}/up/rsp`,
    payload: JSON.stringify({ ...answer, code: 'ok', at, data: {} }),
    qos: 1,
    retain: false,
  } as const;
  link.start(message);
  const due = clock.monotonicMs() + TRIAL_MS;
  const isOver = () => link.isConnected() || link.lastFault() !== null;
  while (!isOver() && clock.monotonicMs() < due) await clock.sleep(LOOK_MS);
  const sent = await link.publish(message);
  const words = link.linkState();
  const fault = link.lastFault();
  await link.close();
  if (!sent.ok) return { fault: fault ?? sent.fault };
  return { link: words, publish: words.includes('MQTT 5') ? 'accepted' : 'not_confirmed' };
}

/** A trial as a command answers it. Data: {broker, link, publish: accepted | not_confirmed}. */
export async function tryUpstream(settings: Settings, clock: Clock): Promise<CommandAnswer> {
  const trial = await tryLink(settings, clock);
  if (!('fault' in trial)) return { ok: true, data: { broker: settings.upstream.url, ...trial } };
  const { code, detail } = trial.fault;
  const hint = code === 'upstream.refused' ? "Look at the broker's rights for this collector." : '';
  return { ok: false, code, message: `${detail}.`, hint };
}
