// Reads a settings file and everything it names, and answers with Settings or with all of its problems at once.

import { dirname, join, resolve } from 'node:path';
import { compileSchema } from './check-schema.ts';
import { type Checked, checkSettings } from './check-settings.ts';
import { entries, text } from './findings.ts';
import { loadProfiles } from './load-profiles.ts';
import { type ReadText, readBounded, readSource } from './load-source.ts';
import { inOrder } from './problems.ts';

/**
 * Loads `file`. `root` is the package's folder, which holds config/ and devices/; `readText` stands in for the disk
 * where the settings file itself is concerned. An absent port or broker is no problem of the settings.
 * Rejects only when the package itself is broken.
 */
export async function loadSettings(options: {
  readonly file: string;
  readonly root: string;
  readonly readText?: ReadText;
}): Promise<Checked> {
  const { file, root, readText = readBounded } = options;
  const { source, problems } = await readSource(file, readText);
  if (source === undefined) return { ok: false, problems: inOrder(problems) };
  const schema = compileSchema(await readBounded(join(root, 'config', 'settings.schema.json')));
  const loaded = await loadProfiles(root, profilesNamed(source.data));
  const byName = new Map(loaded.devices.map(({ profile }) => [profile.name, profile]));
  return checkSettings(source, {
    schema,
    profiles: { names: loaded.names, byName },
    folder: dirname(resolve(file)),
    before: [...problems, ...loaded.problems],
    doubts: loaded.warnings,
  });
}

function profilesNamed(data: unknown): Set<string> {
  return new Set(entries(data, 'meters').flatMap(({ entry }) => text(entry['profile']) ?? []));
}
