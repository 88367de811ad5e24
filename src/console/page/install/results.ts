// What the steps of an installation have found, read from the collector's answers.

import type { Commission, StepResult } from '../shapes.ts';

export const textIn = (result: StepResult | null, key: string): string | null => {
  const one = result?.[key];
  return typeof one === 'string' && one !== '' ? one : typeof one === 'number' ? String(one) : null;
};

export const numberIn = (result: StepResult | null, key: string): number | null => {
  const one = result?.[key];
  return typeof one === 'number' ? one : null;
};

/** Where a meter stood, as a step of the installation keeps it. */
export function markIn(result: StepResult | null, key: string): number | null {
  const mark = result?.[key];
  return typeof mark === 'object' && mark !== null ? numberIn(mark as StepResult, 'read') : null;
}

export const resultOf = (session: Commission, step: string): StepResult | null =>
  session.steps.find((one) => one.step === step)?.result ?? null;

export const stateOf = (session: Commission, step: string): string =>
  session.steps.find((one) => one.step === step)?.state ?? 'todo';

/** A meter's counts while a tap runs. */
export interface Counted {
  readonly meter: string;
  readonly counts: number;
}

export function countedIn(result: StepResult | null, key: string): readonly Counted[] {
  const all = result?.[key];
  return Array.isArray(all) ? (all as Counted[]) : [];
}

/** The places of a sentence. */
export function placesIn(result: StepResult | null): Readonly<Record<string, string | number>> {
  const places = result?.['places'];
  return typeof places === 'object' && places !== null
    ? (places as Readonly<Record<string, string | number>>)
    : {};
}

/** The dial is typed blind: until it is, nothing that the encoder said is shown. */
export const isBlind = (session: Commission): boolean => {
  const state = stateOf(session, 'dial');
  return state === 'todo' || state === 'running';
};
