// What a step of a commissioning found, in one sentence of the session's language.

import type { Manner } from './parts.ts';

type Result = Readonly<Record<string, unknown>>;

/**
 * The catalogue's sentence for what the step found, by its verdict or code, most particular first; where it has none what
 * the collector says itself; else that the step is done, or is not.
 */
export function foundSentence(
  step: string,
  result: Result,
  isGood: boolean,
  manner: Manner,
): string {
  const places = placesOf(result);
  const found = verdictOf(result)?.replaceAll(/[.-]/g, '_');
  const keys = [
    ...(found === undefined ? [] : keysFor(step, found)),
    ...(isGood ? [`cli.found_${step}`] : []),
  ];
  for (const key of keys) {
    const said = manner.say(key, places);
    if (said !== key && !/\{\w+\}/.test(said)) return said;
  }
  const message = result['message'];
  if (typeof message === 'string' && message !== '') return manner.hear(message);
  return manner.say(isGood ? 'cli.step_done' : 'cli.step_not_done');
}

const keysFor = (step: string, found: string) => [
  ...(step === 'dial' ? [`site.verify_${found}`] : []),
  ...[`site.${step}_${found}`, `site.commission_${step}_${found}`, `site.commission_${found}`],
  ...[`cli.found_${step}_${found}`, `doctor.${found}`, `cli.why_${found}`, `cli.code_${found}`],
];

function verdictOf(result: Result): string | undefined {
  const found = result['code'] ?? result['verdict'] ?? result['cause'] ?? result['acknowledged_by'];
  return typeof found === 'string' ? found : undefined;
}

function placesOf(result: Result): Record<string, string | number> {
  const own = (result['places'] ?? {}) as Result;
  return Object.fromEntries(
    Object.entries({ ...result, ...own }).flatMap(([name, one]) =>
      typeof one === 'string' || typeof one === 'number' ? [[name, one]] : [],
    ),
  );
}
