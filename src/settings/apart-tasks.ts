// What is done apart, as it is done here.

import type { Tasks } from './apart.ts';
import { editSettings } from './edit-settings.ts';
import { loadProfiles } from './load-profiles.ts';
import { loadSettings } from './load-settings.ts';

export const tasks: Tasks = {
  load: loadSettings,
  edit: editSettings,
  profiles: async ({ root }) => (await loadProfiles(root)).devices.map(({ profile }) => profile),
};
