// Asking again and again while something lasts.

import { useEffect } from 'preact/hooks';
import { every } from '../clock.ts';

/** Calls `act` every `ms` while `isOn`. */
export function useEvery(isOn: boolean, ms: number, act: () => void): void {
  useEffect(() => (isOn ? every(ms, act) : undefined), [isOn, ms]);
}
