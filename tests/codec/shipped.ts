// The device files that are shipped, for tests that feed them.

import { fileURLToPath } from 'node:url';
import { loadProfiles } from '../../src/settings/load-profiles.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every whole file of devices/. */
export async function shippedDevices() {
  return (await loadProfiles(ROOT)).devices;
}
