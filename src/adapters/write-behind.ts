// Writes text to a file descriptor without waiting for its reader; what no reader takes in time is dropped.

import { write, writeSync } from 'node:fs';

/**
 * Takes lines for the descriptor `fd` and never blocks or throws. More than `unreadMax` characters that wait for
 * the reader are dropped, newest first; a descriptor that fails (reader gone, disk full) is left alone from then on.
 * What waits at the exit of the process is still written, unless the reader has stalled.
 */
export function writeBehind(fd: number, unreadMax: number): { write(line: string): void } {
  let waiting: string[] = [];
  let length = 0;
  let unwritten: Buffer | undefined;
  let state: 'idle' | 'writing' | 'stalled' | 'lost' = 'idle';

  const pump = () => {
    if (state !== 'idle') return;
    const chunk = take();
    if (chunk.length === 0) return;
    state = 'writing';
    // A write that outlasts a turn of the event loop has met a full pipe.
    setImmediate(() => {
      if (state === 'writing') state = 'stalled';
    }).unref();
    write(fd, chunk, (error, written) => {
      const again = error?.code === 'EAGAIN';
      state = error && !again ? 'lost' : 'idle';
      if (state === 'lost') waiting = [];
      else unwritten = again ? chunk : chunk.subarray(written);
      // A pipe that takes nothing now is tried again at the next line, not in a loop.
      if (!again) pump();
    });
  };
  const take = () => {
    const chunk = Buffer.concat([unwritten ?? Buffer.alloc(0), Buffer.from(waiting.join(''))]);
    waiting = [];
    length = 0;
    unwritten = undefined;
    return chunk;
  };

  process.once('exit', () => {
    if (state === 'stalled' || state === 'lost') return;
    const rest = take();
    try {
      // One call: a loop here would hold the exit back for as long as the pipe is closed.
      if (rest.length > 0) writeSync(fd, rest);
    } catch {
      // The reader is gone before us.
    }
  });

  return {
    write(line) {
      if (state === 'lost' || length + line.length > unreadMax) return;
      waiting.push(line);
      length += line.length;
      pump();
    },
  };
}
