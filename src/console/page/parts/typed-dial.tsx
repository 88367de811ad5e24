// The dial typed blind: what a person reads from it, before the encoder's word is shown.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { t } from '../words.ts';
import { Form, Send, Text } from './field.tsx';

interface Props {
  readonly label: string;
  readonly busy: boolean;
  readonly isMain?: boolean;
  /** The digits as they stand on the dial, without the gaps that a person may type between them. */
  readonly onDial: (dial: string) => unknown;
  /** Above the field. */
  readonly children?: ComponentChildren;
}

export function TypedDial({ label, busy, isMain = true, onDial, children }: Props) {
  const typed = useSignal('');
  return (
    <Form onSubmit={() => onDial(typed.value.replaceAll(' ', ''))} label={label}>
      {children}
      <Text
        label={t('dial_typed')}
        value={typed.value}
        onValue={(text) => {
          typed.value = text;
        }}
        numeric
        required
        large
        max={14}
        pattern="[0-9 ]+"
        help={t('dial_typed_help')}
      />
      <Send kind={isMain ? 'main' : 'plain'} busy={busy}>
        {t('compare')}
      </Send>
    </Form>
  );
}
