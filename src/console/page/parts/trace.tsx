// The frames of one bus as they pass, for a minute at a time.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { command } from '../api.ts';
import { number } from '../format.ts';
import type { TracedFrame } from '../shapes.ts';
import { t } from '../words.ts';
import { useDeed } from './asked.ts';
import { Button } from './field.tsx';
import { Refused } from './notice.tsx';

const FOR_S = 60;
/** So many of the newest are shown. */
const SHOWN = 200;

interface Taken {
  readonly frames: readonly TracedFrame[];
  readonly next: number;
  readonly lost: number;
  readonly over: boolean;
}

export function Trace({ bus }: { readonly bus: string }) {
  const deed = useDeed();
  const frames = useSignal<readonly TracedFrame[]>([]);
  const lost = useSignal(0);
  const trace = useSignal<number | null>(null);
  const isGone = useRef(false);
  useEffect(
    () => () => {
      isGone.current = true;
      if (trace.peek() !== null) void command('bus.trace.stop', { bus, trace: trace.peek() });
    },
    [],
  );
  const follow = async (number: number) => {
    let after = 0;
    while (!isGone.current && trace.peek() === number) {
      const answer = await command<Taken>('bus.trace.take', { bus, trace: number, after });
      if (!answer.ok) break;
      after = answer.data.next;
      frames.value = [...frames.peek(), ...answer.data.frames].slice(-SHOWN);
      lost.value += answer.data.lost;
      if (answer.data.over) break;
    }
    if (trace.peek() === number) trace.value = null;
  };
  const begin = async () => {
    const begun = await deed.run<{ trace: number }>('bus.trace', { bus, for_s: FOR_S });
    if (begun === undefined) return;
    frames.value = [];
    lost.value = 0;
    trace.value = begun.trace;
    void follow(begun.trace);
  };
  const stop = () => {
    const number = trace.peek();
    trace.value = null;
    return command('bus.trace.stop', { bus, trace: number });
  };
  return (
    <>
      <p class="help">{t('trace_help', { seconds: FOR_S })}</p>
      <div class="actions">
        {trace.value === null ? (
          <Button onClick={begin} busy={deed.busy.value}>
            {t('trace_begin')}
          </Button>
        ) : (
          <Button onClick={stop}>{t('stop')}</Button>
        )}
      </div>
      <Refused error={deed.error.value} />
      {trace.value === null ? null : <p role="status">{t('trace_running')}</p>}
      {lost.value === 0 ? null : <p>{t('trace_lost', { count: lost.value })}</p>}
      {frames.value.length === 0 ? null : <Frames frames={frames.value} />}
    </>
  );
}

function Frames({ frames }: { readonly frames: readonly TracedFrame[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1).
    // biome-ignore lint/a11y/useSemanticElements: it is no fieldset.
    <div class="trace" role="group" aria-label={t('trace')} tabIndex={0}>
      <ol class="rows mono">
        {frames.map(({ at_us, dir, hex, gap_us }) => (
          <li key={at_us}>
            <strong>{t(`trace_${dir}`)}</strong> {number(at_us / 1000, 1)} ms (+
            {number(gap_us / 1000, 1)}) {spaced(hex)} <span class="soft">{textOf(hex)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

const bytesOf = (hex: string): string[] => hex.match(/../g) ?? [];
const spaced = (hex: string): string => bytesOf(hex).join(' ');

/** Printable ASCII as text, all else as a point. */
const textOf = (hex: string): string =>
  bytesOf(hex)
    .map((byte) => {
      const code = Number.parseInt(byte, 16) & 0x7f;
      return code >= 32 && code < 127 ? String.fromCharCode(code) : '·';
    })
    .join('');
