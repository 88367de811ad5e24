// A parsed device file to a Profile with its examples, or to everything that is wrong with it.

import type { Profile } from '../domain/profile.ts';
import type { Dial } from '../domain/units.ts';
import { WORD_DIGITS_MAX } from './check-meters.ts';
import { checkSchema, type Schema } from './check-schema.ts';
import { entries, Findings, record, text } from './findings.ts';
import type { Source } from './parse-yaml.ts';
import type { Problem } from './problems.ts';

/** An answer of the device and what must come of it. Exactly one of `frame` and `words`, of `digits` and `fault`. */
export interface Example {
  /** The answer's bytes without the delimiter. */
  readonly frame?: Uint8Array;
  /** Modbus words in address order. */
  readonly words?: readonly number[];
  /** The register as sent, leading zeros included. */
  readonly digits?: string;
  readonly id?: string;
  /** Fault code that must come instead of digits. */
  readonly fault?: string;
  readonly source: string;
  readonly confidence: 'captured' | 'documented' | 'derived';
}

export interface Device {
  readonly profile: Profile;
  readonly description: string;
  readonly examples: readonly Example[];
}

/** Checks one file of devices/ whose name without `.yaml` is `name`. */
export function checkProfile(
  source: Source,
  name: string,
  schema: Schema,
): { device?: Device; problems: Problem[] } {
  const findings = new Findings(source);
  findings.problems.push(...checkSchema(source, schema));
  const data = record(source.data);
  if (text(data['profile']) !== undefined && data['profile'] !== name) {
    const message = 'A profile has the name of its file.';
    findings.problem({ code: 'profile.name', pointer: '/profile', message, suggestion: name });
  }
  for (const { pointer, entry } of entries(data, 'examples')) {
    checkExample(entry, pointer, data['transport'], findings);
  }
  checkDigits(data, findings);
  if (findings.problems.length > 0) return { problems: findings.problems };
  const examples = entries(data, 'examples').map(({ entry }) => toExample(entry));
  const device = { profile: toProfile(data), description: String(data['description']), examples };
  return { device, problems: [] };
}

function checkExample(
  entry: Readonly<Record<string, unknown>>,
  pointer: string,
  transport: unknown,
  findings: Findings,
): void {
  const answers = transport === 'modbus' ? ['words'] : ['text', 'hex'];
  for (const [keys, sentence] of [
    [answers, `An example holds one answer: ${answers.join(' or ')}.`],
    [['digits', 'fault'], 'An example says what comes out: digits or fault.'],
  ] as const) {
    const said = keys.filter((key) => entry[key] !== undefined).length;
    if (said !== 1) findings.problem({ code: 'example.value', pointer, message: sentence });
  }
}

function checkDigits(data: Readonly<Record<string, unknown>>, findings: Findings): void {
  const { digits } = record(data['dial']) as Partial<Dial>;
  const type = data['type'];
  const most = type === 'u16' || type === 'u32' ? WORD_DIGITS_MAX[type] : undefined;
  if (most === undefined || typeof digits !== 'number' || digits <= most) return;
  const message = `A ${type} cannot carry a dial of ${digits} digits.`;
  findings.problem({ code: 'dial.too_wide', pointer: '/dial/digits', message });
}

function toProfile(data: Readonly<Record<string, unknown>>): Profile {
  const raw = data as unknown as {
    profile: string;
    transport: string;
    request?: string;
    dial: Dial;
    table: 'holding' | 'input';
    address: number;
    type: 'u16' | 'u32';
    words: 'high-first' | 'low-first';
  };
  const { profile: name, dial } = raw;
  if (raw.transport === 'modbus') {
    const { table, address, type, words } = raw;
    return { name, transport: 'modbus', table, address, type, words, dial };
  }
  const request = raw.request === undefined ? {} : { request: raw.request };
  return { name, transport: 'line', ...request, frame: 'ui1203', dial };
}

function toExample(entry: Readonly<Record<string, unknown>>): Example {
  const {
    text: line,
    hex,
    ...rest
  } = entry as unknown as Example & { text?: string; hex?: string };
  if (line !== undefined) return { ...rest, frame: new TextEncoder().encode(line) };
  if (hex !== undefined) {
    const pairs = hex.match(/[0-9A-Fa-f]{2}/g) ?? [];
    return { ...rest, frame: Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)) };
  }
  return rest;
}
