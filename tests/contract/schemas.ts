// The contract's schemas as the package ships them, compiled, and which of them a topic's payload has to keep.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** Beside package.json, also for what runs compiled in dist/. */
export const CONTRACT = contractAbove(dirname(fileURLToPath(import.meta.url)));

function contractAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return join(folder, 'docs', 'contract/');
  return contractAbove(dirname(folder));
}

/** What the type generator and the tests read of a schema. */
export interface Schema {
  readonly [keyword: string]: unknown;
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

/** Every schema by its kind (`state`, `birth`, ...); `common` holds what they share. */
export const SCHEMAS: ReadonlyMap<string, Schema> = new Map(
  readdirSync(CONTRACT)
    .filter((name) => name.endsWith('.schema.json'))
    .sort()
    .map((name) => [
      name.replace('.schema.json', ''),
      JSON.parse(readFileSync(`${CONTRACT}${name}`, 'utf8')) as Schema,
    ]),
);

// `then` and `anyOf` speak of properties whose types stand beside them.
const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
});
for (const schema of SCHEMAS.values()) ajv.addSchema(schema);

export function validatorOf(kind: string): ValidateFunction {
  const validate = ajv.getSchema(`${kind}.schema.json`);
  if (!validate) throw new Error(`no schema of ${kind}`);
  return validate;
}

/** Topics whose last word is not the kind of their messages. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^watermeter-v1\/[^/]+\/_headend\/state$/, 'headend'],
  [/\/up\/meter\/[^/]+\/info$/, 'meter'],
  [/\/dn\/cmd\/[^/]+$/, 'cmd'],
];
const PLAIN =
  /\/up\/(?:meter\/[^/]+\/(interval|event|last)|(state|birth|health|event|scorecard|rsp))$|\/dn\/(ack)$/;

/** The kind of message that belongs on a topic; undefined for a topic that is none of the contract's. */
export function kindOf(topic: string): string | undefined {
  if (!topic.startsWith('watermeter-v1/')) return undefined;
  const found = KINDS.find(([pattern]) => pattern.test(topic));
  const [, ofMeter, own, down] = PLAIN.exec(topic) ?? [];
  return found?.[1] ?? ofMeter ?? own ?? down;
}

/** Throws, naming the topic and every breach, when a message is not what the contract says for its topic. */
export function assertContract(topic: string, payload: string): void {
  const kind = kindOf(topic);
  if (kind === undefined) throw new Error(`no topic of the contract: ${topic}`);
  // An empty payload clears what is retained: a meter that was removed.
  if (kind === 'meter' && payload === '') return;
  const validate = validatorOf(kind);
  if (validate(JSON.parse(payload))) return;
  const breaches = (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}`);
  throw new Error(`${topic} breaks the contract: ${breaches.join('; ')}\n${payload}`);
}
