// Exit codes of the program: one for each kind of failure, so that scripts need not read sentences.

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  settings: 3,
  noAnswer: 4,
  upstream: 5,
  mismatch: 6,
  daemon: 7,
  permission: 8,
  audit: 9,
  interrupted: 130,
} as const;

/** What `help exit-codes` prints. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'failed otherwise',
  2: 'wrong usage: an unknown command, option, meter or time',
  3: 'the settings file has problems; nothing was started',
  4: 'no answer on the bus',
  5: 'the way to the head-end failed',
  6: 'what was read is not what the dial shows',
  7: 'the collector cannot be reached',
  8: 'this user may not do that',
  9: 'the audit found counts lost or invented, or a rule of the contract is broken',
  130: 'interrupted (Ctrl-C)',
};

const EXIT_OF_CODE: Readonly<Record<string, number>> = {
  bad_request: EXIT.usage,
  unknown_command: EXIT.usage,
  unknown_meter: EXIT.usage,
  'user.unknown': EXIT.usage,
  'token.unknown': EXIT.usage,
  forbidden: EXIT.permission,
  no_answer: EXIT.noAnswer,
  'line.silent': EXIT.noAnswer,
  verify_failed: EXIT.mismatch,
  'daemon.absent': EXIT.daemon,
  'daemon.silent': EXIT.daemon,
  'daemon.denied': EXIT.permission,
  // Another process has the journal open: a daemon whose socket we did not find.
  'store.locked': EXIT.daemon,
  'port.denied': EXIT.permission,
  'upstream.offline': EXIT.upstream,
  'upstream.refused': EXIT.upstream,
  'upstream.silent': EXIT.upstream,
  'upstream.untrusted': EXIT.upstream,
  EACCES: EXIT.permission,
  EPERM: EXIT.permission,
};

/** Exit code for the code of a refused command, of a fault, or of the operating system. */
export function exitOf(code: string): number {
  return EXIT_OF_CODE[code] ?? EXIT.failed;
}
