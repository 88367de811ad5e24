// The tap test: a tap is opened and the counts must rise on this meter and no other; shown as they do.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { capacity, modulo, VOLUME_UNITS } from '../../../domain/units.ts';
import { command } from '../api.ts';
import { every } from '../clock.ts';
import { Button, Choice, Text } from '../parts/field.tsx';
import { Busy } from '../parts/notice.tsx';
import { Volume } from '../parts/volume.tsx';
import type { ReadAnswer, Step } from '../shapes.ts';
import { say, t } from '../words.ts';
import { markIn, textIn } from './results.ts';
import type { Bench } from './wizard.tsx';

/** Who stands at a tap waits for the next count; the device decides whether it may be asked so often. */
const LOOK_MS = 3_000;

interface Props {
  readonly step: Step;
  readonly bench: Bench;
}

export function TapForm({ step, bench }: Props) {
  const isRunning = step.state === 'running';
  const { act, deed } = bench;
  const [amount, unit] = [useSignal(''), useSignal<string>('gal')];
  // Until everybody was read the tap stays closed.
  if (isRunning && textIn(step.result, 'phase') !== 'open') return <Busy says={t('tap_reading')} />;
  const end = () => {
    const drawn = { amount: Number(amount.value), unit: unit.value };
    return act('tap', { action: 'end', ...(amount.value === '' ? {} : { drawn }) });
  };
  if (!isRunning) {
    return (
      <div class="actions">
        <Button kind="main" busy={deed.busy.value} onClick={() => act('tap', { action: 'begin' })}>
          {t(step.state === 'todo' ? 'tap_begin' : 'try_again')}
        </Button>
      </div>
    );
  }
  return (
    <>
      <p role="status">{t('tap_running')}</p>
      <Counting meter={bench.session.value.meter} before={markIn(step.result, 'own')} />
      <details>
        <summary>{t('tap_measured')}</summary>
        <div class="two">
          <Text
            label={t('tap_amount')}
            type="number"
            numeric="decimal"
            value={amount.value}
            onValue={(text) => {
              amount.value = text;
            }}
          />
          <Choice
            label={t('unit')}
            value={unit.value}
            options={VOLUME_UNITS.map((one) => [one, say(`unit.${one}`)])}
            onValue={(one) => {
              unit.value = one;
            }}
          />
        </div>
      </details>
      <div class="actions">
        <Button kind="main" busy={deed.busy.value} onClick={end}>
          {t('tap_end')}
        </Button>
      </div>
    </>
  );
}

interface CountingProps {
  readonly meter: string | null;
  /** What the dial showed when the test began; null: not known. */
  readonly before: number | null;
}

/** Counts since the test began, by whichever phone it was begun. */
function Counting({ meter, before }: CountingProps) {
  const last = useSignal<ReadAnswer | null>(null);
  useEffect(() => {
    let isGone = false;
    let isAsking = false;
    const look = async () => {
      if (isAsking || meter === null) return;
      isAsking = true;
      const answer = await command<ReadAnswer>('read', { meter, within_s: 10 });
      isAsking = false;
      if (!isGone && answer.ok) last.value = answer.data;
    };
    void look();
    const end = every(LOOK_MS, () => void look());
    return () => {
      isGone = true;
      end();
    };
  }, [meter]);
  const dial = last.value;
  const rose =
    dial === null || before === null ? 0 : modulo(Number(dial.dial) - before, capacity(dial));
  return (
    <p class="big" aria-live="polite">
      {t('counts', { count: rose })}{' '}
      {dial === null ? null : <Volume counts={rose} unit={dial.unit} pow10={dial.pow10} />}
    </p>
  );
}
