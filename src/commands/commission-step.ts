// What all steps of a commissioning share: what they are given, what comes of them, and a read that waits for its device.

import type { Clock, CommandAnswer, Journal } from '../boundaries.ts';
import type { Session, StepResult } from '../domain/commission.ts';
import type { Args } from './answer.ts';

/** What the steps are given. */
export interface StepParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly wire: Clock;
  /** The commands of the running collector. */
  readonly run: (name: string, args: Args) => Promise<CommandAnswer>;
  /** Looks at the port of a bus from outside; absent where nobody can. */
  readonly lookAtPort?: ((bus: string) => Promise<object | null>) | undefined;
}

/** What came of a step. `isChange`: what was proved before of the device does not hold any more. */
export interface StepOutcome {
  readonly state: 'done' | 'failed' | 'running';
  readonly result: StepResult;
  readonly session?: Partial<Pick<Session, 'meter' | 'bus'>>;
  readonly isChange?: boolean;
}

export type StepDoer = (session: Session, args: Args, parts: StepParts) => Promise<StepOutcome>;

export const done = (result: StepResult): StepOutcome => ({ state: 'done', result });

/** A failed step says why by its code, and what else is known. */
export const failed = (code: string, result: StepResult = {}): StepOutcome => ({
  state: 'failed',
  result: { code, ...result },
});

/** The refusal of a command is the failure of its step. */
export function failedBy({ code, message, hint }: Extract<CommandAnswer, { ok: false }>) {
  return failed(code.replace('daemon.absent', 'daemon_absent'), { message, hint });
}

/** A read that a device puts off is asked for again so long, in milliseconds of the wire. */
export const PATIENCE_MS = 60_000;
const AGAIN_MS = 1_000;
/** What `read` answers. */
export interface DialRead {
  readonly read: number;
  readonly dial: string;
  readonly digits: number;
  readonly at: string | null;
  readonly q: string;
}

/** The meter's dial now, as soon as its device may be asked; or the refusal. */
export async function readPatiently(
  meter: string,
  { run, wire }: StepParts,
): Promise<{ readonly read: DialRead } | Extract<CommandAnswer, { ok: false }>> {
  const until = wire.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const answer = await run('read', { meter, within_s: 30 });
    if (answer.ok) return { read: answer.data as DialRead };
    if (answer.code !== 'busy' || wire.monotonicMs() > until) return answer;
    await wire.sleep(AGAIN_MS);
  }
}
