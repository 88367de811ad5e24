// What whoever helps from afar needs to know of a collector, in one document, without its secrets.

import type { CommandAnswer } from '../boundaries.ts';
import type { Settings } from '../settings/settings.ts';
import type { Parts } from './parts.ts';

/** Events beyond the newest so many tell of other days. */
const EVENTS_MAX = 500;

/** `doctor` is its answer. A part that cannot be had stands in it as its refusal. */
export async function bundleOf(
  doctor: CommandAnswer,
  settings: Settings,
  parts: Parts,
): Promise<object> {
  const daemon = parts.daemon(settings.control);
  const ask = async (name: string, args = {}) => partOf(await daemon.run(name, args));
  const events = partOf(await daemon.run('events', {})) as { events?: readonly unknown[] };
  return {
    bundle: 1,
    versions: { 'meter-collector': parts.version, ...parts.versions },
    doctor: partOf(doctor),
    status: await ask('status'),
    bus: await ask('bus.stats'),
    queue: await ask('queue.status'),
    journal: await ask('journal.stats'),
    events: events.events?.slice(-EVENTS_MAX) ?? events,
    settings: withoutSecrets(settings),
  };
}

const partOf = (answer: CommandAnswer): object =>
  answer.ok ? (answer.data as object) : { error: { code: answer.code, message: answer.message } };

/** Keys whose text is a secret, or could be one; names of files are none. */
const SECRET = /pass|secret|token|user|credential|private/i;
const FILE = /file$/i;
const HIDDEN = '(removed)';

/** The same with every secret taken out, in urls too. */
export function withoutSecrets(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, key));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, one]) => [name, withoutSecrets(one, name)]);
    return Object.fromEntries(entries);
  }
  if (SECRET.test(key) && !FILE.test(key)) return HIDDEN;
  return typeof value === 'string' ? value.replace(/(\w+:\/\/)[^/@\s]*@/g, `$1${HIDDEN}@`) : value;
}
