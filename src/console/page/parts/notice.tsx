// What a page has to say of itself: a refusal in the reader's words, an empty place, work that lasts.

import type { ComponentChildren } from 'preact';
import type { Refusal } from '../api.ts';
import { known, t } from '../words.ts';
import { Sign, type State } from './sign.tsx';

export function Notice({
  state,
  children,
}: {
  readonly state: State;
  readonly children: ComponentChildren;
}) {
  return (
    <div class={`notice ${state}`} role={state === 'bad' ? 'alert' : 'status'}>
      <Sign state={state} />
      <div>{children}</div>
    </div>
  );
}

const keyOf = (code: string): string => `error_${code.replaceAll('.', '_')}`;

interface RefusedProps {
  readonly error: Refusal | null;
  /** Sentences for codes that mean something else here. */
  readonly says?: Readonly<Record<string, string>>;
}

/** A refusal: our sentence for its code, with the collector's own words one step away. */
export function Refused({ error, says }: RefusedProps) {
  if (error === null) return null;
  const sentence =
    says?.[error.code] ?? known(keyOf(error.code)) ?? t('error_other', { code: error.code });
  const own = [error.message, error.hint].filter((one) => one !== '').join(' ');
  return (
    <Notice state="bad">
      <p>{sentence}</p>
      {own === '' ? null : (
        <details>
          <summary>{t('detail')}</summary>
          <p lang="en">{own}</p>
        </details>
      )}
    </Notice>
  );
}

export function Busy({ says }: { readonly says: string }) {
  return (
    <p class="busy" role="status">
      <span class="spinner" aria-hidden="true" />
      {says}
    </p>
  );
}

export function Empty({ says }: { readonly says: string }) {
  return <p class="empty">{says}</p>;
}
