// The doctor's checks of one area: cause and next step, in the reader's words.

import { useSignal } from '@preact/signals';
import type { Check } from '../shapes.ts';
import { known, t } from '../words.ts';
import { useDeed } from './asked.ts';
import { Button } from './field.tsx';
import { Notice, Refused } from './notice.tsx';

export function Checks({ area }: { readonly area: string }) {
  const deed = useDeed();
  const checks = useSignal<readonly Check[] | null>(null);
  const look = async () => {
    const answer = await deed.run<{ checks: readonly Check[] }>('doctor', { area });
    checks.value = answer?.checks ?? null;
  };
  return (
    <>
      <div class="actions">
        <Button onClick={look} busy={deed.busy.value}>
          {t('doctor')}
        </Button>
      </div>
      <Refused error={deed.error.value} />
      {checks.value?.map((check) => (
        <One key={check.check + check.cause} check={check} />
      ))}
    </>
  );
}

function One({ check }: { readonly check: Check }) {
  const { state, cause, places, says, next } = check;
  const step = known(`doctor.${cause}_next`, places);
  const sentence = known(`doctor.${cause}`, places);
  return (
    <Notice state={state}>
      <p>
        <strong>{sentence ?? cause}</strong>
      </p>
      {step === undefined || state === 'ok' ? null : <p>{step}</p>}
      {sentence === undefined && says !== undefined ? (
        <p lang="en">
          {says} {next}
        </p>
      ) : null}
    </Notice>
  );
}
