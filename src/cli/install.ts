// `install`: makes the collector a service of this host, under systemd, with a user and folders of its own.

import type { Command } from 'commander';
import { addCommand, NAME, option } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk, Host, Io, Manner, Parts } from './parts.ts';
import { asTyped, fail, sayJson } from './say.ts';
import { SERVICE, SYSUSERS, unitText } from './unit.ts';

export interface InstallRequest {
  /** Where the settings lie; made from the commented example where they are not there yet. */
  readonly config: string;
  /** Files are placed below this folder instead of `/`, as for an image or a package; then nothing is run. */
  readonly root?: string;
  /** Only says the unit. */
  readonly print?: boolean;
}

/** ProtectHome= hides these from the service. */
const HIDDEN = /^\/(home|root|run\/user)\//;

export function addInstall(program: Command, desk: Desk): void {
  const { manner, io, parts } = desk;
  const command = addCommand(program, desk, {
    ...{ spec: 'install', key: 'c_install', example: 'install --print' },
  });
  const usual = `/etc/${SERVICE}/settings.yaml`;
  const file = manner.say('cli.arg_file');
  command.option(`--config <${file}>`, manner.say('cli.o_config_service'), usual);
  option(command, desk, '--root <folder>', 'o_root');
  option(command, desk, '--print', 'o_print');
  command.action(async (request) => desk.done(await install(request, manner, io, parts)));
}

/** 0 when all files stand; 1 when a step after them failed, 2 for a path that cannot be, 8 where this user may not. */
export async function install(
  request: InstallRequest,
  manner: Manner,
  io: Io,
  { host }: Pick<Parts, 'host'>,
): Promise<number> {
  const { config, root = '/', print } = request;
  const { say } = manner;
  const problem = problemOf(config, host, manner);
  if (problem !== null) return fail(io, manner, { code: 'bad_request', ...problem }, EXIT.usage);
  const { node, program } = host;
  const unit = unitText({ node, program, config });
  if (print) {
    io.out(unit);
    return EXIT.ok;
  }
  const base = root.replace(/\/+$/, '');
  const files = [
    await placed(host, `${base}/etc/systemd/system/${SERVICE}.service`, unit, 0o644),
    await placed(host, `${base}/etc/sysusers.d/${SERVICE}.conf`, SYSUSERS, 0o644),
    await placed(host, `${base}${config}`, host.example, 0o640, true),
  ];
  const runs = base === '' && host.runsSystemd;
  const failed = runs ? await firstFailing(stepsFor(config), host) : null;
  if (failed !== null) {
    const message = say('cli.install_step_failed', { step: failed });
    return fail(io, manner, { code: 'internal', message, hint: say('cli.install_step_hint') });
  }
  if (manner.json) sayJson(io, { files, next: nextFor(config, runs) });
  else {
    for (const { path, kept } of files) {
      io.out(`${say(kept ? 'cli.install_kept' : 'cli.install_written').padEnd(12)} ${path}\n`);
    }
    const [example] = files.slice(-1).filter(({ kept }) => !kept);
    if (example) io.out(`${say('cli.install_example', { path: example.path })}\n`);
    io.out(
      `${say('cli.next_steps')}\n${nextFor(config, runs)
        .map((step) => `  ${step}\n`)
        .join('')}`,
    );
  }
  return EXIT.ok;
}

function problemOf(config: string, { node, program }: Host, { say }: Manner) {
  if (!config.startsWith('/')) {
    const hint = say('cli.install_path_hint');
    return { message: say('cli.install_path', { path: config }), hint };
  }
  const hidden = [node, program, config].find((path) => HIDDEN.test(path));
  if (hidden === undefined) return null;
  const hint = say('cli.install_hidden_hint');
  return { message: say('cli.install_hidden', { path: hidden }), hint };
}

async function placed(host: Host, path: string, text: string, mode: number, keep = false) {
  return { path, kept: !(await host.place(path, text, mode, keep)) };
}

/** Commands that make the files take effect, word by word. */
const stepsFor = (config: string): readonly (readonly string[])[] => [
  ['systemd-sysusers'],
  ['chown', `root:${SERVICE}`, config],
  ['systemctl', 'daemon-reload'],
];

const typedAs = (step: readonly string[]) => step.map(asTyped).join(' ');

async function firstFailing(
  steps: ReturnType<typeof stepsFor>,
  host: Host,
): Promise<string | null> {
  for (const step of steps) {
    const [tool = '', ...args] = step;
    if ((await host.run(tool, args)) !== 0) return typedAs(step);
  }
  return null;
}

function nextFor(config: string, settled: boolean): string[] {
  return [
    ...(settled ? [] : stepsFor(config).map(typedAs)),
    `${NAME} config check ${asTyped(config)}`,
    `systemctl enable --now ${SERVICE}`,
    `${NAME} status --config ${asTyped(config)}`,
  ];
}
