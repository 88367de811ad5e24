// Plays a scenario: one meter on a line, its dial and its oddities by the hour, the whole collector on virtual time, and what a head-end hears.

import { createLineBus } from '../../src/bus/line-bus.ts';
import { CR_FRAMING } from '../../src/codec/framer.ts';
import { runCollector } from '../../src/collector.ts';
import { good } from '../../src/domain/fault.ts';
import type { Dial } from '../../src/domain/units.ts';
import type { RunningCollector } from '../../src/parts.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { COMMAND_CHECK } from '../contract/command-check.ts';
import { assertRules } from '../contract/kept.ts';
import { MemoryBroker } from '../fakes/memory-head-end.ts';
import { Medium } from '../fakes/memory-store.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { lineProfile } from '../fakes/profiles.ts';
import { RecordingLog } from '../fakes/recording-log.ts';
import { ScriptedLine } from '../fakes/scripted-line.ts';
import { type Life, VirtualClock } from '../fakes/virtual-clock.ts';

const START = Date.UTC(2026, 2, 1);
const HOUR = 3_600_000;
const METER = 'SP-1';

/** What the meter does to its answers from one hour to another. */
export type Oddity =
  | {
      readonly from: number;
      readonly to: number;
      readonly what: 'silent' | 'unreadable' | 'frozen';
    }
  /** Every n-th answer shows the dial shifted by so many counts: damage that looks like a dial. */
  | {
      readonly from: number;
      readonly to: number;
      readonly what: 'damaged';
      readonly by: number;
      readonly every: number;
    }
  /** The dial stands so many counts further on (or back) while it lasts. */
  | { readonly from: number; readonly to: number; readonly what: 'shifted'; readonly by: number }
  /** Another encoder answers: always, or every other time. */
  | {
      readonly from: number;
      readonly to: number;
      readonly what: 'stranger';
      readonly id: string;
      readonly every: number;
    };

export interface Scenario {
  readonly story: string;
  readonly hours: number;
  readonly dial: Dial;
  /** Dial at the beginning, and counts an hour from the hours given on. */
  readonly begin: number;
  readonly flow: readonly { readonly from: number; readonly per_h: number }[];
  readonly max_flow_per_h: number;
  readonly stuck_days?: number;
  readonly oddities?: readonly Oddity[];
  /** From this hour on another meter stands there. */
  readonly swapped?: {
    readonly at: number;
    readonly digits: number;
    readonly begin: number;
    readonly per_h: number;
    readonly id: string;
  };
  readonly commands?: readonly {
    readonly at: number;
    readonly name: string;
    readonly args?: Readonly<Record<string, unknown>>;
  }[];
  readonly outages?: readonly { readonly from: number; readonly to: number }[];
}

const ID = '10000001';

/** What the head-end heard, a line each: hours, gaps and events in the order of their rows. */
export async function play(scenario: Scenario): Promise<string> {
  const stage = new Stage(scenario);
  await stage.play();
  return stage.heard();
}

class Stage {
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock(START);
  readonly #broker = new MemoryBroker(this.#clock);
  readonly #medium = new Medium();
  readonly #vault = new MemoryVault(this.#medium);
  #answers = 0;
  #names = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  async play(): Promise<void> {
    const { hours, commands = [], outages = [] } = this.#scenario;
    let [life, collector] = await this.#start();
    const acts = [
      ...commands.map(({ at, name, args }) => ({
        at,
        act: async () => {
          const answer = await this.#clock.runUntil(
            collector.commands.run(name, { meter: METER, ...args }),
          );
          if (!answer.ok) throw new Error(`${name}: ${answer.message}`);
        },
      })),
      ...outages.flatMap(({ from, to }) => [
        {
          at: from,
          act: async () => {
            life.halt();
            this.#broker.vanish();
            this.#medium.crash();
          },
        },
        {
          at: to,
          act: async () => {
            [life, collector] = await this.#start();
          },
        },
      ]),
    ].sort((a, b) => a.at - b.at);
    for (const { at, act } of acts) {
      await this.#clock.run(START + at * HOUR);
      await act();
    }
    await this.#clock.run(START + (hours + 0.5) * HOUR);
    await this.#clock.runUntil(collector.stop());
    assertRules(this.#broker.received);
  }

  heard(): string {
    const rows = this.#broker.received.flatMap(({ topic, payload }): object[] => {
      if (!/\/(?:interval|event)$/.test(topic)) return [];
      const message = JSON.parse(payload) as Record<string, unknown>;
      if (message['type'] === 'event') {
        const { v, type, epoch, collector, meter, ...event } = message;
        return [{ event: event['code'], ...event }];
      }
      const { inst } = message;
      const entries = [...(message['gaps'] as object[]), ...(message['intervals'] as object[])];
      return entries.map((entry) => ({ inst, ...entry }));
    });
    const byRow = new Map(rows.map((row) => [Number((row as { row?: unknown }).row), row]));
    return [...byRow.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, row]) => `${JSON.stringify(row)}\n`)
      .join('');
  }

  async #start(): Promise<[Life, RunningCollector]> {
    const life = this.#clock.life();
    const wire = life.wire();
    const line = new ScriptedLine(wire);
    line.answer(() => this.#answer());
    const starting = runCollector(this.#settings(), {
      commandCheck: COMMAND_CHECK,
      expiries: async () => [],
      ...{
        clock: life,
        wire,
        log: new RecordingLog(),
        serve: null,
        writeFile: async () => good(0),
        version: 'test',
      },
      headEnd: this.#broker.headEnd({ clock: wire }),
      vault: this.#vault,
      openBus: () =>
        createLineBus({ line, clock: wire, timeoutMs: 1_000, reopenMaxMs: 1_000, random: () => 0 }),
      newName: () => {
        this.#names += 1;
        return `NAME${this.#names}`;
      },
    });
    return [life, await this.#clock.runUntil(starting)];
  }

  #answer() {
    this.#answers += 1;
    const hour = (this.#clock.trueNow() - START) / HOUR;
    const odd = (this.#scenario.oddities ?? []).find(({ from, to }) => hour >= from && hour < to);
    const { id, digits, dial } = this.#dialAt(odd?.what === 'frozen' ? odd.from : hour);
    const turn = 10 ** digits;
    const text = (shown: number) => String(((shown % turn) + turn) % turn).padStart(digits, '0');
    const frame = (shown: string, name = id) =>
      digits === 4 ? `R${shown}${name.slice(0, 8)}\r` : `V;RB${shown};IB${name}\r`;
    const said = (bytes: string) => [{ bytes, afterMs: 200 }];
    switch (odd?.what) {
      case 'silent':
        return [];
      case 'unreadable':
        return said(frame(`${text(dial).slice(0, -1)}?`));
      case 'shifted':
        return said(frame(text(dial + odd.by)));
      case 'damaged':
        return said(frame(text(this.#answers % odd.every === 0 ? dial + odd.by : dial)));
      case 'stranger':
        return said(this.#answers % odd.every === 0 ? frame(text(77), odd.id) : frame(text(dial)));
      default:
        return said(frame(text(dial)));
    }
  }

  /** The meter that stands there, and its dial. */
  #dialAt(hour: number): { id: string; digits: number; dial: number } {
    const { dial, begin, flow, swapped } = this.#scenario;
    if (swapped && hour >= swapped.at) {
      const passed = Math.floor((hour - swapped.at) * swapped.per_h);
      return { id: swapped.id, digits: swapped.digits, dial: swapped.begin + passed };
    }
    const passed = flow.reduce((sum, { from, per_h }, i) => {
      const to = Math.min(hour, flow[i + 1]?.from ?? hour);
      return sum + Math.max(0, to - from) * per_h;
    }, 0);
    return { id: ID, digits: dial.digits, dial: begin + Math.floor(passed + 1e-9) };
  }

  #settings(): Settings {
    const { dial, max_flow_per_h, stuck_days = 10 } = this.#scenario;
    const serial = { path: '', baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
    return {
      ...{ utility: 'test', collector: 'COL-1', data: '', control: '', logLevel: 'info' },
      time: { speed: 1, real: 0, simulated: 0, sync: 'assumed' },
      upstream: {
        ...{ url: '', protocol: 'auto', keepaliveS: 30, ackTimeoutS: 30, backlogPerS: 10 },
        ...{
          ack: 'auto',
          commands: { operate: true, configure: true },
          smearS: 0,
          reconnectMaxS: 60,
        },
      },
      journal: {
        ...{ commitS: 60, ballastMb: 8, incrementDays: 45, hourDays: 400, eventDays: 400 },
        ...{ maxMb: 1024, minFreeMb: 64, writeMbPerDay: 40 },
      },
      buses: [{ bus: 'b', type: 'line-serial', serial, timeoutMs: 1_000, reopenMaxMs: 1_000 }],
      meters: [
        {
          ...{
            meter: METER,
            bus: 'b',
            profile: { ...lineProfile('ui1203', CR_FRAMING), request: '#{address}\r', dial },
            dial,
            address: '1',
          },
          ...{ registerId: ID, service: 'active', pollS: 900, toleranceS: 15, jitter: 1 },
          maxFlowPerH: max_flow_per_h,
          stuckDays: stuck_days,
        },
      ],
    };
  }
}
