// Every code of an event that the contract names (E2) is told by something and has a name for people: none is an empty promise.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const schema = JSON.parse(read('docs/contract/event.schema.json')) as {
  readonly properties: { readonly code: { readonly enum: readonly string[] } };
};
/** Where the codes are listed, and none is raised. */
const LISTS = ['codec/contract.ts', 'domain/alarms.ts'];
const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('console/') && !LISTS.includes(path))
  .map((path) => read(join('src', path)))
  .join('\n');

describe.each(schema.properties.code.enum)('E2: %s', (code) => {
  it('is raised somewhere', () => {
    expect(source).toContain(`'${code}'`);
  });

  it.each(['en', 'es'])('has a name in %s', (language) => {
    expect(read(`config/locales/${language}.json`)).toContain(
      `"event_${code.replaceAll('.', '_')}"`,
    );
  });
});
