// Holds everything that a test's collector sent against the contract's numbered rules.

import { ContractChecker, type Message } from '../../simulator/contract-rules/checker.ts';

/** Throws with every breach. What may still be on its way at the end is none. */
export function assertRules(messages: readonly Message[]): void {
  const checker = new ContractChecker();
  for (const message of messages) checker.take(message);
  const verdicts = checker.finish(messages.at(-1)?.at ?? 0);
  const breaches = verdicts.flatMap((verdict) => verdict.breaches);
  if (breaches.length === 0) return;
  throw new Error(breaches.map(({ rule, text }) => `${rule}: ${text}`).join('\n'));
}
