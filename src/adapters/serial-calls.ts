// Reads and writes a serial port in the calling thread: its file never blocks, and a detour over the library's threads costs an RTU line a tenth of its rate.

import { readSync, writeSync } from 'node:fs';

/** What is reached of the library's binding on Linux, for which it has no public way. */
interface LinuxBinding {
  readonly fd: number;
  readonly poller: {
    once(event: 'readable', then: (error: Error | null) => void): unknown;
  };
  read(
    buffer: Buffer,
    offset: number,
    length: number,
  ): Promise<{ buffer: Buffer; bytesRead: number }>;
}

/**
 * Makes the library read `binding` by waiting for bytes and then taking them. Its own way asks a thread first, and is told
 * by an exception that there is nothing; and it reads a port that hung up as "0 bytes, try again" for ever. On any other
 * binding than the one known this does nothing.
 */
export function readDirectly(binding: unknown): void {
  if (!isLinux(binding)) return;
  binding.read = async (buffer, offset, length) => {
    for (;;) {
      await new Promise<void>((resolve, reject) => {
        binding.poller.once('readable', (error) => (error === null ? resolve() : reject(error)));
      });
      const bytesRead = attempt(() => readSync(binding.fd, buffer, offset, length, null));
      if (bytesRead === 0) throw new Error('the port hung up');
      if (bytesRead !== null) return { buffer, bytesRead };
    }
  };
}

/** How many of `bytes` the port of `binding` took at once: perhaps none. Throws when the port is gone. */
export function writeDirectly(binding: unknown, bytes: Uint8Array): number {
  return isLinux(binding) ? (attempt(() => writeSync(binding.fd, bytes)) ?? 0) : 0;
}

/** The outcome of a call on a file that does not block; null when it would have to wait. */
function attempt(call: () => number): number | null {
  try {
    return call();
  } catch (error) {
    if (AGAIN.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

const AGAIN: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EINTR']);

function isLinux(binding: unknown): binding is LinuxBinding {
  const { fd, poller, read } = (binding ?? {}) as Partial<LinuxBinding>;
  const known = typeof poller?.once === 'function' && typeof read === 'function';
  return process.platform === 'linux' && typeof fd === 'number' && known;
}
