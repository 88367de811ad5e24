// A change-out in its order: the old dial's last reading, the swap, the new meter found and read, the change told, the new dial proved.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { read, write } from '../kept.ts';
import { lineOf, meterNames } from '../live.ts';
import { Button, Choice } from '../parts/field.tsx';
import { Title } from '../parts/section.tsx';
import { Sign } from '../parts/sign.tsx';
import { query } from '../router.ts';
import { t } from '../words.ts';
import { Changed, FinalRead, InitialRead, NewMeter, Swapped } from './steps.tsx';

/** What is known of a change-out so far. It is told to the collector in one command, when all of it is known. */
export interface Change {
  readonly meter: string;
  readonly step: number;
  /** The old dial as typed, or as its encoder said it last. */
  readonly final?: string;
  readonly byEncoder?: boolean;
  readonly profile?: string;
  readonly address?: string;
  readonly registerId?: string;
  readonly inst?: number;
}

export interface Swapping {
  readonly change: Signal<Change>;
  /** Goes on to the next step with what is known now. */
  readonly next: (more: Partial<Change>) => void;
}

const KEPT = 'changeout';

/** A dropped connection or a locked phone loses nothing. */
function kept(): Change {
  const wished = query().get('meter') ?? '';
  try {
    const found = JSON.parse(read(KEPT) ?? 'null') as Change | null;
    if (found !== null && (wished === '' || found.meter === wished)) return found;
  } catch {
    // What cannot be read is begun anew.
  }
  return { meter: wished, step: 0 };
}

const STEPS = ['final', 'swap', 'scan', 'told', 'initial'] as const;

export function ChangeOut() {
  const change = useSignal<Change>(kept());
  useEffect(() => {
    const now = change.value;
    write(KEPT, now.step === 0 || now.step > STEPS.length ? null : JSON.stringify(now));
  }, [change.value]);
  const swapping: Swapping = {
    change,
    next: (more) => {
      change.value = { ...change.value, ...more, step: change.value.step + 1 };
    },
  };
  const { step } = change.value;
  return (
    <>
      <Title>{t('nav_changeout')}</Title>
      {step === 0 ? <Which swapping={swapping} /> : <Steps swapping={swapping} />}
    </>
  );
}

function Which({ swapping }: { readonly swapping: Swapping }) {
  const names = meterNames.value;
  const meter = useSignal(swapping.change.value.meter);
  const chosen = meter.value === '' ? (names[0] ?? '') : meter.value;
  return (
    <section class="card">
      <p>{t('changeout_says')}</p>
      <Choice
        label={t('meter')}
        value={chosen}
        options={names.map((one) => [one, `${one} (${lineOf(one)?.peek().bus ?? ''})`])}
        onValue={(one) => {
          meter.value = one;
        }}
      />
      <div class="actions">
        <Button kind="main" onClick={() => swapping.next({ meter: chosen })}>
          {t('begin')}
        </Button>
      </div>
    </section>
  );
}

const FORMS = [FinalRead, Swapped, NewMeter, Changed, InitialRead];

function Steps({ swapping }: { readonly swapping: Swapping }) {
  const { step, meter } = swapping.change.value;
  return (
    <>
      <p>
        <strong>{meter}</strong>
      </p>
      <ol class="steps">
        {STEPS.map((name, i) => (
          <One key={name} name={name} number={i + 1} now={step} swapping={swapping} />
        ))}
      </ol>
      <div class="actions">
        <Button
          kind={step > STEPS.length ? 'main' : 'danger'}
          onClick={() => {
            swapping.change.value = { meter: '', step: 0 };
          }}
        >
          {t(step > STEPS.length ? 'changeout_another' : 'give_up')}
        </Button>
      </div>
    </>
  );
}

interface OneProps {
  readonly name: (typeof STEPS)[number];
  readonly number: number;
  readonly now: number;
  readonly swapping: Swapping;
}

/** A step that is not yet due cannot be done: what follows a swap would be taken for what came before it. */
function One({ name, number, now, swapping }: OneProps) {
  const Form = FORMS[number - 1];
  const isNow = number === now;
  return (
    <li class={isNow ? 'step now' : 'step'} aria-current={isNow ? 'step' : undefined}>
      <div class="step-head">
        <span class="number">{number}</span>
        <h2>{t(`change_${name}`)}</h2>
        <span class="tag">
          <Sign state={number < now ? 'ok' : 'unknown'} />
          {t(`step_state_${number < now ? 'done' : 'todo'}`)}
        </span>
      </div>
      {isNow && Form !== undefined ? (
        <div class="step-body">
          <p class="help">{t(`change_${name}_help`)}</p>
          <Form swapping={swapping} />
        </div>
      ) : null}
    </li>
  );
}
