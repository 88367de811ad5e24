// The steps of an installation in their order: what is done with its outcome, the present one with its form, what is to come.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { command } from '../api.ts';
import { type Deed, useDeed } from '../parts/asked.ts';
import { Button, Form, Send, Text } from '../parts/field.tsx';
import { Refused } from '../parts/notice.tsx';
import { useEvery } from '../parts/polling.ts';
import { Facts } from '../parts/section.tsx';
import { Sign, type State } from '../parts/sign.tsx';
import type { Commission, Step } from '../shapes.ts';
import { t } from '../words.ts';
import { Outcome } from './outcomes.tsx';
import { StepForm } from './step-forms.tsx';

/** What the forms of the steps need. */
export interface Bench {
  readonly session: Signal<Commission>;
  readonly deed: Deed;
  /** Does (part of) a step; undefined when it was refused. */
  readonly act: (step: string, args?: object) => Promise<Commission | undefined>;
}

const LOOK_MS = 1_000;

export function Wizard({ begun }: { readonly begun: Commission }) {
  const session = useSignal(begun);
  const deed = useDeed();
  const act = async (step: string, args: object = {}) => {
    const { id } = session.value;
    const after = await deed.run<Commission>('commission.step', { id, step, ...args });
    if (after !== undefined) session.value = after;
    return after;
  };
  const isRunning = session.value.steps.some(({ state }) => state === 'running');
  const look = async () => {
    const answer = await command<Commission>('commission.get', { id: session.value.id });
    // What a command answered meanwhile is newer.
    if (answer.ok && !deed.busy.peek()) session.value = answer.data;
  };
  useEvery(isRunning, LOOK_MS, () => void look());
  const bench = { session, deed, act };
  const { steps, next, meter, bus, by } = session.value;
  return (
    <>
      <Facts
        facts={[
          [t('meter'), meter],
          [t('bus'), bus],
          [t('by'), by],
        ]}
      />
      <ol class="steps">
        {steps.map((step, i) => (
          <One
            key={step.step}
            step={step}
            number={i + 1}
            isNow={step.step === next || (next === null && step.step === steps.at(-1)?.step)}
            bench={bench}
          />
        ))}
      </ol>
    </>
  );
}

const SIGNS: Readonly<Record<Step['state'], State>> = {
  ...{ todo: 'unknown', running: 'unknown', done: 'ok', failed: 'bad', skipped: 'warn' },
};

interface OneProps {
  readonly step: Step;
  readonly number: number;
  readonly isNow: boolean;
  readonly bench: Bench;
}

function One({ step, number, isNow, bench }: OneProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isAgain = useSignal(false);
  useEffect(() => {
    if (isNow && number > 1) heading.current?.focus();
  }, [isNow]);
  const isOpen = isNow || isAgain.value;
  return (
    <li class={isNow ? 'step now' : 'step'} aria-current={isNow ? 'step' : undefined}>
      <div class="step-head">
        <span class="number">{number}</span>
        <h2 ref={heading} tabIndex={-1}>
          {t(`step_${step.step}`)}
        </h2>
        <span class="tag">
          <Sign state={SIGNS[step.state]} />
          {t(`step_state_${step.state}`)}
        </span>
      </div>
      {isOpen || step.state !== 'todo' ? (
        <div class="step-body">
          {isOpen ? <p class="help">{t(`step_${step.step}_help`)}</p> : null}
          <Outcome step={step} session={bench.session.value} />
          {isOpen ? <Work step={step} bench={bench} /> : null}
          <Again step={step} isNow={isNow} isOver={bench.session.value.done} isAgain={isAgain} />
        </div>
      ) : null}
    </li>
  );
}

function Work({ step, bench }: { readonly step: Step; readonly bench: Bench }) {
  return (
    <>
      <StepForm step={step} bench={bench} />
      <Refused error={bench.deed.error.value} />
      <Skip step={step} bench={bench} />
    </>
  );
}

interface AgainProps {
  readonly step: Step;
  readonly isNow: boolean;
  readonly isOver: boolean;
  readonly isAgain: Signal<boolean>;
}

/** What is done can be done again, but the report. */
function Again({ step, isNow, isOver, isAgain }: AgainProps) {
  const isDone = step.state === 'done' || step.state === 'skipped';
  if (isNow || !isDone || isOver || step.step === 'finish') return null;
  return (
    <div class="actions">
      <Button
        expanded={isAgain.value}
        onClick={() => {
          isAgain.value = !isAgain.value;
        }}
      >
        {t('step_again')}
        <span class="hidden">: {t(`step_${step.step}`)}</span>
      </Button>
    </div>
  );
}

/** Those without which nothing else can be done. */
const NEEDED = ['port', 'device', 'finish'];

function Skip({ step, bench }: { readonly step: Step; readonly bench: Bench }) {
  const isOpen = useSignal(false);
  const reason = useSignal('');
  if (NEEDED.includes(step.step)) return null;
  const skip = async () => {
    const after = await bench.act(step.step, { skip: true, reason: reason.value.trim() });
    if (after !== undefined) isOpen.value = false;
  };
  if (!isOpen.value) {
    return (
      <div class="actions">
        <Button
          onClick={() => {
            isOpen.value = true;
          }}
        >
          {t('skip_step')}
        </Button>
      </div>
    );
  }
  return (
    <Form onSubmit={skip} label={t('skip_step')}>
      <Text
        label={t('skip_reason')}
        value={reason.value}
        onValue={(text) => {
          reason.value = text;
        }}
        required
        help={t('skip_help')}
      />
      <Send kind="plain" busy={bench.deed.busy.value}>
        {t('skip_step')}
      </Send>
    </Form>
  );
}
