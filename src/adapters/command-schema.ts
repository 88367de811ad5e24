// Commands against the very schema files that the package publishes (C1), compiled when the first command comes.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandCheck } from '../codec/command-message.ts';

/** Files of docs/contract/, the last of which is a command's. */
const FILES = ['common.schema.json', 'cmd.schema.json'] as const;

/**
 * Gives the check, each time the same. Most collectors are never given a command: what compiles schemas takes some MiB,
 * and is not loaded before. Rejects where the package is not whole.
 */
export function commandCheck(root: string): () => Promise<CommandCheck> {
  let loading: Promise<CommandCheck> | undefined;
  return () => {
    loading ??= compile(root);
    return loading;
  };
}

async function compile(root: string): Promise<CommandCheck> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  // The first breach is enough: a hostile command is not worth a list.
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
  for (const file of FILES) {
    ajv.addSchema(JSON.parse(await readFile(join(root, 'docs', 'contract', file), 'utf8')));
  }
  const validate = ajv.getSchema(FILES[1]);
  if (!validate) throw new Error('the schema of commands is not what it is called');
  return (said) => {
    if (validate(said)) return null;
    const [breach] = validate.errors ?? [];
    return `${breach?.instancePath.slice(1) || 'it'} ${breach?.message ?? 'is no command'}`;
  };
}
