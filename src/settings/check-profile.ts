// A parsed device file to a Profile with its examples, or to everything that is wrong with it.

import { decodeFrame } from '../codec/decode.ts';
import { withoutDelimiter } from '../codec/frame-edges.ts';
import { DEVICE_FLAGS } from '../domain/device-flag.ts';
import { FAULTS } from '../domain/fault.ts';
import type { Confidence, Profile, Sends } from '../domain/profile.ts';
import type { Dial } from '../domain/units.ts';
import { checkModbus, digitsCarried, toModbusProfile } from './check-modbus-profile.ts';
import { checkSchema, type Schema } from './check-schema.ts';
import { entries, Findings, record, text } from './findings.ts';
import { toLineProfile } from './line-profile.ts';
import type { Source } from './parse-yaml.ts';
import { nearest, type Problem } from './problems.ts';

/** An answer of the device and what must come of it. Exactly one of `digits` and `fault`. */
export interface Example {
  /** A line's frame, with or without its delimiter, or Modbus RTU replies in the order of the questions. */
  readonly frame: Uint8Array;
  /** What the meter's settings say of its dial, where that differs from the profile. */
  readonly dial?: Partial<Dial>;
  /** The register as sent, leading zeros included. */
  readonly digits?: string;
  /** The same in counts. */
  readonly read?: number;
  readonly id?: string;
  readonly flags?: readonly string[];
  /** Fault code that must come instead of digits. */
  readonly fault?: string;
  readonly source: string;
  readonly confidence: Confidence;
}

export interface Device {
  readonly profile: Profile;
  readonly description: string;
  readonly source: string;
  readonly examples: readonly Example[];
}

/** Checks one file of devices/ whose name without `.yaml` is `name`. A warning is a doubt, of a file that can be used. */
export function checkProfile(
  source: Source,
  name: string,
  schema: Schema,
): { device?: Device; problems: Problem[]; warnings: Problem[] } {
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
  if (data['transport'] === 'modbus') checkModbus(data, findings);
  if (findings.problems.length > 0) return findings;
  const profile = toProfile(data);
  checkDigits(profile, findings);
  if (findings.problems.length > 0) return findings;
  const { description, source: from } = data as { description: string; source: string };
  const examples = entries(data, 'examples').map(({ entry }) => toExample(entry));
  examples.forEach((example, i) => {
    const message = misreads(profile, example);
    if (message === null) return;
    findings.problem({ code: 'example.value', pointer: `/examples/${i}`, message });
  });
  if (findings.problems.length > 0) return findings;
  const device = { profile, description, source: from, examples };
  return { device, problems: [], warnings: findings.warnings };
}

/** What a profile makes of its own example where that is something else; null where it is the same. */
function misreads(profile: Profile, example: Example): string | null {
  const { frame, digits = '', fault } = example;
  const answer = profile.transport === 'line' ? withoutDelimiter(profile.framing, frame) : frame;
  const read = decodeFrame(profile, Uint8Array.from(answer), { ...profile.dial, ...example.dial });
  const told = fault ?? `${digits}, ${example.read ?? Number(digits)} counts`;
  const found = read.ok ? `${read.value.digits}, ${read.value.register} counts` : read.fault.code;
  return found === told ? null : `This profile reads its example as ${found}, not as ${told}.`;
}

function checkExample(
  entry: Readonly<Record<string, unknown>>,
  pointer: string,
  transport: unknown,
  findings: Findings,
): void {
  const answers = transport === 'modbus' ? ['hex'] : ['text', 'hex'];
  for (const [keys, sentence] of [
    [answers, `An example holds one answer: ${answers.join(' or ')}.`],
    [['digits', 'fault'], 'An example says what comes out: digits or fault.'],
  ] as const) {
    const said = keys.filter((key) => entry[key] !== undefined).length;
    if (said !== 1) findings.problem({ code: 'example.value', pointer, message: sentence });
  }
  checkCode(entry['fault'], `${pointer}/fault`, Object.keys(FAULTS), 'fault', findings);
  const flags = Array.isArray(entry['flags']) ? entry['flags'] : [];
  for (const [i, flag] of flags.entries()) {
    checkCode(flag, `${pointer}/flags/${i}`, Object.keys(DEVICE_FLAGS), 'flag', findings);
  }
}

function checkCode(
  code: unknown,
  pointer: string,
  known: readonly string[],
  what: string,
  findings: Findings,
): void {
  if (typeof code !== 'string' || known.includes(code)) return;
  const message = `There is no ${what} "${code}".`;
  const suggestion = nearest(code, known);
  findings.problem({ code: 'example.value', pointer, message, suggestion });
}

function checkDigits(profile: Profile, findings: Findings): void {
  if (profile.transport !== 'modbus') return;
  const { dial, register } = profile;
  if (dial.digits <= digitsCarried(register, dial)) return;
  const message = `A ${register.type} cannot carry a dial of ${dial.digits} digits.`;
  findings.problem({ code: 'dial.too_wide', pointer: '/dial/digits', message });
}

function toProfile(data: Readonly<Record<string, unknown>>): Profile {
  const raw = data as unknown as {
    profile: string;
    maker: string;
    model: string;
    confidence: Confidence;
    transport: string;
    min_poll_s: number;
    sends: Sends;
    dial: Dial;
  };
  const { profile: name, maker, model, confidence, dial, min_poll_s: minPollS, sends } = raw;
  const base = { name, maker, model, confidence, dial, minPollS, sends };
  return raw.transport === 'modbus' ? toModbusProfile(data, base) : toLineProfile(data, base);
}

function toExample(entry: Readonly<Record<string, unknown>>): Example {
  const {
    text: line,
    hex,
    ...rest
  } = entry as unknown as Example & { text?: string; hex?: string };
  if (line !== undefined) return { ...rest, frame: new TextEncoder().encode(line) };
  const pairs = hex?.match(/[0-9A-Fa-f]{2}/g) ?? [];
  return { ...rest, frame: Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)) };
}
