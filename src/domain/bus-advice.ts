// The sentences a technician needs of a bus: what its counts mean, and the next step. Nothing else is guessed from them.

import type { MeterSeen, SeenEnd } from './bus-seen.ts';

/** How the wire of a bus speaks: what can go wrong on it differs. */
export type BusKind = 'line' | 'rtu' | 'tcp';

/** What is known of a bus when advice is asked for. */
export interface BusCase {
  readonly bus: string;
  readonly kind: BusKind;
  readonly open: boolean;
  /** In words, where the link is not open. */
  readonly link: string;
  readonly timeoutMs: number;
  /** No meter hangs on it: there is nothing to wait for. */
  readonly isEmpty?: boolean;
  readonly meters: readonly (Pick<
    MeterSeen,
    'meter' | 'recent' | 'p95Ms' | 'latestMs' | 'strangerId' | 'lastFault'
  > & { readonly address: string })[];
}

type MeterCase = BusCase['meters'][number];

export type AdviceCode =
  | 'bus.fine'
  | 'bus.empty'
  | 'bus.unread'
  | 'bus.closed'
  | 'bus.silent'
  | 'bus.spoilt'
  | 'bus.noise'
  | 'meter.shared'
  | 'meter.stranger'
  | 'meter.late'
  | 'meter.spoilt'
  | 'meter.silent'
  | 'meter.refuses'
  | 'meter.unusable'
  | 'meter.unread';

/** A finding: what it is, whom it is about, one sentence, and what to do. */
export interface Advice {
  readonly code: AdviceCode;
  /** Meters it is about; none where it is the whole bus. */
  readonly meters: readonly string[];
  readonly says: string;
  /** Empty where nothing is to be done. */
  readonly next: string;
  /** What the sentence tells of, for who says it in another language. */
  readonly places: Readonly<Record<string, string | number>>;
}

/** From so many ends alike in a row on it is no chance. One question in ten is spoilt on a bad line: a thousandth then. */
const IN_A_ROW = 3;
/** From this share of spoilt answers on the settings are wrong; noise spoils fewer. */
const MOST = 0.5;
/** From this share of spoilt answers on noise is worth a word. */
const NOISY = 0.1;
/** A time-out should leave so much beyond the slowest answer seen. */
const SPARE = 1.5;
/** Answers that take more than this share of the time-out will miss it now and then. */
const TIGHT = 0.8;
/** A suggested time-out is a round number. */
const ROUND_MS = 100;

const SPOILT: ReadonlySet<SeenEnd> = new Set(['crc', 'framing', 'torn']);
const UNANSWERED: ReadonlySet<SeenEnd> = new Set(['timeouts']);
const WITHOUT_QUESTION: ReadonlySet<SeenEnd> = new Set(['late', 'unasked']);

/** The findings on a bus, the weightiest first; one that says it is fine when there is nothing else. */
export function adviceOn(bus: BusCase): readonly Advice[] {
  if (!bus.open && bus.link !== '') return [closed(bus)];
  const asked = bus.meters.filter(({ recent }) => endsOf(recent).length > 0);
  const ends = asked.flatMap(({ recent }) => endsOf(recent));
  if (bus.isEmpty === true) {
    const next = 'Look for devices and commission them: meter-collector commission';
    return [finding('bus.empty', [], 'There are no meters on it yet', next, {})];
  }
  if (ends.length === 0) {
    return [finding('bus.unread', [], 'No meter was asked yet', 'Wait for the next poll', {})];
  }
  const whole = wholeBus(bus, asked, ends);
  if (whole !== null) return [whole];
  const single = asked.flatMap((meter) => meterAdvice(bus, meter, asked) ?? []);
  const noise = noiseOn(asked);
  const all = [...(noise === null ? [] : [noise]), ...single];
  if (all.length > 0) return all.sort((a, b) => weight(a) - weight(b));
  return [finding('bus.fine', [], 'All meters answer', '', { count: asked.length })];
}

function closed({ bus, link }: BusCase): Advice {
  const next = link.startsWith('port.denied')
    ? 'Put the user of the collector into the group dialout'
    : link.startsWith('peer.')
      ? 'See that the device has power and network, and that host and port are right'
      : 'See that the cable is plugged in and that no other program holds the port';
  return finding('bus.closed', [], `${bus} is not open: ${link}`, next, { bus, link });
}

/** What all meters of the bus share, or null. */
function wholeBus(
  { kind }: BusCase,
  asked: readonly MeterCase[],
  ends: readonly SeenEnd[],
): Advice | null {
  if (ends.length >= IN_A_ROW && ends.every((end) => UNANSWERED.has(end))) {
    return finding('bus.silent', [], ...SILENT[kind], { count: asked.length });
  }
  const isSpoilt = (meter: MeterCase) => shareOf(meter, SPOILT) >= MOST;
  // One meter's spoilt answers may be its own branch; nothing ever whole on a bus with one meter is the settings.
  const several = asked.length > 1 || !ends.some(isWhole);
  if (kind !== 'tcp' && several && ends.length >= IN_A_ROW && asked.every(canBeSpoilt(isSpoilt))) {
    const says = 'Bits arrive wrong: baud or parity';
    const next = 'Try the others: meter-collector scan';
    return finding('bus.spoilt', [], says, next, { count: asked.length });
  }
  return null;
}

const SILENT: Readonly<Record<BusKind, readonly [says: string, next: string]>> = {
  rtu: [
    'Nobody was heard: addresses, baud, or A and B swapped',
    'See that the meters have power, swap A and B, then look for them: meter-collector scan',
  ],
  line: [
    'Nobody was heard: addresses, baud, or wires swapped',
    'See that the bridge has power and its wires are right, then look for them: meter-collector scan',
  ],
  tcp: [
    'Nobody was heard: addresses, or nothing answers behind the gateway',
    'See the line behind the gateway, then look for meters: meter-collector scan',
  ],
};

/** A silent meter says nothing for or against wrong bits: with wrong settings questions arrive wrong too. */
function canBeSpoilt(isSpoilt: (meter: MeterCase) => boolean): (meter: MeterCase) => boolean {
  return (meter) => isSpoilt(meter) || shareOf(meter, UNANSWERED) === 1;
}

function noiseOn(asked: readonly MeterCase[]): Advice | null {
  const noisy = asked.filter((meter) => {
    const ends = endsOf(meter.recent);
    return ends.length >= IN_A_ROW && ends.some(isWhole) && shareOf(meter, SPOILT) >= NOISY;
  });
  if (noisy.length < 2) return null;
  const says = `Some bits of ${noisy.length} meters arrive wrong: noise, a missing terminator or a line too long`;
  const next = 'Put 120 ohm at both ends, join the grounds, or lower the baud';
  return finding('bus.noise', namesOf(noisy), says, next, { count: noisy.length });
}

/** What is wrong with one meter alone, or null. */
function meterAdvice(
  bus: BusCase,
  meter: MeterCase,
  asked: readonly MeterCase[],
): Advice | undefined {
  const { address, recent, lastFault } = meter;
  const name = [meter.meter];
  const places = { meter: meter.meter, address };
  const who = `${meter.meter} (address ${address})`;
  const ends = endsOf(recent);
  const has = (end: SeenEnd) => recent.includes(end);
  const rows = (end: SeenEnd) =>
    ends.length >= IN_A_ROW && ends.slice(-IN_A_ROW).every((one) => one === end);
  // On TCP the transaction tells: an answer too many is the gateway's, however many meters hang behind it.
  const isDoubled = bus.kind !== 'tcp' && timesOf(recent, 'unasked') >= 2;
  if ((has('ok') && timesOf(recent, 'wrong_id') >= 2) || isDoubled) {
    const says = `Two meters answer ${address}`;
    const next = 'Give one of them another address, or unplug it';
    return finding('meter.shared', name, says, next, places);
  }
  if (rows('wrong_id')) {
    const id = meter.strangerId ?? 'one without identification';
    const says = `Another encoder answers at ${address}: ${id}`;
    const next = `Check the address; if the meter was changed: meter-collector changeout ${meter.meter}`;
    return finding('meter.stranger', name, says, next, { ...places, id });
  }
  const late = lateAdvice(bus, meter, who);
  if (late !== null) return late;
  if (rows('timeouts')) {
    const others = asked.length > 1 ? ', others answer' : '';
    const next = 'See its power, its address and its branch of the line';
    return finding('meter.silent', name, `${who} is silent${others}`, next, places);
  }
  if (rows('exceptions')) {
    const next = 'See whether its profile is the right one: meter-collector scan';
    const says = `${who} refuses the question: ${lastFault}`;
    return finding('meter.refuses', name, says, next, { ...places, fault: lastFault ?? '' });
  }
  if (rows('unusable')) {
    const next = 'See its profile and dial in the settings, and the wire to its encoder';
    return finding(
      'meter.unusable',
      name,
      `${who} answers, but without a dial: ${lastFault}`,
      next,
      { ...places, fault: lastFault ?? '' },
    );
  }
  return spoiltAlone(bus, meter, asked) ?? unread(meter, who);
}

/** None of its last answers was of use, each for another reason or for one that tells nothing by itself. */
function unread({ meter, address, recent, lastFault }: MeterCase, who: string): Advice | undefined {
  const last = endsOf(recent).slice(-IN_A_ROW);
  if (last.length < IN_A_ROW || last.includes('ok')) return undefined;
  const says = `${who} was asked in vain again and again: ${lastFault}`;
  const next = 'See its address, its profile and its wires';
  return finding('meter.unread', [meter], says, next, { meter, address, fault: lastFault ?? '' });
}

/** Spoilt answers of one meter while the others' are whole: two talk at once, or its branch is bad. */
function spoiltAlone(
  bus: BusCase,
  meter: MeterCase,
  asked: readonly MeterCase[],
): Advice | undefined {
  const mine = shareOf(meter, SPOILT);
  const places = { meter: meter.meter, address: meter.address };
  if (endsOf(meter.recent).length < IN_A_ROW || mine < MOST) return undefined;
  const others = asked.filter((one) => one !== meter);
  const clean = others.some(({ recent }) => recent.some(isWhole));
  if (bus.kind !== 'tcp' && clean && others.every((one) => shareOf(one, SPOILT) < NOISY)) {
    const says = `Two meters answer ${meter.address}, or its branch is disturbed`;
    const next = `Unplug ${meter.meter}: if ${meter.address} still answers, another has its address`;
    return finding('meter.shared', [meter.meter], says, next, places);
  }
  const says = `Most answers of ${meter.meter} (address ${meter.address}) arrive wrong`;
  return finding(
    'meter.spoilt',
    [meter.meter],
    says,
    'See its wires and its settings of baud and parity',
    places,
  );
}

function lateAdvice({ timeoutMs }: BusCase, meter: MeterCase, who: string): Advice | null {
  const { recent, latestMs, p95Ms } = meter;
  const missed = recent.includes('timeouts') || recent.includes('torn');
  const came = recent.includes('late') && latestMs !== null && latestMs > timeoutMs;
  const tight = recent.includes('ok') && p95Ms !== null && p95Ms > TIGHT * timeoutMs;
  if (!missed || !(came || tight)) return null;
  const slowest = Math.max(came ? latestMs : 0, p95Ms ?? 0, timeoutMs);
  const enough = Math.ceil((SPARE * slowest) / ROUND_MS) * ROUND_MS;
  const says = `Answers of ${who} come late: after up to ${Math.round(slowest)} ms`;
  const places = {
    ...{ meter: meter.meter, address: meter.address },
    ...{ slowest_ms: Math.round(slowest), timeout_ms: enough },
  };
  return finding('meter.late', [meter.meter], says, `Raise timeout_ms to ${enough}`, places);
}

/** The weightiest first: what may give wrong numbers, then what keeps readings away. */
const WEIGHTS: readonly AdviceCode[] = [
  ...(['bus.closed', 'bus.silent', 'bus.spoilt', 'meter.shared', 'meter.stranger'] as const),
  ...(['bus.noise', 'meter.late', 'meter.silent', 'meter.spoilt', 'meter.refuses'] as const),
  ...(['meter.unusable', 'meter.unread', 'bus.empty', 'bus.unread', 'bus.fine'] as const),
];

const weight = ({ code }: Advice): number => WEIGHTS.indexOf(code);
const endsOf = (recent: readonly SeenEnd[]) => recent.filter((end) => !WITHOUT_QUESTION.has(end));
const timesOf = (recent: readonly SeenEnd[], end: SeenEnd) =>
  recent.filter((one) => one === end).length;
const namesOf = (meters: readonly MeterCase[]) => meters.map(({ meter }) => meter);

/** An answer came whole, whatever it said. */
function isWhole(end: SeenEnd): boolean {
  return !SPOILT.has(end) && !UNANSWERED.has(end) && !WITHOUT_QUESTION.has(end);
}

/** The share of a meter's last questions that ended so; 0 when it was not asked. */
function shareOf({ recent }: MeterCase, those: ReadonlySet<SeenEnd>): number {
  const ends = endsOf(recent);
  return ends.length === 0 ? 0 : ends.filter((end) => those.has(end)).length / ends.length;
}

function finding(
  code: AdviceCode,
  meters: readonly string[],
  says: string,
  next: string,
  places: Advice['places'],
): Advice {
  return { code, meters, says: `${says}.`, next: next === '' ? '' : `${next}.`, places };
}
