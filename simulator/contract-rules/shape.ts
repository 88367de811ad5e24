// A payload against the published schema of its topic, and which rule each breach is one of.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Rule } from './verdicts.ts';

export type Kind =
  | 'state'
  | 'birth'
  | 'health'
  | 'meter'
  | 'interval'
  | 'event'
  | 'last'
  | 'scorecard'
  | 'rsp'
  | 'cmd'
  | 'ack'
  | 'headend';

/** What the contract's table says of a topic. */
export interface Place {
  readonly kind: Kind;
  readonly utility: string;
  /** Null for the head-end's own state. */
  readonly collector: string | null;
  readonly meter: string | null;
  readonly qos: 0 | 1;
  /** Whether its messages are retained. */
  readonly retain: boolean;
}

const NAME = '([A-Za-z0-9_-]{1,40})';
const OF_METER = new RegExp(`^watermeter-v1/${NAME}/${NAME}/up/meter/${NAME}/([a-z]+)$`);
const OWN = new RegExp(`^watermeter-v1/${NAME}/${NAME}/up/([a-z]+)$`);
const DOWN = new RegExp(`^watermeter-v1/${NAME}/${NAME}/dn/(?:(ack)|cmd/[a-z._]{1,40})$`);
const HEAD_END = new RegExp(`^watermeter-v1/${NAME}/_headend/state$`);

const METER_KINDS: Readonly<Record<string, Kind>> = {
  ...{ info: 'meter', interval: 'interval', event: 'event', last: 'last' },
};
const OWN_KINDS: Readonly<Record<string, Kind>> = {
  ...{ state: 'state', birth: 'birth', health: 'health', event: 'event' },
  ...{ scorecard: 'scorecard', rsp: 'rsp' },
};
const RETAINED: readonly Kind[] = ['state', 'birth', 'meter', 'last', 'ack', 'headend'];
const QOS_0: readonly Kind[] = ['health', 'last'];

/** Topics come again and again; so many are known at a time. */
const PLACES_MAX = 10_000;
const PLACES = new Map<string, Place | undefined>();

/** The place of a topic in the contract's table; undefined for one that is not there. */
export function placeOf(topic: string): Place | undefined {
  if (PLACES.has(topic)) return PLACES.get(topic);
  const place = findPlace(topic);
  if (PLACES.size >= PLACES_MAX) PLACES.clear();
  PLACES.set(topic, place);
  return place;
}

function findPlace(topic: string): Place | undefined {
  const placed = (
    kind: Kind | undefined,
    utility: string,
    collector: string | null,
    meter: string | null = null,
  ): Place | undefined =>
    kind && {
      ...{ kind, utility, collector, meter },
      qos: QOS_0.includes(kind) ? 0 : 1,
      retain: RETAINED.includes(kind),
    };
  const [, of, at = '', meter = '', about = ''] = OF_METER.exec(topic) ?? [];
  if (of !== undefined) return placed(METER_KINDS[about], of, at, meter);
  const [, utility, collector = '', own = ''] = OWN.exec(topic) ?? [];
  if (utility !== undefined) return placed(OWN_KINDS[own], utility, collector);
  const [, under, to = '', ack] = DOWN.exec(topic) ?? [];
  if (under !== undefined) return placed(ack ? 'ack' : 'cmd', under, to);
  const [, served] = HEAD_END.exec(topic) ?? [];
  return served === undefined ? undefined : placed('headend', served, null);
}

/** docs/contract/ of the package, from its sources or from where they were built to. */
function contractFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const near = join(here, '..', '..', 'docs', 'contract');
  return existsSync(near) ? near : join(here, '..', '..', '..', 'docs', 'contract');
}

let compiled: Ajv2020 | undefined;

function validatorOf(kind: Kind): ValidateFunction {
  if (compiled === undefined) {
    const folder = contractFolder();
    compiled = new Ajv2020({ allErrors: true, verbose: true, strict: false });
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.schema.json'))) {
      compiled.addSchema(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    }
  }
  const validate = compiled.getSchema(`${kind}.schema.json`);
  if (validate === undefined) throw new Error(`no schema of ${kind}`);
  return validate;
}

/** The rule of a field, by its path in the payload; the first that matches. */
const INTERVAL_RULES: readonly (readonly [RegExp, Rule])[] = [
  [/^\/(?:intervals|gaps)\/\d+\/row$|^\/epoch$/, 'A1'],
  [/^\/(?:intervals|gaps)\/\d+\/flags/, 'I7'],
  [/^\/(?:intervals|gaps)\/\d+\/rev$/, 'I6'],
  [/^\/gaps\/\d+/, 'I4'],
  [/^\/intervals\/\d+\/(?:start|at)$/, 'I1'],
  [/^\/intervals\/\d+/, 'I3'],
  [/^\/(?:intervals|gaps|cause)$/, 'I8'],
  [/^\/(?:unit|pow10|digits)$/, 'I2'],
  [/^\/(?:meter|inst)$/, 'I9'],
];
const EVENT_RULES: readonly (readonly [RegExp, Rule])[] = [
  [/^\/(?:row|epoch)$/, 'A1'],
  [/^\/code$/, 'E2'],
  [/^\/data/, 'E3'],
  [/^\/(?:id|phase|since|meter|inst)$/, 'E1'],
];
const KIND_RULES: Readonly<Record<Kind, Rule>> = {
  ...{ state: 'S1', birth: 'S2', meter: 'S3', health: 'S4', scorecard: 'S5' },
  ...{ interval: 'payload', last: 'payload', event: 'E1' },
  ...{ rsp: 'C1', cmd: 'C2', ack: 'A1', headend: 'A2' },
};

function ruleOf(kind: Kind, path: string, { data, keyword }: ErrorObject): Rule {
  if (/^\/(?:v|type)$/.test(path)) return 'payload';
  // A fraction, or a number as text: no count at all, whatever else it breaks.
  const counted = /\/(?:read|total|use)$/.test(path) && keyword !== 'required';
  const number = typeof data === 'number' && !Number.isInteger(data);
  if (counted && (number || typeof data === 'string')) return 'I2';
  if (kind === 'meter' && /^\/(?:unit|pow10|digits)$/.test(path)) return 'I2';
  const table = kind === 'interval' ? INTERVAL_RULES : kind === 'event' ? EVENT_RULES : [];
  return table.find(([pattern]) => pattern.test(path))?.[1] ?? KIND_RULES[kind];
}

/** Breaches of the schema, one for a rule. Empty when the payload has its shape. */
export function shapeBreaches(kind: Kind, message: unknown): { rule: Rule; text: string }[] {
  const validate = validatorOf(kind);
  if (validate(message)) return [];
  const breaches = new Map<Rule, string>();
  for (const error of validate.errors ?? []) {
    // The errors inside say what is wrong.
    if (['if', 'anyOf'].includes(error.keyword)) continue;
    const missing = error.keyword === 'required' ? `/${error.params['missingProperty']}` : '';
    const path = error.instancePath + missing;
    const rule = ruleOf(kind, path, error);
    const said = missing ? 'is missing' : `${error.message}, is ${JSON.stringify(error.data)}`;
    if (!breaches.has(rule)) breaches.set(rule, `${path} ${said}`.slice(0, 300));
  }
  return [...breaches].map(([rule, text]) => ({ rule, text }));
}
