// A real pseudo-terminal under a path of its own choosing: what a test says on it arrives at a serial port.

import { closeSync, constants, openSync, rmSync, symlinkSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import pty from '@lydell/node-pty';

interface OpenTerminal {
  readonly ptsName: string;
  readonly master: ReadStream;
  readonly slave: ReadStream;
}

/** The package opens a bare pair, but does not say so in its types. */
const { open } = pty as unknown as { open(options: { encoding: null }): OpenTerminal };

/** The far end of a serial cable whose near end is the device at `path`. */
export interface PseudoTerminal {
  /** Bytes to the port. */
  say(bytes: Uint8Array): void;
  onHeard(listener: (bytes: Buffer) => void): void;
  /** Stops taking bytes, so that the port's buffer fills. */
  stuff(): void;
  /** Pulls the cable: the path goes, and whoever holds the port loses it. */
  unplug(): void;
}

/** Plugs a new pseudo-terminal in at `path`, which must not exist. */
export function plugTerminal(path: string): PseudoTerminal {
  const { ptsName, master, slave } = open({ encoding: null });
  // Raw, or the kernel would echo, and turn CR into LF, until the port sets its own mode.
  slave.setRawMode(true);
  // Held open, so that the pair survives between two openings; but not by the stream, which reads what is the port's.
  const holder = openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
  slave.destroy();
  let plugged = true;
  master.on('error', () => {});
  symlinkSync(ptsName, path);
  return {
    say: (bytes) => {
      (master as unknown as NodeJS.WritableStream).write(bytes);
    },
    onHeard: (listener) => master.on('data', listener),
    stuff: () => master.pause(),
    unplug: () => {
      if (!plugged) return;
      plugged = false;
      rmSync(path, { force: true });
      closeSync(holder);
      master.destroy();
    },
  };
}
