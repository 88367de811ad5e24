// Reads devices/*.yaml: the profiles of meters and converters, checked against devices/device.schema.json.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkProfile, type Device } from './check-profile.ts';
import { compileSchema } from './check-schema.ts';
import { readBounded, readSource } from './load-source.ts';
import type { Problem } from './problems.ts';

/**
 * The devices of `<root>/devices` and the problems of their files. `names` lists every file there; only those in
 * `wanted` are read (all when it is absent), so that a broken file hurts only the meters that use it.
 */
export async function loadProfiles(
  root: string,
  wanted?: ReadonlySet<string>,
): Promise<{ names: string[]; devices: Device[]; problems: Problem[]; warnings: Problem[] }> {
  const folder = join(root, 'devices');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
  const names = files.map((file) => file.slice(0, -'.yaml'.length));
  const chosen = names.filter((name) => wanted === undefined || wanted.has(name));
  const schema = compileSchema(await readBounded(join(folder, 'device.schema.json')));
  const devices: Device[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const name of chosen) {
    const read = await readSource(join(folder, `${name}.yaml`));
    problems.push(...read.problems);
    if (read.source === undefined) continue;
    const checked = checkProfile(read.source, name, schema);
    problems.push(...checked.problems);
    warnings.push(...checked.warnings);
    if (checked.device !== undefined) devices.push(checked.device);
  }
  return { names, devices, problems, warnings };
}
