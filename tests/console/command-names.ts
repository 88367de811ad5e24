// The names of all commands that stand behind the console's door, as the handlers themselves are named.

import type { Journal } from '../../src/boundaries.ts';
import { createCommands, type LiveStatus } from '../../src/commands/commands.ts';
import { withLocal } from '../../src/commands/local.ts';
import type { Operating } from '../../src/commands/operations.ts';
import { siteAnswerers } from '../../src/commands/site.ts';

/** None of them is run: what they would work with is not there. */
export function commandNames(): readonly string[] {
  const journal = {} as Journal;
  const live: LiveStatus = { status: async () => ({}), buses: [] };
  const commands = createCommands(journal, live, { places: new Map() } as unknown as Operating);
  const local = withLocal(commands, journal, {} as Parameters<typeof withLocal>[2]);
  const site = siteAnswerers({ journal } as Parameters<typeof siteAnswerers>[0]);
  return [...local.names, ...Object.keys(site)];
}
