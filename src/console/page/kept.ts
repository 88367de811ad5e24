// What this browser remembers of its user's wishes; a browser that forbids it forgets them.

import { type Signal, signal } from '@preact/signals';

/** A wish that is one of `choices`, kept under `name`; the first of them where nothing else is known. */
export function keptWish<T extends string>(
  name: string,
  choices: readonly T[],
  usual: T,
): { readonly wish: Signal<T>; readonly set: (one: T) => void } {
  const found = choices.find((one) => one === read(name));
  const wish = signal<T>(found ?? usual);
  const set = (one: T) => {
    wish.value = one;
    write(name, one);
  };
  return { wish, set };
}

export function read(name: string): string | null {
  try {
    return localStorage.getItem(`meter-collector.${name}`);
  } catch {
    return null;
  }
}

/** Null forgets. */
export function write(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(`meter-collector.${name}`);
    else localStorage.setItem(`meter-collector.${name}`, text);
  } catch {
    // Private windows refuse: the wish lives as long as the page.
  }
}
