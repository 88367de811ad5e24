// The commands that run the collector and look at it: run, status, read, intervals, audit, decode.

import type { Command } from 'commander';
import { audit } from './audit.ts';
import { addCommand, option, withConfig, withPlaces } from './command.ts';
import { decode } from './decode.ts';
import { intervals } from './intervals.ts';
import type { Desk } from './parts.ts';
import { read } from './read.ts';
import { run } from './run.ts';
import { status } from './status.ts';

export function addLook(program: Command, desk: Desk): void {
  const { manner, io, parts, done } = desk;
  const command = (spec: string, key: string, example: string) =>
    addCommand(program, desk, { spec, key, example });

  withConfig(command('run', 'c_run', 'run --config settings.yaml'), desk).action(
    async ({ config }) => done(await run(config, manner, io, parts)),
  );
  const screen = withConfig(command('status', 'c_status', 'status --watch'), desk);
  option(screen, desk, '--watch', 'o_watch');
  option(screen, desk, '--every <seconds>', 'o_every');
  screen.action(async ({ config, watch, every }) =>
    done(await status({ file: config, watch: watch === true, every }, manner, io, parts)),
  );
  const now = withConfig(command('read <meter>', 'c_read', 'read SP-1'), desk);
  option(now, desk, '--within <seconds>', 'o_within').action(
    async (meter, { config: file, within }) =>
      done(await read({ file, meter, within }, manner, io, parts)),
  );
  const hours = withConfig(
    command('intervals <meter>', 'c_intervals', 'intervals SP-1 --from 2026-11-22'),
    desk,
  );
  option(hours, desk, '--from <time>', 'o_from_hour');
  option(hours, desk, '--to <time>', 'o_to_hour').action(
    async (meter, { config: file, from, to }) =>
      done(await intervals({ file, meter, from, to }, manner, io, parts)),
  );
  const proof = withConfig(command('audit', 'c_audit', 'audit --export journal.ndjson'), desk);
  option(proof, desk, '--export <file>', 'o_export').action(async ({ config, export: file }) =>
    done(await audit(config, file, manner, io, parts)),
  );
  const trial = command(
    'decode',
    'c_decode',
    String.raw`decode --profile generic-8-digit-line --text 'V;RB00012345\r'`,
  );
  trial.requiredOption(withPlaces('--profile <profile>', manner), manner.say('cli.o_profile_file'));
  option(trial, desk, '--text <line>', 'o_text');
  option(trial, desk, '--hex <bytes>', 'o_hex').action(async ({ profile, text, hex }) =>
    done(await decode({ name: profile, text, hex }, manner, io, parts)),
  );
}
