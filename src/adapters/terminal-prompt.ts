// One question to the person at a terminal, with the line editing that people expect.

import { createInterface } from 'node:readline/promises';
import { type Readable, Writable } from 'node:stream';

/** The answer as typed, or null when there will be none: Ctrl-C, Ctrl-D, or a terminal that went away. */
export async function promptAtTerminal(
  question: string,
  terminal: { readonly input: Readable; readonly output: Writable; readonly isSecret: boolean },
): Promise<string | null> {
  const { input, output, isSecret } = terminal;
  // What readline would echo goes nowhere.
  const nowhere = new Writable({ write: (_piece, _encoding, written) => written() });
  if (isSecret) output.write(question);
  const lines = isSecret
    ? createInterface({ input, output: nowhere, terminal: true })
    : createInterface({ input, output });
  const left = new Promise<null>((resolve) => {
    lines.once('SIGINT', () => resolve(null));
    lines.once('close', () => resolve(null));
  });
  try {
    return await Promise.race([lines.question(isSecret ? '' : question), left]);
  } finally {
    lines.close();
    if (isSecret) output.write('\n');
  }
}
