// A change-out in its order: the old dial's last reading, the swap, the new meter found and read, the change told, the new dial proved.
// It is kept by the collector step by step: a phone that dies in the pit loses nothing, another one goes on.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { KeptChange } from '../../../domain/change-out.ts';
import { session } from '../api.ts';
import { time } from '../format.ts';
import { lineOf, meterNames, status } from '../live.ts';
import { useCommand, useDeed } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Button, Choice, Sure } from '../parts/field.tsx';
import { Empty, Refused } from '../parts/notice.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Sign } from '../parts/sign.tsx';
import { go, query } from '../router.ts';
import { t } from '../words.ts';
import { Changed, FinalRead, InitialRead, NewMeter, Swapped } from './steps.tsx';

const STEPS = ['final', 'swap', 'scan', 'told', 'initial'] as const;
type StepName = (typeof STEPS)[number] | 'over';

/** What is known of a change-out so far. */
export interface Change {
  readonly meter: string;
  readonly step: StepName;
  /** The old dial as typed, or as its encoder said it last. */
  readonly final?: string;
  readonly byEncoder?: boolean;
  readonly profile?: string;
  readonly address?: string;
  readonly registerId?: string;
  /** The installation that stands there as far as this change-out knows. */
  readonly inst?: number;
}

export interface Swapping {
  readonly change: Signal<Change>;
  /** Keeps what is known now with the collector, and goes on to the next step. */
  readonly next: (more: Partial<Change>) => Promise<void>;
  readonly busy: boolean;
}

const changeOf = (kept: KeptChange): Change => ({
  ...{ meter: kept.meter, step: kept.step, inst: kept.inst, byEncoder: kept.by_encoder },
  ...(kept.final === null ? {} : { final: kept.final }),
  ...(kept.profile === null ? {} : { profile: kept.profile }),
  ...(kept.address === null ? {} : { address: kept.address }),
  ...(kept.register_id === null ? {} : { registerId: kept.register_id }),
});

export function ChangeOut() {
  const asked = useCommand<{ changeouts: readonly KeptChange[] }>('changeout.list');
  const begun = useSignal<Change | null>(null);
  const wished = query().get('meter') ?? '';
  const begin = (meter: string) => {
    begun.value = { meter, step: 'final' };
    go(`/changeout?meter=${encodeURIComponent(meter)}`, true);
  };
  // What is kept is asked first: else the one that has just ended would be shown among those not ended.
  const leave = async () => {
    await asked.again();
    begun.value = null;
    go('/changeout', true);
  };
  return (
    <>
      <Title>{t('nav_changeout')}</Title>
      <Awaited asked={asked}>
        {({ changeouts: kept }) => {
          const resumed = kept.find(({ meter }) => meter === wished);
          const change = begun.value ?? (resumed ? changeOf(resumed) : null);
          return change === null ? (
            <>
              <Open kept={kept} again={asked.again} />
              <Which wished={wished} begin={begin} />
            </>
          ) : (
            <Led key={change.meter} begun={change} leave={leave} />
          );
        }}
      </Awaited>
    </>
  );
}

interface OpenProps {
  readonly kept: readonly KeptChange[];
  readonly again: () => Promise<void>;
}

/** Change-outs that somebody began and did not end. */
function Open({ kept, again }: OpenProps) {
  const deed = useDeed();
  const drop = async (meter: string) => {
    if ((await deed.run('changeout.drop', { meter })) !== undefined) await again();
  };
  if (kept.length === 0) return null;
  return (
    <Section title={t('changeout_open')}>
      <Refused error={deed.error.value} />
      <ul class="rows">
        {kept.map(({ meter, step, began, by }) => (
          <li key={meter}>
            <strong>{meter}</strong> · {time(began)} · {by}
            <p class="help">{t(`change_${step}`)}</p>
            <div class="actions">
              <a class="button main" href={`/changeout?meter=${encodeURIComponent(meter)}`}>
                {t('go_on')}
                <span class="hidden">: {meter}</span>
              </a>
              <Sure what={t('give_up')} onSure={() => drop(meter)} busy={deed.busy.value} />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface WhichProps {
  readonly wished: string;
  readonly begin: (meter: string) => void;
}

function Which({ wished, begin }: WhichProps) {
  const names = meterNames.value;
  const meter = useSignal(wished);
  const chosen = meter.value === '' ? (names[0] ?? '') : meter.value;
  if (status.value !== null && names.length === 0) return <Empty says={t('meters_none')} />;
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
        <Button kind="main" onClick={() => begin(chosen)}>
          {t('begin')}
        </Button>
      </div>
    </section>
  );
}

const FORMS = [FinalRead, Swapped, NewMeter, Changed, InitialRead];

interface LedProps {
  readonly begun: Change;
  readonly leave: () => Promise<void>;
}

function Led({ begun, leave }: LedProps) {
  const change = useSignal(begun);
  const deed = useDeed();
  const { meter, step } = change.value;
  const now = step === 'over' ? STEPS.length + 1 : STEPS.indexOf(step) + 1;
  const next = async (more: Partial<Change>) => {
    const known = { ...change.value, ...more };
    const to = STEPS[now] ?? 'over';
    // The collector keeps what the command `changeout` did by itself.
    const isKept = to === 'initial' || (await keep(known, to));
    if (isKept) change.value = { ...known, step: to };
  };
  const keep = async (known: Change, to: StepName): Promise<boolean> => {
    if (to === 'over') return (await deed.run('changeout.drop', { meter })) !== undefined;
    const kept = await deed.run<KeptChange>('changeout.keep', {
      ...{ meter, step: to, by: session.value?.user ?? '' },
      ...{ final: known.final, by_encoder: known.byEncoder, profile: known.profile },
      ...{ address: known.address, register_id: known.registerId },
    });
    return kept !== undefined;
  };
  const giveUp = async () => {
    const isKept = now > 1 && step !== 'over';
    if (isKept && (await deed.run('changeout.drop', { meter })) === undefined) return;
    await leave();
  };
  const swapping: Swapping = { change, next, busy: deed.busy.value };
  return (
    <>
      <p>
        <strong>{meter}</strong>
      </p>
      <ol class="steps">
        {STEPS.map((name, i) => (
          <One key={name} name={name} number={i + 1} now={now} swapping={swapping} />
        ))}
      </ol>
      <Refused error={deed.error.value} />
      <div class="actions">
        {step === 'over' ? (
          <Button kind="main" onClick={leave}>
            {t('changeout_another')}
          </Button>
        ) : (
          <Sure what={t('give_up')} onSure={giveUp} busy={deed.busy.value} />
        )}
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
  const heading = useRef<HTMLHeadingElement>(null);
  const Form = FORMS[number - 1];
  const isNow = number === now;
  useEffect(() => {
    if (isNow && number > 1) heading.current?.focus();
  }, [isNow]);
  return (
    <li class={isNow ? 'step now' : 'step'} aria-current={isNow ? 'step' : undefined}>
      <div class="step-head">
        <span class="number">{number}</span>
        <h2 ref={heading} tabIndex={-1}>
          {t(`change_${name}`)}
        </h2>
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
