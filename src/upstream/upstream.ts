// The way up over the head-end's link: announces the collector on every connection and sends rows until acknowledged.

import type {
  Clock,
  HeadEnd,
  InMessage,
  Journal,
  Log,
  OutMessage,
  Prepared,
  SendCause,
  Unsaid,
  Upstream,
} from '../boundaries.ts';
import { type Answer, encodeAnswer } from '../codec/command-message.ts';
import type { MeterInfo } from '../codec/contract.ts';
import { crc32 } from '../codec/crc32.ts';
import {
  type CollectorState,
  encodeBirth,
  encodeCollectorState,
  encodeEvent,
  encodeIntervals,
  type MeterFacts,
  meterPayload,
  topicOf,
} from '../codec/head-end-message.ts';
import { encodeHealth } from '../codec/health-message.ts';
import { encodeLast } from '../codec/last-message.ts';
import { encodeScorecard } from '../codec/scorecard-message.ts';
import type { EntryRow, EventRow, Row } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import { faulty, good, type Result, StoreLost } from '../domain/fault.ts';
import type { Health } from '../domain/health.ts';
import type { Scorecard } from '../domain/scorecard.ts';
import { type AckMode, Acknowledgement } from './acknowledgement.ts';

export interface UpstreamParts {
  readonly headEnd: HeadEnd;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly utility: string;
  readonly collector: string;
  /** New at each start: a late will of an old session overrules nothing (S1). */
  readonly session: string;
  readonly software: string;
  readonly configRevision: string;
  readonly meters: ReadonlyMap<string, MeterFacts>;
  /** The wire's clock. */
  readonly wire: Clock;
  /** What settles a row. */
  readonly ack: AckMode;
  /** Called when rows are to be sent again. */
  readonly stir: () => void;
  /** Commands that the owner allows, for birth. */
  readonly commands: readonly string[];
  /** Takes a message on `dn/cmd/{name}`. */
  readonly onCommand: (message: InMessage, name: string) => void;
}

export interface RunningUpstream extends Upstream {
  /** Begins connecting, and announces on every connection from then on. */
  start(): void;
  /** Sends the oldest row again where a head-end that is to acknowledge does not, until `signal` aborts. */
  watchAcks(signal: AbortSignal): Promise<void>;
  /** Publishes the answer to a command where it is awaited. */
  answer(answer: Answer, to: InMessage): Promise<void>;
  announceBirth(): Promise<void>;
  /** Publishes how the collector fares (S4); one that is lost is not sent again. */
  tellHealth(health: Health): Promise<void>;
  /** Publishes how well the meters were read on a day (S5); whether the broker has it. */
  tellScorecard(card: Scorecard): Promise<boolean>;
  /** Publishes a meter's latest reading; one that is lost is not sent again. */
  tellLast(meter: string): Promise<void>;
  /** Delivered rows that wait for the head-end's word; null where PUBACK settles. */
  awaiting(): number | null;
  /** The row is delivered and waits for the head-end's word. */
  isWithBroker(row: number): boolean;
  /** What the broker does not let this collector say of itself: its state, its meters, its birth, its answers. */
  unsaid(): Unsaid;
  /** Announces again, where it is connected: the journal is there now, or is not any more. */
  announce(): void;
  /** Says goodbye (state `disconnected`) and disconnects. */
  stop(): Promise<void>;
}

/** After two hours how it was says nothing any more. */
const HEALTH_EXPIRY_S = 7_200;

/** A topic that can be published to. */
const TOPIC = /^[^\0#+$][^\0#+]{0,199}$/;

export function createUpstream(parts: UpstreamParts): RunningUpstream {
  return new MessageUpstream(parts);
}

class MessageUpstream implements RunningUpstream {
  readonly #parts: UpstreamParts;
  readonly #descriptions = new Map<string, Description>();
  readonly #acks: Acknowledgement;
  #newest: { readonly facts?: InstallationFacts; readonly topic: string } = { topic: '' };
  /** By topic, the broker's word on what it refused there last, and whether it can be said again: an answer cannot. */
  readonly #refused = new Map<string, { readonly detail: string; readonly isLasting: boolean }>();
  #warned = '';

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    this.#acks = new Acknowledgement({ ...parts, mode: parts.ack });
  }

  start(): void {
    const { headEnd, utility } = this.#parts;
    const ack = this.#topic('dn/ack');
    const command = this.#topic('dn/cmd/');
    const state = `watermeter-v1/${utility}/_headend/state`;
    headEnd.listen([ack, state, `${command}+`], (message) => {
      const { topic } = message;
      if (topic === ack) this.#acks.hearAck(message);
      else if (topic === state) this.#acks.hearState(message);
      else if (topic.startsWith(command)) {
        this.#parts.onCommand(message, topic.slice(command.length));
      }
    });
    headEnd.onConnect(() => {
      for (const [topic, { isLasting }] of this.#refused) {
        if (!isLasting) this.#refused.delete(topic); // Perhaps it would be taken now.
      }
      this.#announceAll();
    });
    headEnd.start(this.#state('lost', null));
  }

  async stop(): Promise<void> {
    const { headEnd, clock } = this.#parts;
    // Not awaited: closing waits for it as long as for all that is in flight, and the broker may acknowledge nothing any more.
    const said = headEnd.isConnected() && headEnd.publish(this.#state('disconnected', clock.now()));
    await headEnd.close();
    await said;
  }

  isConnected(): boolean {
    return this.#parts.headEnd.isConnected();
  }

  delivered(rows: readonly Row[]): void {
    this.#acks.delivered(rows);
  }

  watchAcks(signal: AbortSignal): Promise<void> {
    return this.#acks.watch(signal);
  }

  awaiting(): number | null {
    return this.#acks.isRequired() ? this.#acks.awaiting() : null;
  }

  isWithBroker(row: number): boolean {
    return this.#acks.isAwaiting(row);
  }

  unsaid(): Unsaid {
    return { count: this.#refused.size, detail: [...this.#refused.values()].at(-1)?.detail ?? '' };
  }

  announce(): void {
    if (this.#parts.headEnd.isConnected()) this.#announceAll();
  }

  prepare(rows: readonly Row[], cause: SendCause): Result<readonly Prepared[]> {
    const [first] = rows;
    if (!first) return good([]);
    const { journal, collector, clock, headEnd } = this.#parts;
    // What the collector tells of itself is of no meter.
    if (first.meter === '') return good(this.#events(rows, 'up'));
    const hasEvents = rows.some(({ kind }) => kind === 'event');
    const events = hasEvents ? this.#events(rows, `up/meter/${first.meter}`) : [];
    const facts = journal.factsOf(first.meter, first.inst);
    if (!facts) return faulty('store.failed', `no facts of ${first.meter}/${first.inst}`);
    const envelope = { collector, epoch: journal.epoch, cause, sent: clock.now() };
    const topic = this.#intervalTopic(facts);
    const entries = hasEvents ? rows.filter((row) => row.kind !== 'event') : rows;
    const bytesMax = headEnd.payloadMax?.(topic);
    const intervals = encodeIntervals(entries as readonly EntryRow[], facts, envelope, bytesMax);
    const messages = intervals.map((one) => ({ topic, payload: one.payload, rows: one.rows }));
    return good(events.length === 0 ? messages : [...events, ...messages]);
  }

  #events(rows: readonly Row[], path: string): Prepared[] {
    const { journal, collector } = this.#parts;
    const events = rows.filter((row): row is EventRow => row.kind === 'event');
    return events.map((row) => ({
      topic: this.#topic(`${path}/event`),
      payload: encodeEvent(row, collector, journal.epoch),
      rows: [row],
    }));
  }

  publish({ topic, payload }: Prepared, late = false): Promise<Result<void>> {
    return this.#parts.headEnd.publish({ topic, payload, qos: 1, retain: false, late });
  }

  async describe(meter: string): Promise<void> {
    // A meter that is no longer in the settings is cleared with an empty payload.
    const payload = this.#description(meter)?.payload ?? '';
    await this.#say(this.#retained(`up/meter/${meter}/info`, payload));
  }

  /** Worked out once for each change of what it is made of: every new link wants those of all meters, twice. */
  #description(meter: string): Description | undefined {
    const { journal, meters } = this.#parts;
    const facts = journal.facts(meter);
    const known = meters.get(meter);
    if (!facts || !known) return undefined;
    const { service } = known;
    const before = this.#descriptions.get(meter);
    if (before?.facts === facts && before.service === service) return before;
    const info = withRevision(meterPayload(facts, known));
    const description = { facts, service, payload: JSON.stringify(info), rev: info.rev };
    this.#descriptions.set(meter, description);
    return description;
  }

  #described(): { meter: string; inst: number; rev: number }[] {
    return [...this.#parts.meters.keys()].flatMap((meter) => {
      const description = this.#description(meter);
      return description ? [{ meter, inst: description.facts.inst, rev: description.rev }] : [];
    });
  }

  async announceBirth(): Promise<void> {
    // A journal that was never opened has no name yet; it is announced when it is.
    if (this.#parts.journal.epoch === '') return;
    await this.#say(this.#retained('up/birth', await this.#birth()));
  }

  async #birth(): Promise<string> {
    const { journal, clock, collector, session, software, configRevision, commands } = this.#parts;
    const pending = await journal.pending();
    const meters = this.#described();
    const oldestHour = await oldestHourOf(journal);
    const facts = {
      collector,
      session,
      software,
      configRevision,
      epoch: journal.epoch,
      oldestHour,
    };
    const now = { rowsPending: pending.rows, sent: clock.now() };
    const bytesMax = this.#parts.headEnd.payloadMax?.(this.#topic('up/birth'));
    return encodeBirth({ ...facts, ...now, meters, commands }, crc32, bytesMax);
  }

  async tellHealth(health: Health): Promise<void> {
    const { collector, session, clock, headEnd } = this.#parts;
    const payload = encodeHealth(health, { collector, session, sent: clock.now() });
    const how = { qos: 0, retain: false, expiryS: HEALTH_EXPIRY_S } as const;
    await headEnd.publish({ topic: this.#topic('up/health'), payload, ...how });
    // Nobody tells when the broker's rules were mended.
    if ([...this.#refused.values()].some(({ isLasting }) => isLasting)) this.announce();
  }

  async tellScorecard(card: Scorecard): Promise<boolean> {
    const { collector, clock } = this.#parts;
    const payload = encodeScorecard(card, collector, clock.now());
    const topic = this.#topic('up/scorecard');
    return (await this.#say({ topic, payload, qos: 1, retain: false })).ok;
  }

  async tellLast(meter: string): Promise<void> {
    const { journal, collector, clock, headEnd } = this.#parts;
    const facts = journal.facts(meter);
    const state = journal.installation(meter);
    const payload = facts && state && encodeLast(facts, state, collector, clock.now());
    if (payload === undefined) return;
    const topic = this.#topic(`up/meter/${meter}/last`);
    await headEnd.publish({ topic, payload, qos: 0, retain: true });
  }

  async answer(answer: Answer, { responseTopic, correlation }: InMessage): Promise<void> {
    const topic = this.#topic('up/rsp');
    const again = correlation === undefined ? {} : { correlation };
    const ways: Pick<OutMessage, 'topic' | 'correlation'>[] = [{ topic, ...again }];
    if (responseTopic && TOPIC.test(responseTopic))
      ways.unshift({ topic: responseTopic, ...again });
    if (correlation) ways.push({ topic });
    // A broker lets us write below our own name only, and may take less than a question's data and its answer together.
    for (const way of ways) {
      const payload = this.#fitting(answer, way);
      const sent = await this.#say({ ...way, payload, qos: 1, retain: false });
      if (sent.ok || sent.fault.code !== 'upstream.refused') return;
    }
  }

  /** The answer as text; where the broker takes no message of that size, an error that says so. */
  #fitting(answer: Answer, { topic, correlation }: Pick<OutMessage, 'topic' | 'correlation'>) {
    const payload = encodeAnswer(answer);
    const bytes = Buffer.byteLength(payload);
    const most = this.#parts.headEnd.payloadMax?.(topic) ?? Number.POSITIVE_INFINITY;
    if (bytes + (correlation?.length ?? 0) <= most) return payload;
    const message = `the answer has ${bytes} bytes, more than the broker takes; ask for less`;
    return encodeAnswer({ ...answer, status: 'error', code: 'internal', data: { message } });
  }

  async #announce(): Promise<void> {
    const { journal, clock } = this.#parts;
    // Without its journal the collector polls and has nothing to say but that somebody should come.
    const isSound = journal.isSound();
    await this.#say(this.#state(isSound ? 'ready' : 'alert', clock.now()));
    if (!isSound) return;
    for (const meter of journal.meters()) await this.describe(meter);
    await this.announceBirth();
  }

  /** Publishes, and keeps the broker's refusal to be told; the same trouble is one line in the log, not one a meter. */
  async #say(message: OutMessage): Promise<Result<void>> {
    const { headEnd, log } = this.#parts;
    const { topic, retain } = message;
    const said = await headEnd.publish(message);
    // Where else somebody wants an answer nothing of ours is missing.
    if (!retain && !['up/rsp', 'up/scorecard'].some((path) => topic === this.#topic(path)))
      return said;
    if (said.ok) this.#refused.delete(topic);
    else if (said.fault.code === 'upstream.refused') {
      this.#refused.delete(topic);
      this.#refused.set(topic, { detail: said.fault.detail, isLasting: retain });
      const trouble = said.fault.why ?? said.fault.detail;
      const level = trouble === this.#warned ? 'debug' : 'warn';
      this.#warned = trouble;
      log[level]({ ...said.fault }, 'what the collector tells of itself was refused');
    }
    if (this.#refused.size === 0) this.#warned = '';
    return said;
  }

  #announceAll(): void {
    this.#announce().catch((error: unknown) => {
      this.#parts.log.warn({ error: String(error) }, 'announcing to the head-end failed');
    });
  }

  #topic(path: string): string {
    return topicOf(this.#parts.utility, this.#parts.collector, path);
  }

  /** Each message of a backlog has the one of the message before. */
  #intervalTopic(facts: InstallationFacts): string {
    if (this.#newest.facts !== facts) {
      this.#newest = { facts, topic: this.#topic(`up/meter/${facts.meter}/interval`) };
    }
    return this.#newest.topic;
  }

  #retained(path: string, payload: string): OutMessage {
    return { topic: this.#topic(path), payload, qos: 1, retain: true };
  }

  #state(name: CollectorState, at: number | null): OutMessage {
    const { collector, session } = this.#parts;
    return this.#retained('up/state', encodeCollectorState(collector, session, name, at));
  }
}

/** What is told of a meter (S3), and of what it was made. */
interface Description {
  readonly facts: InstallationFacts;
  readonly service: MeterFacts['service'];
  readonly payload: string;
  readonly rev: number;
}

/** `rev` names the content: it differs whenever anything in it does (S3). */
function withRevision(payload: Omit<MeterInfo, 'rev'>): MeterInfo {
  return { ...payload, rev: crc32(JSON.stringify(payload)) };
}

/** Beginning of the oldest hour that the journal holds, of any meter. */
async function oldestHourOf(journal: Journal): Promise<number | null> {
  let oldest: number | null = null;
  for (const meter of journal.meters()) {
    try {
      for await (const row of journal.rowsOf(meter)) {
        if (row.kind === 'hour' && (oldest === null || row.start < oldest)) oldest = row.start;
        break;
      }
    } catch (error) {
      // One damaged entry must not keep the birth back; the audit says where it is.
      if (!(error instanceof StoreLost)) throw error;
    }
  }
  return oldest;
}
