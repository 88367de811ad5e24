// The commands by which a person changes something of a meter, and `events`, which tells what happened to it.

import type { Command } from 'commander';
import { ask, perform, type Question } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, Manner, Parts } from './parts.ts';
import { sayJson, table } from './say.ts';

type Deed = Omit<Question, 'list'>;

/** Does it and says so: JSON as the collector answers, or one sentence. */
async function deed(
  question: Deed,
  sentence: (data: Readonly<Record<string, unknown>>) => string,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const answered = await perform(question, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const data = answered.data as Readonly<Record<string, unknown>>;
  if (manner.json) sayJson(io, data);
  else io.out(`${sentence(data)}\n`);
  return EXIT.ok;
}

interface EventAnswer {
  readonly meter: string;
  readonly inst: number;
  readonly id: string;
  readonly code: string;
  readonly severity: string;
  readonly phase: string;
  readonly at: string;
  readonly since: string;
  readonly data: Readonly<Record<string, unknown>>;
}

async function events(
  file: string,
  meter: string | undefined,
  manner: Manner,
  io: Io,
  parts: Parts,
): Promise<number> {
  const args = meter === undefined ? {} : { meter };
  const answered = await ask({ file, name: 'events', args, list: 'events' }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const told = (answered.data as { events: EventAnswer[] }).events;
  if (manner.json) sayJson(io, answered.data);
  else if (told.length === 0) io.out('Nothing has happened that is worth telling.\n');
  else io.out(eventTable(told));
  return EXIT.ok;
}

function eventTable(told: readonly EventAnswer[]): string {
  const body = told.map(({ at, meter, code, phase, severity, data }) => {
    const evidence = Object.entries(data)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name} ${String(value)}`);
    return [at, meter, code, phase, severity, evidence.join(', ')];
  });
  return table(['AT', 'METER', 'CODE', 'PHASE', 'SEVERITY', 'EVIDENCE'], body);
}

/** Adds the commands to the command line; `done` takes the exit code. */
export function addOperations(
  program: Command,
  manner: Manner,
  io: Io,
  parts: Parts,
  done: (exit: number) => void,
): void {
  const command = (parent: Command, spec: string, description: string): Command =>
    parent
      .command(spec)
      .description(description)
      .option('--json', 'answer in JSON')
      .requiredOption('--config <file>', 'settings file');
  const act = async (
    question: Deed,
    sentence: (data: Readonly<Record<string, unknown>>) => string,
  ): Promise<void> => done(await deed(question, sentence, manner, io, parts));

  command(program, 'events [meter]', 'say what happened to a meter, or to all').action(
    async (meter, { config }) => done(await events(config, meter, manner, io, parts)),
  );
  command(program, 'changeout <meter>', 'another meter stands there now')
    .option('--final <dial>', 'dial of the old meter when it was taken out')
    .option('--initial <dial>', 'dial of the new meter as read by eye (kept as evidence)')
    .option('--digits <n>', 'digits of the new dial')
    .option('--unit <unit>', 'ft3, gal, m3 or L')
    .option('--pow10 <n>', 'one count is unit x 10^n')
    .option('--register-id <id>', 'identification that the new encoder sends')
    .option('--body-serial <serial>', 'serial number on the new body')
    .option('--by <name>', 'who changed it')
    .option('--force', 'the final dial is right although it does not follow the last reading')
    .action(async (meter, { config: file, registerId, bodySerial, json: _, ...rest }) =>
      act(
        {
          file,
          name: 'changeout',
          args: { meter, ...rest, register_id: registerId, body_serial: bodySerial },
        },
        ({ inst, final }) =>
          `${meter}: installation ${inst} begins; the old dial ended at ${final}.`,
      ),
    );

  const meters = program.command('meter').description('put a meter out of service or back');
  for (const [verb, what] of [
    ['disable', 'it publishes no hours until it is enabled'],
    ['enable', 'it publishes hours again; what passed meanwhile becomes one gap'],
  ] as const) {
    command(meters, `${verb} <meter>`, what).action(async (meter, { config: file }) =>
      act({ file, name: `meter.${verb}`, args: { meter } }, () => `${meter}: ${what}.`),
    );
  }
  command(meters, 'maintenance <meter>', 'its hours are told as maintenance (T)')
    .option('--off', 'maintenance is over')
    .action(async (meter, { config: file, off }) =>
      act(
        { file, name: 'meter.maintenance', args: { meter, off: off === true } },
        () => `${meter}: maintenance ${off === true ? 'is over' : 'begins'}.`,
      ),
    );

  const readings = program.command('reading').description('judge a doubted reading, or add one');
  command(readings, 'add <meter> <dial>', 'a dial read by a person (H)')
    .option('--by <name>', 'who read it')
    .option('--force', 'it is right although it does not follow the last reading')
    .action(async (meter, dial, { config: file, by, force }) =>
      act(
        { file, name: 'reading.add', args: { meter, read: dial, by, force: force === true } },
        () => `${meter}: ${dial} is taken in.`,
      ),
    );
  command(readings, 'confirm <meter>', 'the doubted reading is right').action(
    async (meter, { config: file }) =>
      act({ file, name: 'reading.confirm', args: { meter } }, () => `${meter}: it counts.`),
  );
  command(readings, 'reject <meter>', 'the doubted reading is wrong').action(
    async (meter, { config: file }) =>
      act({ file, name: 'reading.reject', args: { meter } }, () => `${meter}: it does not count.`),
  );
}
