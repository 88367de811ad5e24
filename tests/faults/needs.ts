// What a machine must have for a fault, and the words for what it has not.

import { spawnSync } from 'node:child_process';
import { hasTmpfs } from '../end-to-end/full-disk.ts';
import { hasLoopDisks } from '../fakes/loop-disk.ts';
import { hasMosquitto } from '../fakes/real-brokers.ts';
import { fakeTimeLibrary } from './fake-time.ts';

export type Need = 'mosquitto' | 'loop' | 'tmpfs' | 'strace' | 'faketime' | 'network' | 'mounts';

const works = (command: string, ...args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** A shell in a network of its own in which loopback is up. */
export const OWN_NETWORK = [
  ...['unshare', '--net', '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'],
];

/** A shell whose mounts are its own. */
export const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c'];

const TRIALS: Readonly<Record<Need, { readonly what: string; readonly has: () => boolean }>> = {
  mosquitto: { what: 'mosquitto', has: () => hasMosquitto },
  loop: { what: 'root, loop devices, mkfs.ext4 and perl', has: () => hasLoopDisks },
  tmpfs: { what: 'root and tmpfs', has: () => hasTmpfs },
  strace: {
    what: 'strace, and the right to trace',
    has: () => works('strace', '-f', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'),
  },
  faketime: { what: 'libfaketime', has: () => fakeTimeLibrary() !== undefined },
  network: {
    what: 'root, network namespaces, ip and iptables',
    has: () => {
      const [command = '', ...args] = OWN_NETWORK;
      const drop = 'iptables -I INPUT -p tcp --dport 9 -m statistic --mode random';
      return works(command, ...args, 'sh', '-c', `${drop} --probability 0.5 -j DROP`);
    },
  },
  mounts: {
    what: 'root and mount namespaces',
    has: () => {
      const [command = '', ...args] = OWN_MOUNTS;
      return works(command, ...args, 'mount -t tmpfs none /run');
    },
  },
};

const known = new Map<Need, boolean>();

/** What of `needs` this machine has not, in words. */
export function lacking(needs: readonly Need[]): string[] {
  return needs.flatMap((need) => {
    const has = known.get(need) ?? TRIALS[need].has();
    known.set(need, has);
    return has ? [] : [TRIALS[need].what];
  });
}
