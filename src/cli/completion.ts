// `completion`: what a shell needs to complete our words, made by a walk over all commands.

import type { Command } from 'commander';
import { addCommand, GLOBAL_FLAGS, NAME } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Desk } from './parts.ts';
import { fail } from './say.ts';

export function addCompletion(program: Command, desk: Desk): void {
  const command = addCommand(program, desk, {
    ...{ spec: 'completion <shell>', key: 'c_completion', example: 'completion bash' },
  });
  command.action((shell: string) => {
    const { manner, io } = desk;
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell as keyof typeof SCRIPTS] : null;
    if (script === null) {
      const message = manner.say('cli.no_shell', { what: shell });
      const hint = manner.say('cli.known_are', { names: Object.keys(SCRIPTS).join(', ') });
      return desk.done(fail(io, manner, { code: 'usage.shell', message, hint }, EXIT.usage));
    }
    io.out(script(wordsOf(program)));
    return desk.done(EXIT.ok);
  });
}

/** What may follow some words: further words with their descriptions, and options. */
export interface Follower {
  /** Without the program's name; empty at the beginning. */
  readonly path: string;
  readonly words: readonly (readonly [word: string, what: string])[];
  readonly options: readonly (readonly [flag: string, what: string])[];
}

/** Every place in the command line where another word may stand. */
export function wordsOf(program: Command): Follower[] {
  const walk = (command: Command, path: string): Follower[] => {
    const words = command.commands.map((one) => [one.name(), one.description()] as const);
    const own = command.options.flatMap(({ long, description }) =>
      long ? [[long, description] as const] : [],
    );
    const global = GLOBAL_FLAGS.map((flag) => [flag, ''] as const);
    const options = [...own, ...global, ['--help', ''] as const];
    const below = command.commands.flatMap((one) => walk(one, `${path} ${one.name()}`.trim()));
    return [{ path, words, options }, ...below];
  };
  return walk(program, '');
}

/** In single quotes, as sh(1) reads them. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const namesOf = (pairs: readonly (readonly [string, string])[]) => pairs.map(([name]) => name);

const SCRIPTS = { bash, zsh, fish };

/** The longest run of leading words that is a path of ours decides what may follow. */
function bash(followers: readonly Follower[]): string {
  const cases = followers
    .map(({ path, words, options }) => {
      const all = [...namesOf(words), ...namesOf(options)].join(' ');
      return `    ${quoted(path)}) words=${quoted(all)} ;;`;
    })
    .join('\n');
  const paths = followers.map(({ path }) => quoted(path)).join(' | ');
  return `# bash completion of ${NAME}; in ~/.bashrc: source <(${NAME} completion bash)
_meter_collector() {
  local path='' words='' word cur=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} i
  COMPREPLY=()
  case "$before" in
    --config | --out | --csr | --certificate | --report | --bundle | --readings | --rules | --export)
      compopt -o default 2>/dev/null; return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in
    ${paths}) path=$word ;;
    *) break ;;
    esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -F _meter_collector ${NAME}
`;
}

function zsh(followers: readonly Follower[]): string {
  const pair = ([name, what]: readonly [string, string]) =>
    quoted(`${name.replaceAll(':', '\\:')}:${what}`);
  const cases = followers
    .map(({ path, words, options }) => {
      const all = [...words, ...options].map(pair).join(' ');
      return `    ${quoted(path)}) found=(${all}) ;;`;
    })
    .join('\n');
  const paths = followers.map(({ path }) => quoted(path)).join(' | ');
  return `#compdef ${NAME}
# zsh completion of ${NAME}; in ~/.zshrc, after compinit: source <(${NAME} completion zsh)
_meter_collector() {
  local at='' word i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    word="\${at:+$at }\${words[i]}"
    case "$word" in
    ${paths}) at=$word ;;
    *) break ;;
    esac
  done
  case "$at" in
${cases}
  esac
  _describe -t commands ${NAME} found || _files
}
compdef _meter_collector ${NAME}
`;
}

function fish(followers: readonly Follower[]): string {
  const lines = followers.flatMap(({ path, words, options }) => {
    const condition = `-n ${quoted(`__meter_collector_at ${quoted(path)}`)}`;
    const about = (what: string) => (what === '' ? '' : ` -d ${quoted(what)}`);
    return [
      ...words.map(
        ([word, what]) => `complete -c ${NAME} ${condition} -f -a ${word}${about(what)}`,
      ),
      ...options.map(
        ([flag, what]) => `complete -c ${NAME} ${condition} -l ${flag.slice(2)}${about(what)}`,
      ),
    ];
  });
  const paths = followers.map(({ path }) => quoted(path)).join(' ');
  return `# fish completion of ${NAME}; once: ${NAME} completion fish > ~/.config/fish/completions/${NAME}.fish
function __meter_collector_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$at $word")
    contains -- "$next" ${paths}; or break
    set at $next
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}
