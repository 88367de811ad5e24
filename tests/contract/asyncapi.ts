// The AsyncAPI document as lines that can be held against what a collector does.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CONTRACT } from './schemas.ts';

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: { readonly $ref: string };
  readonly bindings: { readonly mqtt: { readonly qos: number; readonly retain: boolean } };
}

interface Document {
  readonly channels: Readonly<Record<string, { readonly address: string }>>;
  readonly operations: Readonly<Record<string, Operation>>;
}

/** A line for each operation: action, topic with `names` in their places, QoS and whether it is retained. */
export function asyncApiLines(names: Readonly<Record<string, string>>): string[] {
  const document = parse(readFileSync(join(CONTRACT, 'asyncapi.yaml'), 'utf8')) as Document;
  return Object.values(document.operations).map(({ action, channel, bindings }) => {
    const { address = '' } = document.channels[channel.$ref.replace('#/channels/', '')] ?? {};
    const topic = address.replaceAll(/\{(\w+)\}/g, (place, name) => names[name] ?? place);
    return [action, topic, bindings.mqtt.qos, bindings.mqtt.retain].join(' ');
  });
}
