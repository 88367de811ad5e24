// `meter-collector conformance`: one line for each rule of the contract, from a live collector or a recording.

import { Command, InvalidArgumentError } from 'commander';
import {
  beside,
  brokerUrl,
  complain,
  FAILED,
  INTERRUPTED,
  identifier,
  OK,
  parseOptions,
  UPSTREAM,
} from './arguments.ts';
import { BrokerRefused, connectBroker, isV5 } from './broker-connection.ts';
import { ContractChecker, type Message } from './contract-rules/checker.ts';
import { RULES, type Verdict } from './contract-rules/verdicts.ts';
import { fileSentence } from './file-words.ts';
import { NoRecording, readRecording } from './recording.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';

/** Exit code when a rule was broken, as of `audit`. */
export const BROKEN = 9;

interface ConformanceOptions {
  readonly broker?: string;
  readonly utility?: string;
  readonly collector?: string;
  readonly for?: number;
  readonly recording?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly json?: boolean;
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
/** Longest time a timer of Node can wait: 2^31 ms. */
const DURATION_MAX_S = 2_147_483;
/** Breaches shown of one rule; the rest are counted. */
const SHOWN = 3;

/** A parser for a time like 90s, 20m, 2h or 3d; plain numbers are seconds. Returns seconds. */
export function duration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS[(unit || 's') as keyof typeof SECONDS] ?? Number.NaN);
  if (!(seconds >= 0 && seconds <= DURATION_MAX_S)) {
    throw new InvalidArgumentError('It is a time like 90s, 20m, 2h or 3d.');
  }
  return seconds;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function command(): Command {
  return new Command('meter-collector conformance')
    .description('Check what a collector publishes against every numbered rule of the contract.')
    .option('--broker <url>', 'listen here', brokerUrl)
    .option(
      '--utility <name>',
      'the utility in the topics (default: "demo"; of a recording: all)',
      identifier,
    )
    .option('--collector <id>', 'only this collector', identifier)
    .option('--for <time>', 'listen so long, as in 90s, 20m, 2h (default: until Ctrl-C)', duration)
    .option('--recording <file>', 'read this file of headend --record instead')
    .option('--ca <file>', 'PEM of the authority, for mqtts://')
    .option('--cert <file>', 'PEM of our certificate')
    .option('--key <file>', 'PEM of our key')
    .option('--json', 'one JSON object a line');
}

/** The verdicts as a person reads them. */
export function reportRules(verdicts: readonly Verdict[]): string[] {
  const lines = verdicts.flatMap(({ rule, outcome, checked, broken, breaches }) => {
    const count = outcome === 'not seen' ? '' : ` (${checked} checked)`;
    const line = `${rule.padEnd(7)} ${outcome.padEnd(8)}  ${RULES[rule]}${count}`;
    const shown = breaches.slice(0, SHOWN).map(({ text }) => `${' '.repeat(18)}${text}`);
    if (broken > SHOWN) shown.push(`${' '.repeat(18)}and ${broken - SHOWN} more`);
    return [line, ...shown];
  });
  const failed = verdicts.filter(({ outcome }) => outcome === 'failed').length;
  const unseen = verdicts.filter(({ outcome }) => outcome === 'not seen').length;
  const verdict = failed === 0 ? 'conforms in all that was seen' : `breaks ${failed} rules`;
  return [...lines, '', `It ${verdict}; ${unseen} rules were not seen.`];
}

function tell(verdicts: readonly Verdict[], messages: number, json: boolean): number {
  if (json) for (const verdict of verdicts) print(JSON.stringify({ type: 'rule', ...verdict }));
  else for (const line of reportRules(verdicts)) print(line);
  if (messages === 0) {
    complain(json, 'no_answer', 'No message came.', 'Are the utility and the collector right?');
    return FAILED;
  }
  return verdicts.some(({ outcome }) => outcome === 'failed') ? BROKEN : OK;
}

function isOf(topic: string, { utility, collector }: ConformanceOptions): boolean {
  const [, whose, who = ''] = topic.split('/');
  return (
    (utility === undefined || whose === utility) &&
    (collector === undefined || [collector, '_headend'].includes(who))
  );
}

async function judgeRecording(path: string, options: ConformanceOptions): Promise<number> {
  const checker = new ContractChecker();
  let messages = 0;
  for await (const message of readRecording(path)) {
    if (!isOf(message.topic, options)) continue;
    messages += 1;
    checker.take(message);
  }
  return tell(checker.finish(null), messages, options.json ?? false);
}

async function judgeLive(
  url: string,
  options: ConformanceOptions,
  stop: StopRequest,
): Promise<number> {
  let messages = 0;
  // Nothing comes before we subscribe.
  let take = (_: Message): unknown => undefined;
  const client = await connectBroker({
    ...{ url, clientId: `conformance-${process.pid}-${Date.now()}`, sessionS: 0 },
    tls: options,
    onMessage: (message) => {
      messages += 1;
      take({ at: Date.now(), ...message });
    },
  });
  const checker = new ContractChecker(undefined, isV5(client));
  take = (message) => checker.take(message);
  const { utility = 'demo', collector = '+' } = options;
  const below = `watermeter-v1/${utility}/${collector}`;
  // As published: so that an hour that was retained shows. MQTT 3.1.1 hides it.
  const how = isV5(client) ? ({ qos: 1, rap: true } as const) : ({ qos: 1 } as const);
  const [grant] = await client.subscribeAsync(`${below}/up/#`, how);
  if (grant === undefined || grant.qos > 1) {
    client.end(true);
    throw new BrokerRefused(`The broker at ${url} refuses the subscription.`);
  }
  // What head-ends say, where the broker lets us hear it.
  const said = [`${below}/dn/#`, `watermeter-v1/${utility}/_headend/state`];
  await client.subscribeAsync(said, how).catch(() => undefined);
  if (!options.json) print(`Listening to ${below} at ${url}.`);
  try {
    await stop.requested;
  } finally {
    await client.endAsync(true);
  }
  return tell(checker.finish(Date.now()), messages, options.json ?? false);
}

/**
 * Runs the check with the arguments after `conformance`. Resolves to the exit code: 0 no rule broken, 9 some are,
 * 1 nothing came or no such file, 2 the command line is wrong, 5 no broker.
 */
export async function runConformance(argv: string[]): Promise<number> {
  const program = command();
  const options = parseOptions<ConformanceOptions>(program, argv, ({ broker, recording }) => {
    if (recording === undefined) {
      return broker === undefined ? 'One of --broker and --recording is needed.' : undefined;
    }
    return beside(program, ['broker', 'for', 'ca', 'cert', 'key'], 'recording');
  });
  if (typeof options === 'number') return options;
  const json = options.json ?? false;
  const { broker, recording } = options;
  const stop = listenForStop(options.for, () => process.exit(INTERRUPTED));
  try {
    if (recording !== undefined) return await judgeRecording(recording, options);
    return await judgeLive(broker ?? '', options, stop);
  } catch (error) {
    if (error instanceof BrokerRefused) {
      complain(json, 'upstream', error.message, error.hint);
      return UPSTREAM;
    }
    const words = error instanceof NoRecording ? error.message : fileSentence(error);
    if (words === undefined) throw error;
    complain(json, 'internal', words, 'A recording is a file of headend --record.');
    return FAILED;
  } finally {
    stop.release();
  }
}
