// What is typed for a setting as the value that its place takes: digits are a text where the schema wants a text.

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/**
 * YAML's simplest: a number, true, false, null, JSON, else text. A shell takes quotes away, so that `register_id 1234` comes
 * as a number; where `schema` has a text at `path` ("/meters/SP-1/register_id") it is the text that was typed.
 */
export function settingOf(typed: string, path: string, schema: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(typed);
  } catch {
    return typed;
  }
  if (typeof value === 'string' || (typeof value === 'object' && value !== null)) return value;
  const kinds = kindsAt(path, JSON.parse(schema) as Schema);
  if (!kinds.includes('string')) return value;
  // An address may be a number too, but 1e3 is none.
  return kinds.includes(typeof value) && String(value) === typed ? value : typed;
}

/** The kinds of value that the schema has at a path; none where it has no such place. In a list the step is a name. */
function kindsAt(path: string, root: Schema): readonly string[] {
  let here: Schema | undefined = root;
  for (const step of path.split('/').slice(1)) {
    const holder: Schema | undefined = here && followed(here, root);
    here = holder?.items ?? holder?.properties?.[step];
  }
  return [(here && followed(here, root).type) ?? []].flat();
}

function followed(schema: Schema, root: Schema): Schema {
  const [, name = ''] = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? '') ?? [];
  return root.$defs?.[name] ?? schema;
}
