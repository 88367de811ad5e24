// The collector's status as it changes: one stream of events, closed while nobody looks, opened again whenever it breaks.

import { computed, type Signal, signal } from '@preact/signals';
import { session, whoAmI } from './api.ts';
import { after, now } from './clock.ts';
import type { MeterLine, Status } from './shapes.ts';

/** The newest status without its meters, which change on their own; null before the first. */
export const status = signal<Omit<Status, 'meters'> | null>(null);
/** Names of the meters, in the settings' order; changes only when meters come or go. */
export const meterNames = signal<readonly string[]>([]);
const lines = new Map<string, Signal<MeterLine>>();
/** How many meters have a fault, and how many there are. */
export const faults = signal<readonly MeterLine[]>([]);

/** Since when nothing came; null while the stream lives. */
export const lostSince = signal<number | null>(null);
/** The journal can be read and written; else what is missing of it is not known, and never none. */
export const isJournalOpen = computed(() => (status.value?.journal.detail ?? 'sound') === 'sound');

/** The first wait before the stream is opened again, and the longest. */
const WAIT_MS = 1_000;
const WAIT_MAX_MS = 15_000;
/** The collector says something every 15 s; a network that vanished says nothing at all. */
const SILENCE_MS = 40_000;

let source: EventSource | null = null;
let waits = 0;
let cancelRetry = () => {};
let cancelSilence = () => {};

/** One meter's line, which changes alone. */
export function lineOf(meter: string): Signal<MeterLine> | undefined {
  return lines.get(meter);
}

/** Begins to listen, and goes on until the page ends. */
export function listen(): void {
  document.addEventListener('visibilitychange', attend);
  addEventListener('online', attend);
  addEventListener('offline', () => lose());
  session.subscribe(attend);
}

function attend(): void {
  const isWanted = document.visibilityState === 'visible' && Boolean(session.peek());
  if (!isWanted) close();
  else if (source === null) open();
}

function open(): void {
  close();
  const stream = new EventSource('/api/live');
  source = stream;
  stream.addEventListener('status', (event) => heard(event.data as string));
  stream.addEventListener('beat', () => hear());
  stream.addEventListener('open', () => hear());
  stream.addEventListener('error', () => {
    if (source === stream) lose();
  });
  watchSilence();
}

function close(): void {
  cancelRetry();
  cancelSilence();
  source?.close();
  source = null;
}

function hear(): void {
  waits = 0;
  lostSince.value = null;
  watchSilence();
}

function watchSilence(): void {
  cancelSilence();
  cancelSilence = after(SILENCE_MS, lose);
}

/** The stream is gone: said at once, tried again later and later. */
function lose(): void {
  close();
  lostSince.value ??= now();
  const wait = Math.min(WAIT_MAX_MS, WAIT_MS * 2 ** waits);
  waits += 1;
  cancelRetry = after(wait, () => {
    // A collector that started again knows no sessions: then the sign-in is shown.
    whoAmI().then(attend, attend);
  });
}

function heard(text: string): void {
  hear();
  const { meters, ...rest } = JSON.parse(text) as Status;
  status.value = rest;
  takeLines(meters);
}

/** Changes the signals of those meters alone whose line is another. */
function takeLines(meters: readonly MeterLine[]): void {
  let changed = false;
  for (const line of meters) {
    const known = lines.get(line.meter);
    if (known === undefined) lines.set(line.meter, signal(line));
    else if (JSON.stringify(known.peek()) !== JSON.stringify(line)) known.value = line;
    else continue;
    changed = true;
  }
  const names = meters.map(({ meter }) => meter);
  if (names.join() !== meterNames.peek().join()) meterNames.value = names;
  if (changed || faults.peek().length > meters.length) {
    const sick = meters.filter(({ fault }) => fault !== null);
    if (JSON.stringify(sick) !== JSON.stringify(faults.peek())) faults.value = sick;
  }
}
