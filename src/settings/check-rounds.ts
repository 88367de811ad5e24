// Says beforehand what a bus cannot do: which rounds do not fit around the hour's edge, or into the poll period.

import { missedBy, planEdge, toleranceNeeded } from '../domain/edge-plan.ts';
import type { Findings } from './findings.ts';
import { expectedReadMs } from './read-time.ts';
import type { BusSettings, MeterSettings, Settings } from './settings.ts';

/** The widest tolerance that the settings allow, in seconds. */
const TOLERANCE_MAX_S = 1_800;

/** Warns where the arithmetic of a bus does not come out; the numbers stand beside the sentence. */
export function checkRounds({ buses, meters }: Settings, findings: Findings): void {
  for (const [i, bus] of buses.entries()) {
    const here = meters.filter((meter) => meter.bus === bus.bus);
    if (here.length < 2) continue;
    // A gateway that takes several questions at once is held by each for its share.
    const reads = here.map((meter) => ({
      readMs: expectedReadMs(meter, bus) / atOnceOf(bus),
      toleranceMs: meter.toleranceS * 1000,
    }));
    const pointer = `/buses/${i}`;
    checkEdge(bus, reads, pointer, findings);
    checkPeriod(bus, here, reads, pointer, findings);
  }
}

/** Questions that a gateway takes at once where its settings say nothing (Messaging guide 4.2). */
const GATEWAY_AT_ONCE = 16;

function atOnceOf(bus: BusSettings): number {
  return bus.type === 'modbus-tcp' ? (bus.inFlight ?? GATEWAY_AT_ONCE) : 1;
}

interface Read {
  readonly readMs: number;
  readonly toleranceMs: number;
}

function checkEdge(
  bus: BusSettings,
  reads: readonly Read[],
  pointer: string,
  findings: Findings,
): void {
  const plan = planEdge(reads);
  const missed = missedBy(plan, reads);
  if (missed === 0) return;
  const tolerance = Math.min(...reads.map(({ toleranceMs }) => toleranceMs)) / 1000;
  const needed = Math.ceil(toleranceNeeded(reads) / 1000);
  const way = needed > TOLERANCE_MAX_S ? 'split' : `raise tolerance_s to ${needed} or split`;
  findings.warning({
    ...{ code: 'edge.missed', pointer },
    message: `${round(bus, reads)}; ${missed} of them cannot be read within ${tolerance} s of the hour: ${way} the bus.`,
    numbers: {
      ...roundNumbers(bus, reads),
      ...{ missed, tolerance_s: tolerance, tolerance_needed_s: needed },
    },
  });
}

function checkPeriod(
  bus: BusSettings,
  meters: readonly MeterSettings[],
  reads: readonly Read[],
  pointer: string,
  findings: Findings,
): void {
  const load = reads.reduce((sum, { readMs }, i) => sum + readMs / periodMs(meters[i]), 0);
  if (load <= 1) return;
  const poll = Math.min(...meters.map(({ pollS }) => pollS));
  const needed = Math.ceil(poll * load);
  findings.warning({
    ...{ code: 'poll.overload', pointer },
    message: `${round(bus, reads)}, ${Math.round(load * 100)} % of what their poll periods leave: raise poll_s to ${needed} or split the bus.`,
    numbers: {
      ...roundNumbers(bus, reads),
      ...{ load_percent: Math.round(load * 100), poll_s: poll, poll_needed_s: needed },
    },
  });
}

const periodMs = (meter: MeterSettings | undefined): number => (meter?.pollS ?? 1) * 1000;

function round(bus: BusSettings, reads: readonly Read[]): string {
  const { meters, round_ms, read_ms } = roundNumbers(bus, reads);
  const together = atOnceOf(bus) > 1 ? `, ${atOnceOf(bus)} at once` : '';
  const speed = 'serial' in bus ? ` at ${bus.serial.baud} baud` : '';
  return `${bus.bus}: ${meters} meters need ${seconds(round_ms)} a round${speed} (${seconds(read_ms)} each${together})`;
}

function roundNumbers(bus: BusSettings, reads: readonly Read[]) {
  const total = reads.reduce((sum, { readMs }) => sum + readMs, 0);
  const read_ms = Math.round((total * atOnceOf(bus)) / reads.length);
  return { meters: reads.length, read_ms, round_ms: Math.round(total) };
}

/** Two digits that count: 52 s, 1.3 s, 0.07 s. */
function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(2))} s`;
}
