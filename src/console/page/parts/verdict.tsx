// What came of a dial typed blind, in one sentence and with both numbers.

import type { VerifyAnswer } from '../shapes.ts';
import { say } from '../words.ts';
import { Notice } from './notice.tsx';
import type { State } from './sign.tsx';

const STATES: Readonly<Record<string, State>> = {
  match: 'ok',
  moved: 'ok',
  ignored_digit_match: 'ok',
  off_by_digit: 'warn',
  scale: 'warn',
};

export const isAgreed = (verdict: string): boolean => STATES[verdict] === 'ok';

type Told = Pick<VerifyAnswer, 'verdict' | 'places'>;

export function Verdict({ verdict, places = {} }: Told) {
  return (
    <Notice state={STATES[verdict] ?? 'bad'}>
      <p>
        <strong>{say(`site.verify_${verdict}`, places)}</strong>
      </p>
    </Notice>
  );
}
