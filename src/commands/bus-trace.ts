// `bus.trace`, `bus.trace.take`, `bus.trace.stop`: the frames of one bus, handed out piece by piece while they come.

import type { CommandAnswer, WireTrace } from '../boundaries.ts';
import { type Answerer, type Args, refused } from './answer.ts';
import { type ToldBus, unknownBus } from './bus-stats.ts';

/** A fault that comes once an hour is caught; what nobody waits for any more does not run for ever. */
const FOR_S_MAX = 3_600;
const FOR_S = 60;

/** `bus.trace` {bus, for_s} answers {bus, trace, for_s}; `take` {bus, trace, after} what came since, at most a second later. */
export function createTraces(
  buses: readonly ToldBus[] | undefined,
): Readonly<Record<string, Answerer>> {
  const over = async (args: Args, act: (trace: WireTrace) => Promise<CommandAnswer>) => {
    const trace = traceOf(buses, args);
    return 'ok' in trace ? trace : act(trace);
  };
  return {
    'bus.trace': (args) => over(args, async (trace) => start(trace, args)),
    'bus.trace.take': (args) =>
      over(args, async (trace) => {
        const { trace: number, after = 0 } = args;
        if (!isCount(number) || !isCount(after)) {
          return refused('bad_request', 'trace and after are whole numbers.', '');
        }
        return { ok: true, data: await trace.take(number, after) };
      }),
    'bus.trace.stop': (args) =>
      over(args, async (trace) => {
        if (isCount(args['trace'])) trace.stop(args['trace']);
        return { ok: true, data: { bus: args['bus'] } };
      }),
  };
}

function start(trace: WireTrace, { bus, for_s = FOR_S }: Args): CommandAnswer {
  if (typeof for_s !== 'number' || !(for_s > 0 && for_s <= FOR_S_MAX)) {
    const message = `A trace lasts for at most ${FOR_S_MAX} s.`;
    return refused('bad_request', message, `Usual are ${FOR_S} s.`);
  }
  return { ok: true, data: { bus, trace: trace.start(for_s * 1000), for_s } };
}

function traceOf(
  buses: readonly ToldBus[] | undefined,
  { bus }: Args,
): WireTrace | Extract<CommandAnswer, { ok: false }> {
  if (buses === undefined) {
    const message = 'Only a running collector hears its buses.';
    return absent(message);
  }
  const told = buses.find((one) => one.bus === bus);
  if (told === undefined) return unknownBus(buses, bus);
  return told.conversation.trace ?? absent(`${told.bus} has no wire to listen to.`);
}

function absent(message: string) {
  const hint = 'Start it: meter-collector run';
  return { ok: false, code: 'daemon.absent', message, hint } as const;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
