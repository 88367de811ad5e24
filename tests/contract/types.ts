// Writes the contract's schemas as TypeScript types, so that the program and the published files cannot differ.

import { SCHEMAS, type Schema } from './schemas.ts';

const WIDTH = 100;

const HEAD = `// The contract's messages as types, written from docs/contract/*.schema.json; \`npm run fix\` writes them anew.

`;

const named = (ref: string): string => {
  const name = ref.slice(ref.lastIndexOf('/') + 1);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
};

const literal = (one: unknown): string =>
  typeof one === 'string' ? `'${one}'` : JSON.stringify(one);

function union(parts: readonly string[], indent: string, room: number): string {
  const line = parts.join(' | ');
  if (parts.length < 2 || line.includes('\n') || line.length <= room) return line;
  return parts.map((part) => `\n${indent}  | ${part}`).join('');
}

function objectType(schema: Schema, indent: string): string {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const head = `${indent}  readonly ${name}${required.has(name) ? '' : '?'}: `;
    const type = typeOf(property, `${indent}  `, WIDTH - head.length - 1);
    const text = property.description;
    const separator = type.startsWith('\n') ? head.trimEnd() : head;
    return [...(text ? [`${indent}  /** ${text} */`] : []), `${separator}${type};`];
  });
  return lines.length === 0
    ? 'Readonly<Record<string, unknown>>'
    : `{\n${lines.join('\n')}\n${indent}}`;
}

function arrayType({ items, prefixItems }: Schema, indent: string, room: number): string {
  if (prefixItems) {
    return `readonly [${prefixItems.map((item) => typeOf(item, indent, room)).join(', ')}]`;
  }
  const item = items ? typeOf(items, indent, room) : 'unknown';
  if (item.startsWith('\n')) return `readonly (${item}\n${indent})[]`;
  return `readonly ${/ \| /.test(item) && !item.startsWith('{') ? `(${item})` : item}[]`;
}

function typeOf(schema: Schema, indent: string, room: number): string {
  if (schema.$ref !== undefined) return named(schema.$ref);
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return union(schema.enum.map(literal), indent, room);
  if (schema.anyOf && !schema.properties) {
    return union(
      schema.anyOf.map((one) => typeOf(one, indent, room)),
      indent,
      room,
    );
  }
  const types = [schema.type ?? []].flat();
  return union(
    types.map((type) => {
      if (type === 'object') return objectType(schema, indent);
      if (type === 'array') return arrayType(schema, indent, room);
      return type === 'integer' ? 'number' : type;
    }),
    indent,
    room,
  );
}

function declaration(name: string, schema: Schema): string {
  const text = schema.description ? `/** ${schema.description} */\n` : '';
  if (schema.type === 'object' && schema.properties) {
    return `${text}export interface ${name} ${objectType(schema, '')}\n`;
  }
  const head = `export type ${name} =`;
  const type = typeOf(schema, '', WIDTH - head.length - 2);
  return `${text}${head}${type.startsWith('\n') ? '' : ' '}${type};\n`;
}

/** The whole file. */
export function contractTypes(): string {
  const parts = [...SCHEMAS.values()].flatMap((schema) => [
    ...Object.entries(schema.$defs ?? {}).map(([name, one]) => declaration(named(name), one)),
    ...(schema.properties ? [declaration(schema.title ?? '', schema)] : []),
  ]);
  return HEAD + parts.join('\n');
}
