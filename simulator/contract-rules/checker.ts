// Holds a run of MQTT messages against every numbered rule of the contract, one message at a time.

import { CollectorRules } from './collector-rules.ts';
import { InstallationRules } from './installation-rules.ts';
import type {
  Ack,
  Birth,
  CollectorState,
  Command,
  CommandAnswer,
  EventMessage,
  HeadEndState,
  Health,
  IntervalMessage,
  MeterInfo,
  Scorecard,
} from './messages.ts';
import { type Place, placeOf, shapeBreaches } from './shape.ts';
import { type Breach, type Verdict, Verdicts } from './verdicts.ts';

/** One message as it came; a line of a recording, there with `at` in ISO 8601. */
export interface Message {
  /** Epoch ms of its arrival. */
  readonly at: number;
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly payload: string;
}

/** A message of hours and gaps is at most so long (I8). */
const BYTES_MAX = 32 * 1024;
const ENTRIES_MAX = 168;

const keyOf = (utility: string, { meter, inst }: { meter: string; inst: number }): string =>
  `${utility}/${meter}/${inst}`;
const utilityOf = (key: string): string => key.slice(0, key.indexOf('/'));

/** Lives as long as its run; keeps every hour, gap and row it was shown. */
export class ContractChecker {
  readonly #verdicts: Verdicts;
  readonly #asPublished: boolean;
  readonly #collectors = new Map<string, CollectorRules>();
  readonly #installations = new Map<string, InstallationRules>();
  readonly #owners = new Map<string, string>();
  /** By utility: the head-end's newest session. */
  readonly #headEnds = new Map<string, string>();
  /** Utilities whose head-end says that it acknowledges. */
  readonly #acknowledged = new Set<string>();

  /** `asPublished`: `retain` is as the sender set it, for live messages too (MQTT 5: retain as published). */
  constructor(onBreach?: (breach: Breach) => void, asPublished = false) {
    this.#verdicts = new Verdicts(onBreach);
    this.#asPublished = asPublished;
  }

  /** Takes one message; returns false when it broke the shape that its topic asks for. */
  take(message: Message): boolean {
    this.#verdicts.about(message);
    const place = placeOf(message.topic);
    this.#verdicts.check(
      'topics',
      place !== undefined,
      () => `${message.topic} is no topic of the contract`,
    );
    if (place === undefined) return false;
    this.#checkDelivery(place, message);
    // A meter that was removed is cleared.
    if (place.kind === 'meter' && message.payload === '') return true;
    const payload = this.#parsed(message.payload);
    if (payload === undefined) return false;
    const breaches = shapeBreaches(place.kind, payload);
    for (const { rule, text } of breaches) this.#verdicts.check(rule, false, () => text);
    if (breaches.length > 0) this.#spoil(place, payload);
    else this.#dispatch(place, payload, message);
    return breaches.length === 0;
  }

  /** The verdict on every rule so far. */
  verdicts(): Verdict[] {
    return this.#verdicts.all();
  }

  broken(): number {
    return this.#verdicts.broken();
  }

  /**
   * Checks what only the whole shows. `now`: what may still be on its way by then is not called missing; null: nothing
   * more is to come.
   */
  finish(now: number | null): Verdict[] {
    this.#verdicts.about(null);
    for (const installation of this.#installations.values()) installation.finish();
    this.#checkChangeOuts();
    for (const [name, collector] of this.#collectors) {
      collector.checkBilling((meter, inst) =>
        this.#installations.get(keyOf(utilityOf(name), { meter, inst })),
      );
      collector.finish(now);
    }
    return this.verdicts();
  }

  #checkDelivery({ kind, qos, retain }: Place, message: Message): void {
    const name = message.topic;
    this.#verdicts.check('topics', retain || !message.retain, () => `${name} is retained`);
    const kept = !retain || message.retain || !this.#asPublished;
    this.#verdicts.check('topics', kept, () => `${name} is not retained`);
    this.#verdicts.check('topics', message.qos === qos, () => `${name} came at QoS ${message.qos}`);
    const bytes = Buffer.byteLength(message.payload);
    if (kind === 'interval') {
      this.#verdicts.check('I8', bytes <= BYTES_MAX, () => `${name} has ${bytes} bytes`);
    }
  }

  #parsed(payload: string): Record<string, unknown> | undefined {
    let parsed: unknown;
    try {
      parsed = JSON.parse(payload);
    } catch {
      parsed = undefined;
    }
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    this.#verdicts.check('payload', isObject, () => `no JSON object: ${payload.slice(0, 80)}`);
    return isObject ? (parsed as Record<string, unknown>) : undefined;
  }

  #spoil(place: Place, payload: Readonly<Record<string, unknown>>): void {
    const { kind, collector } = place;
    if (collector === null || (kind !== 'interval' && kind !== 'event')) return;
    const entries = [payload, payload['intervals'], payload['gaps']].flat() as unknown[];
    const rows = entries
      .map((entry) => (entry as { row?: unknown } | null | undefined)?.row)
      .filter((row): row is number => Number.isSafeInteger(row) && (row as number) >= 1);
    this.#collector(place).spoil(String(payload['epoch']), rows);
  }

  #dispatch(place: Place, payload: Record<string, unknown>, message: Message): void {
    const said = payload['collector'] ?? place.collector;
    const named = said === place.collector && (payload['meter'] ?? place.meter) === place.meter;
    this.#verdicts.check(
      'topics',
      named,
      () => `${message.topic} names ${payload['meter'] ?? said}`,
    );
    this.#verdicts.saw('payload');
    if (place.kind === 'headend')
      this.#takeHeadEnd(place, payload as unknown as HeadEndState, message);
    if (place.collector === null || !named) return;
    const collector = this.#collector(place);
    switch (place.kind) {
      case 'state':
        return collector.takeState(payload as unknown as CollectorState, message.at);
      case 'birth':
        return collector.takeBirth(
          payload as unknown as Birth,
          Buffer.byteLength(message.payload),
          message.at,
        );
      case 'meter':
        return this.#takeInfo(place, collector, payload as unknown as MeterInfo, message);
      case 'interval':
        return this.#takeInterval(place, collector, payload as unknown as IntervalMessage, message);
      case 'event':
        return collector.takeEvent(payload as unknown as EventMessage, message.at);
      case 'health':
        return collector.takeHealth(payload as unknown as Health);
      case 'scorecard':
        return collector.takeScorecard(payload as unknown as Scorecard);
      case 'rsp':
        return collector.takeAnswer(payload as unknown as CommandAnswer, message.at);
      case 'cmd':
        return collector.takeCommand(
          payload as unknown as Command,
          Buffer.byteLength(message.payload),
          message.at,
        );
      case 'ack':
        return collector.takeAck(payload as unknown as Ack, message.at);
      case 'last':
      case 'headend':
    }
  }

  /** A new session of a utility's head-end is heard by all its collectors (A2). */
  #takeHeadEnd({ utility }: Place, { state, session, ack }: HeadEndState, { at }: Message): void {
    if (ack === 'required') this.#acknowledged.add(utility);
    if (state !== 'online' || this.#headEnds.get(utility) === session) return;
    this.#headEnds.set(utility, session);
    for (const [name, collector] of this.#collectors) {
      if (utilityOf(name) === utility) collector.takeHeadEnd(at);
    }
  }

  #takeInfo(
    { utility }: Place,
    collector: CollectorRules,
    info: MeterInfo,
    { at, retain }: Message,
  ): void {
    collector.takeInfo(info);
    this.#installation(utility, info, collector).describe(info, at, retain);
  }

  #takeInterval(
    place: Place,
    collector: CollectorRules,
    message: IntervalMessage,
    { at }: Message,
  ): void {
    const entries = message.intervals.length + message.gaps.length;
    this.#verdicts.check(
      'I8',
      entries > 0 && entries <= ENTRIES_MAX,
      () => `a message of ${message.meter} has ${entries} entries`,
    );
    const key = keyOf(place.utility, message);
    const owner = this.#owners.get(key) ?? message.collector;
    this.#owners.set(key, owner);
    const own = owner === message.collector;
    this.#verdicts.check('I9', own, () => `${key} is told by ${owner} and by ${place.collector}`);
    collector.takeRows(message, at);
    this.#installation(place.utility, message, collector).take(message);
  }

  #collector({ utility, collector }: Place): CollectorRules {
    const name = `${utility}/${collector}`;
    const known =
      this.#collectors.get(name) ??
      new CollectorRules(this.#verdicts, () => this.#acknowledged.has(utility));
    this.#collectors.set(name, known);
    return known;
  }

  #installation(
    utility: string,
    { meter, inst }: { meter: string; inst: number },
    collector: CollectorRules,
  ): InstallationRules {
    const key = keyOf(utility, { meter, inst });
    const known =
      this.#installations.get(key) ??
      new InstallationRules(meter, inst, this.#verdicts, {
        rowsOf: (epoch) => collector.epoch(epoch).rows,
        lineage: collector.lineage,
      });
    this.#installations.set(key, known);
    return known;
  }

  /** I9: an hour in which two installations were told is partial in both, and says why. */
  #checkChangeOuts(): void {
    for (const [key, next] of this.#installations) {
      const { meter, inst } = next;
      const last = this.#installations.get(keyOf(utilityOf(key), { meter, inst: inst - 1 }));
      for (const hour of last ? next.hours() : []) {
        const other = last?.hourAt(hour.start);
        if (other === undefined) continue;
        const both = [hour, other];
        const told = both.every(
          ({ q, flags }) => q !== 'A' && (flags.includes('changeout') || flags.includes('config')),
        );
        this.#verdicts.check(
          'I9',
          told,
          () => `${next.meter} ${hour.start}: two installations, not both partial and flagged`,
        );
      }
    }
  }
}
