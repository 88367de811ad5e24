// Labelled fields and buttons, large enough for a thumb.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../words.ts';

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (text: string) => void;
  readonly help?: string | undefined;
  readonly type?: 'text' | 'password' | 'number' | 'date' | 'search' | 'datetime-local';
  /** Which keyboard a phone shows: of digits, or with a decimal point too. */
  readonly numeric?: boolean | 'decimal';
  readonly required?: boolean;
  readonly complete?: string;
  readonly max?: number;
  readonly min?: number;
  readonly pattern?: string;
  readonly name?: string;
  readonly large?: boolean;
}

const modeOf = (numeric: TextProps['numeric']) =>
  numeric === 'decimal' ? 'decimal' : numeric === true ? 'numeric' : undefined;

export function Text(props: TextProps) {
  const { label, value, onValue, help, type = 'text', required = false } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label}
        {required ? null : <span class="optional"> {t('optional')}</span>}
      </label>
      <input
        id={id}
        class={props.large === true ? 'large' : ''}
        type={type}
        // Without it browsers refuse half a gallon.
        step={type === 'number' && props.numeric === 'decimal' ? 'any' : undefined}
        value={value}
        required={required}
        name={props.name}
        maxLength={props.max ?? 200}
        pattern={props.pattern}
        inputMode={modeOf(props.numeric)}
        autocomplete={props.complete ?? 'off'}
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {help === undefined ? null : (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly onValue: (one: string) => void;
  readonly help?: string | undefined;
}

export function Choice({ label, value, options, onValue, help }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        onChange={(event) => onValue(event.currentTarget.value)}
      >
        {options.map(([one, said]) => (
          <option key={one} value={one}>
            {said}
          </option>
        ))}
      </select>
      {help === undefined ? null : (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

interface CheckProps {
  readonly label: string;
  readonly value: boolean;
  readonly onValue: (one: boolean) => void;
}

export function Check({ label, value, onValue }: CheckProps) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        type="checkbox"
        checked={value}
        onChange={(event) => onValue(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
    </div>
  );
}

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick?: () => unknown;
  readonly kind?: 'main' | 'plain' | 'danger';
  readonly busy?: boolean;
  readonly type?: 'button' | 'submit';
  readonly expanded?: boolean;
  readonly pressed?: boolean;
}

/** A busy button stays where the focus is: it is only told, and does nothing. */
export function Button(props: ButtonProps) {
  const { children, onClick, kind = 'plain', busy = false, type = 'button' } = props;
  return (
    <button
      type={type}
      class={`button ${kind}`}
      aria-disabled={busy}
      aria-expanded={props.expanded}
      aria-pressed={props.pressed}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.();
      }}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : null}
      {children}
    </button>
  );
}

/** What sends a form, below its fields. */
export function Send({
  children,
  busy,
  kind = 'main',
}: Pick<ButtonProps, 'children' | 'busy' | 'kind'>) {
  return (
    <div class="actions">
      <Button kind={kind} type="submit" busy={busy ?? false}>
        {children}
      </Button>
    </div>
  );
}

interface SureProps {
  readonly what: string;
  readonly onSure: () => unknown;
  readonly busy?: boolean;
}

/** What cannot be taken back is asked twice: a glove hits the wrong button, and hits it twice. */
export function Sure({ what, onSure, busy = false }: SureProps) {
  const isAsked = useSignal(false);
  const no = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isAsked.value) no.current?.focus();
  }, [isAsked.value]);
  const ask = (wanted: boolean) => () => {
    isAsked.value = wanted;
  };
  if (!isAsked.value) {
    return (
      <Button kind="danger" busy={busy} onClick={ask(true)}>
        {what}
      </Button>
    );
  }
  return (
    <>
      <button type="button" ref={no} class="button plain" onClick={ask(false)}>
        {t('sure_not')}
      </button>
      <Button
        kind="danger"
        busy={busy}
        onClick={() => {
          isAsked.value = false;
          onSure();
        }}
      >
        {t('sure', { what })}
      </Button>
    </>
  );
}

interface FormProps {
  readonly onSubmit: () => unknown;
  readonly children: ComponentChildren;
  readonly label?: string;
}

/** A form that the page itself sends. */
export function Form({ onSubmit, children, label }: FormProps) {
  return (
    <form
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}
