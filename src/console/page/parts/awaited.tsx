// What a page asked for: that it is under way, what came, or why nothing did.

import type { ComponentChildren } from 'preact';
import { t } from '../words.ts';
import type { Asked } from './asked.ts';
import { Busy, Refused } from './notice.tsx';

interface Props<T> {
  readonly asked: Asked<T>;
  /** Called with an answer only: a page never says "none" of what it does not know yet. */
  readonly children: (found: T) => ComponentChildren;
}

/** A refusal stands above whatever was known before it. */
export function Awaited<T>({ asked, children }: Props<T>) {
  const [found, error] = [asked.data.value, asked.error.value];
  return (
    <>
      <Refused error={error} />
      {found === null ? error === null ? <Busy says={t('asking')} /> : null : children(found)}
    </>
  );
}
