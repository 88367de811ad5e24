// The hours around a leak's beginning, fetched when asked to be seen.

import { useSignal } from '@preact/signals';
import { status } from '../live.ts';
import type { Intervals } from '../shapes.ts';
import { t } from '../words.ts';
import { useCommand } from './asked.ts';
import { Awaited } from './awaited.tsx';
import { Button } from './field.tsx';
import { Hours } from './hours.tsx';

/** A day before it began shows what is usual; ten days are as many bars as a phone can show. */
const BEFORE_MS = 24 * 3_600_000;
const MOST_MS = 10 * 24 * 3_600_000;

interface Props {
  readonly meter: string;
  readonly since: string;
}

export function LeakChart(props: Props) {
  const isShown = useSignal(false);
  return (
    <>
      <div class="actions">
        <Button
          expanded={isShown.value}
          onClick={() => {
            isShown.value = !isShown.value;
          }}
        >
          {t('show_hours')}
        </Button>
      </div>
      {isShown.value ? <Shown {...props} /> : null}
    </>
  );
}

function Shown({ meter, since }: Props) {
  const to = Date.parse(status.peek()?.now ?? since);
  const from = Math.max(Date.parse(since) - BEFORE_MS, to - MOST_MS);
  const asked = useCommand<Intervals>('intervals', { meter, from: new Date(from).toISOString() });
  return (
    <Awaited asked={asked}>
      {(found) => <Hours label={t('hours_leak', { meter })} found={found} />}
    </Awaited>
  );
}
