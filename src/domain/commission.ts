// A commissioning: the steps that prove on site that a meter, its dial and its address belong together, and where they stand.

/** In this order; each wants those before it done, or skipped with a reason. */
export const STEPS = [
  ...(['port', 'device', 'reads', 'dial', 'resolution', 'tap', 'bind', 'polls'] as const),
  ...(['upstream', 'finish'] as const),
] as const;
export type StepName = (typeof STEPS)[number];

export type StepState = 'todo' | 'running' | 'done' | 'failed' | 'skipped';

export type StepResult = Readonly<Record<string, unknown>>;

export interface Step {
  readonly step: StepName;
  readonly state: StepState;
  /** When it came to this state, ISO 8601. */
  readonly at: string | null;
  readonly result: StepResult | null;
}

/** Plain JSON, kept in the journal: it outlives a restart. */
export interface Session {
  readonly id: string;
  /** Null until a device is chosen. */
  readonly meter: string | null;
  readonly bus: string | null;
  readonly by: string;
  readonly began: string;
  readonly steps: readonly Step[];
  /** When and how it ended; null while it goes on. */
  readonly ended: { readonly at: string; readonly how: 'finished' | 'cancelled' } | null;
}

/** What a proof that is repeated makes worthless: the device, of all that was seen of it; the resolution, of what was counted in it. */
const UNPROVES: Readonly<Partial<Record<StepName, readonly StepName[]>>> = {
  device: ['reads', 'dial', 'resolution', 'tap', 'polls'],
  resolution: ['dial', 'tap'],
};

/** Nothing can be proved without these. */
export const NEEDED: readonly StepName[] = ['port', 'device', 'finish'];

export function newSession(said: Pick<Session, 'id' | 'meter' | 'bus' | 'by' | 'began'>): Session {
  const steps = STEPS.map((step) => ({ step, state: 'todo', at: null, result: null }) as const);
  return { ...said, steps, ended: null };
}

export function stepOf({ steps }: Session, name: StepName): Step {
  return steps.find(({ step }) => step === name) as Step;
}

const isBehind = ({ state }: Step) => state === 'done' || state === 'skipped';

/** The first step that is neither done nor skipped; null when all are. */
export function nextStep({ steps }: Session): StepName | null {
  return steps.find((one) => !isBehind(one))?.step ?? null;
}

/** What must be done before this step; null when nothing. */
export function missingBefore({ steps }: Session, name: StepName): StepName | null {
  const before = steps.slice(0, STEPS.indexOf(name));
  return before.find((one) => !isBehind(one))?.step ?? null;
}

/** The session with this step in a new state. A device proved anew, or a resolution that was changed, unproves what followed. */
export function withStep(session: Session, step: Step, isChange = false): Session {
  const undone = isChange ? (UNPROVES[step.step] ?? []) : [];
  const steps = session.steps.map((one): Step => {
    if (one.step === step.step) return step;
    return undone.includes(one.step) ? { ...one, state: 'todo', at: null, result: null } : one;
  });
  return { ...session, steps };
}

/** As it is told: with what comes next. */
export function sessionTold(session: Session): object {
  const { ended, ...rest } = session;
  return {
    ...rest,
    next: ended ? null : nextStep(session),
    done: ended?.how === 'finished',
    ended,
  };
}
