// `npm run bench -- NAME [--json]`: prints the figures of one bench, or of all.

import { benchBus } from './bus.ts';
import { benchCodec } from './codec.ts';
import type { Figure } from './figure.ts';
import { print } from './figure.ts';
import { benchJournal } from './journal.ts';
import { benchLeaks } from './leaks.ts';
import { benchPeer } from './peer.ts';
import { benchUpstream } from './upstream.ts';
import { benchWorld } from './world.ts';

const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  bus: benchBus,
  codec: benchCodec,
  peer: benchPeer,
  journal: benchJournal,
  leaks: benchLeaks,
  upstream: benchUpstream,
  world: benchWorld,
};

const args = process.argv.slice(2);
const json = args.includes('--json');
const names = args.filter((arg) => !arg.startsWith('--'));
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));

if (unknown.length > 0) {
  const known = Object.keys(BENCHES).join(', ');
  process.stderr.write(`There is no bench ${unknown.join(', ')}. Known: ${known}\n`);
  process.exitCode = 2;
} else {
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    for (const figure of (await BENCHES[name]?.()) ?? []) {
      print(figure, json);
      if (figure.met === false) process.exitCode = 1;
    }
  }
}
