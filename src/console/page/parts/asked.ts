// An answer that a page waits for, and commands that its buttons give.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Answer, command, type Refusal } from '../api.ts';

export interface Asked<T> {
  readonly data: Signal<T | null>;
  readonly error: Signal<Refusal | null>;
  readonly again: () => Promise<void>;
}

/** Asks once when shown, and again when `args` change. */
export function useCommand<T>(name: string, args: object = {}): Asked<T> {
  const key = JSON.stringify(args);
  return useAsked(() => command<T>(name, JSON.parse(key) as object), `${name} ${key}`);
}

export function useAsked<T>(ask: () => Promise<Answer<T>>, key: string): Asked<T> {
  const data = useSignal<T | null>(null);
  const error = useSignal<Refusal | null>(null);
  const again = async () => {
    const answer = await ask();
    if (answer.ok) data.value = answer.data;
    error.value = answer.ok ? null : answer.error;
  };
  useEffect(() => {
    void again();
  }, [key]);
  return { data, error, again };
}

export interface Deed {
  readonly busy: Signal<boolean>;
  readonly error: Signal<Refusal | null>;
  /** Gives the command; undefined when it was refused, which stands in `error`. A second one waits for nobody: it is not given. */
  readonly run: <T>(name: string, args?: object) => Promise<T | undefined>;
  readonly runWith: <T>(ask: () => Promise<Answer<T>>) => Promise<T | undefined>;
}

export function useDeed(): Deed {
  const busy = useSignal(false);
  const error = useSignal<Refusal | null>(null);
  const runWith = async <T>(ask: () => Promise<Answer<T>>): Promise<T | undefined> => {
    if (busy.peek()) return undefined;
    busy.value = true;
    error.value = null;
    const answer = await ask();
    busy.value = false;
    if (answer.ok) return answer.data;
    error.value = answer.error;
    return undefined;
  };
  return { busy, error, run: (name, args) => runWith(() => command(name, args)), runWith };
}
