// Starts the simulator's programs: sim, demo, headend or conformance, by the first argument.

import { complain, FAILED, USAGE } from './arguments.ts';

/** Each is loaded when it is asked for: none waits for the libraries of the others. */
const PROGRAMS: Readonly<Record<string, (argv: string[]) => Promise<number>>> = {
  sim: async (argv) => (await import('./sim.ts')).runSim(argv),
  demo: async (argv) => (await import('./demo.ts')).runDemo(argv),
  headend: async (argv) => (await import('./head-end-program.ts')).runHeadEnd(argv),
  conformance: async (argv) => (await import('./conformance.ts')).runConformance(argv),
};

/** Something a library left open may not keep an ended program alive longer than this. */
const LINGER_MS = 3_000;

async function main(): Promise<number> {
  const [name = '', ...argv] = process.argv.slice(2);
  const run = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (run === undefined) {
    const names = Object.keys(PROGRAMS).join(', ');
    complain(
      argv.includes('--json'),
      'bad_request',
      `No program "${name}".`,
      `There are: ${names}.`,
    );
    return USAGE;
  }
  return run(argv);
}

/** One plain sentence for what nobody foresaw; the stack only for who asks for it. */
function confess(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  complain(
    process.argv.includes('--json'),
    'internal',
    `This is a bug: ${message}.`,
    'Please report it, with what METER_COLLECTOR_TRACE=1 adds.',
  );
  if (process.env['METER_COLLECTOR_TRACE'] && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  return FAILED;
}

process.on('uncaughtException', (error) => process.exit(confess(error)));

let isUnsaid = false;
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // `sim --help | head -1` closes the pipe early: that is no failure of ours.
  if (code === 'EPIPE' || isUnsaid) return;
  isUnsaid = true;
  const hint = 'Is the disk behind standard output full?';
  complain(false, 'internal', `Standard output takes nothing: ${code ?? message}.`, hint);
  process.exitCode = FAILED;
});
process.stderr.on('error', () => undefined);

// Who started us holds the other end of this channel, and passes signals on: when it is gone without a word, as by SIGKILL,
// nobody else would end us.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

const code = await main().catch(confess);
process.exitCode = isUnsaid ? FAILED : code;
setTimeout(() => process.exit(), LINGER_MS).unref();
