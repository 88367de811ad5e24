// The settings' JSON Schema as a form needs it: what each key may be, references followed.

export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

export type Kind = 'choice' | 'switch' | 'number' | 'text' | 'list' | 'group' | 'named' | 'other';

/** The schema that a reference names, or the schema itself. */
export function followed(schema: Schema, root: Schema): Schema {
  const [, name] = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? '') ?? [];
  const found = name === undefined ? undefined : root.$defs?.[name];
  return found === undefined ? schema : { ...followed(found, root), ...withoutRef(schema) };
}

const withoutRef = ({ $ref: _, ...rest }: Schema): Schema => rest;

export function kindOf(schema: Schema, root: Schema): Kind {
  const types = [schema.type ?? []].flat();
  if (schema.enum !== undefined) return 'choice';
  if (types.includes('boolean')) return 'switch';
  if (types.includes('string')) return 'text';
  if (types.includes('number') || types.includes('integer')) return 'number';
  if (types.includes('object') && schema.properties !== undefined) return 'group';
  if (!types.includes('array') || schema.items === undefined) return 'other';
  const one = followed(schema.items, root);
  if (one.properties !== undefined) return 'named';
  return [one.type ?? []].flat().includes('string') ? 'list' : 'other';
}

/** What a person typed, as the schema wants it; undefined takes the key out, so that its default holds. */
export function wantedOf(typed: string, kind: Kind, schema: Schema): unknown {
  if (typed.trim() === '') return undefined;
  if (kind === 'number') return Number(typed);
  if (kind === 'switch') return typed === 'true';
  if (kind === 'list') return typed.split(',').map((one) => one.trim());
  if (kind === 'choice') return schema.enum?.find((one) => String(one) === typed) ?? typed;
  return typed;
}

/** What stands in the field for what the settings say. */
export function typedOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** Set only at the collector itself, and shown only. */
const ONLY_HERE = [
  ...['/version', '/utility', '/collector', '/data', '/control', '/upstream/commands', '/console'],
  ...['/upstream/password_file', '/upstream/ca_file', '/upstream/cert_file', '/upstream/key_file'],
];

export const isOnlyHere = (path: string): boolean =>
  ONLY_HERE.some((one) => path === one || path.startsWith(`${one}/`));
