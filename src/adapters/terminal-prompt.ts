// One question to the person at a terminal, with the line editing that people expect.

import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

/** The answer as typed, or null when there will be none: Ctrl-C, Ctrl-D, or a terminal that went away. */
export async function promptAtTerminal(
  question: string,
  input: Readable,
  output: Writable,
): Promise<string | null> {
  const lines = createInterface({ input, output });
  const left = new Promise<null>((resolve) => {
    lines.once('SIGINT', () => resolve(null));
    lines.once('close', () => resolve(null));
  });
  try {
    return await Promise.race([lines.question(question), left]);
  } finally {
    lines.close();
  }
}
