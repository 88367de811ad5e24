// Faults of buses and of meters: noise, late and strange answers, ports that go, dials that are read wrong or are others.

import type { Random } from '../../simulator/random.ts';
import { type FaultKind, freePlace, HOUR, MINUTE, oneOf } from './fault-kind.ts';
import type { HostileWorld } from './hostile-world.ts';
import { bodyOf, FINE, type Ills, meterOf, type Place, putIn } from './street.ts';
import type { BusIlls } from './wires.ts';

const LINES = ['bus-1', 'bus-2'];
const RTU = ['bus-3'];
const TCP = ['bus-4'];
const ALL = [...LINES, ...RTU, ...TCP];

type Share = Exclude<keyof BusIlls, 'unplugged' | 'stuck'>;

/** For some hours a share of a bus's answers is spoilt; each spoilt answer counts. */
function spoilt(
  id: string,
  means: string,
  share: Share,
  buses: readonly string[],
  most: number,
): FaultKind {
  return {
    ...{ id, means, perDay: [0.3, 2] },
    strike(world, chance) {
      const ills = world.busIlls.get(oneOf(buses, chance) ?? '');
      if (!ills) return;
      const part = chance.between(0.1 * most, most);
      ills[share] += part;
      if (share === 'echo') world.hit(id);
      world.later(chance.between(0.3, 10) * HOUR, () => {
        ills[share] = Math.max(0, ills[share] - part);
      });
    },
  };
}

/** For a while a place has an ill; each beginning counts. */
function ailing(
  id: string,
  means: string,
  ill: keyof Ills,
  fits: (place: Place) => boolean,
  mostHours: number,
  alone = false,
): FaultKind {
  return {
    ...{ id, means, perDay: [0.4, 4] },
    strike(world, chance) {
      const place = freePlace(world, chance, fits);
      if (!place) return;
      world.hit(id);
      const since = chance.whole(1, 4); // Which exception it answers, where it does.
      place.ills[ill] += since;
      if (alone) world.taken.add(meterOf(place));
      if (ill === 'shared') place.wasShared = true;
      world.later(chance.between(0.02, mostHours) * HOUR, () => {
        place.ills[ill] -= since;
        if (alone) world.taken.delete(meterOf(place));
      });
    },
  };
}

const isLine = ({ kind }: Place) => kind === 'line';
const isFine = ({ settings }: Place) => settings.dial.digits === FINE.digits;

/** No flow explains so much, however long nobody read; and no error of the clock. */
const APART = 2_000_000;

function areApart(one: Place, other: Place, world: HostileWorld): boolean {
  const [a, b] = [one, other].map((place) => bodyOf(place).registerAt(world.trueNow()));
  const capacity = 10 ** FINE.digits;
  const forward = ((b as number) - (a as number) + capacity) % capacity;
  return forward > APART && capacity - forward > APART;
}

/** The technician says that another meter stands there, again and again until the collector has it on its medium. */
async function tellChangeOut(world: HostileWorld, place: Place): Promise<boolean> {
  const { registerId, dial } = bodyOf(place);
  const old = place.bodies.at(-2);
  if (old) old.counts.set(old.registerAt(world.trueNow()), old.countAt(world.trueNow()));
  const answer = await world.ask('changeout', {
    ...{ meter: meterOf(place), register_id: registerId, by: 'technician' },
    ...{ digits: dial.digits, unit: dial.unit, pow10: dial.pow10 },
    // He has read the dial that he took away, so nothing of its water is missed.
    ...(old && { final: old.registerAt(world.trueNow()), force: true }),
  });
  return answer !== undefined;
}

/** Until it is told the new meter's address is not wired (`dark`), or it answers and is doubted. */
async function changeOut(world: HostileWorld, place: Place, dark: boolean): Promise<void> {
  let before: number | undefined;
  const tell = async (): Promise<void> => {
    const inst = (await world.standing(place))?.inst;
    before ??= inst;
    // A word whose answer was lost may have been heeded.
    const isDone = inst !== undefined && before !== undefined && inst > before;
    if (!isDone && (inst === undefined || !(await tellChangeOut(world, place)))) {
      world.later(5 * MINUTE, tell);
      return;
    }
    if (dark) place.ills.silent -= 1;
    await free();
  };
  // Before its first reading nobody could tell the new meter from another that answered in its place.
  const free = async (): Promise<void> => {
    const { read } = (await world.standing(place)) ?? { read: null };
    if (read === null) world.later(5 * MINUTE, free);
    else world.taken.delete(meterOf(place));
  };
  await tell();
}

export const BUS_FAULTS: readonly FaultKind[] = [
  spoilt('F26', 'bits turned over on a line of text', 'damaged', LINES, 0.2),
  spoilt('F26m', 'bits turned over on an RTU line', 'damaged', RTU, 0.2),
  spoilt('F26n', 'noise before an answer', 'noise', LINES, 0.4),
  spoilt('F27', 'an answer of an encoder after its time-out', 'late', LINES, 0.3),
  spoilt('F27t', 'an answer without its end', 'torn', LINES, 0.4),
  spoilt('F27g', 'an answer said twice in one', 'glued', LINES, 0.4),
  spoilt('F27s', 'an answer in two pieces', 'split', LINES, 0.5),
  spoilt('F29', 'bytes without any end', 'endless', LINES, 0.2),
  spoilt('F34e', 'the adapter hears its own question', 'echo', LINES, 1),
  spoilt('F33', 'a Modbus answer after its time-out', 'late', [...RTU, ...TCP], 0.3),
  spoilt('F34', 'another transaction or unit than was asked', 'misnumbered', TCP, 0.4),
  spoilt('F36g', 'bytes on TCP that are no Modbus', 'noise', TCP, 0.2),
  spoilt('F36s', 'a Modbus answer in two segments', 'split', TCP, 0.5),
  spoilt('F36d', 'a Modbus answer sent twice', 'glued', TCP, 0.4),
  {
    id: 'F30',
    means: 'a port is pulled out, or a peer is gone, and comes back',
    perDay: [0.3, 4],
    strike(world, chance) {
      const bus = oneOf(ALL, chance) ?? '';
      const ills = world.busIlls.get(bus);
      if (!ills) return;
      world.hit('F30');
      ills.unplugged += 1;
      world.replug(bus);
      world.later(chance.between(0.005, 8) * HOUR, () => {
        ills.unplugged -= 1;
        world.replug(bus);
      });
    },
  },
  {
    id: 'F31',
    means: 'a port or a half-open peer takes everything and says nothing',
    perDay: [0.3, 3],
    strike(world, chance) {
      const ills = world.busIlls.get(oneOf(ALL, chance) ?? '');
      if (!ills) return;
      world.hit('F31');
      ills.stuck = true;
      world.later(chance.between(0.01, 4) * HOUR, () => {
        ills.stuck = false;
      });
    },
  },
  ailing('F36', 'a meter is silent', 'silent', () => true, 20),
  ailing('F36l', 'a meter answers, half of the time after its time-out', 'late', () => true, 10),
  ailing('F41', 'a wheel stands between two digits', 'unreadable', isLine, 10),
  ailing('F43', 'an encoder sends other digits than its dial has', 'misshapen', isLine, 10),
  ailing('F35x', 'a Modbus device refuses', 'exceptions', (place) => !isLine(place), 8),
  ailing('F45', 'another encoder answers at the address', 'strangers', isLine, 6, true),
  ailing('F45d', 'two encoders answer at one address, by turns', 'shared', isLine, 6, true),
  {
    id: 'F45s',
    means: 'the cables of two meters are swapped, and put right',
    perDay: [0.2, 1.5],
    strike(world, chance) {
      const one = freePlace(world, chance, isFine);
      const fits = (place: Place) =>
        place !== one && isFine(place) && place.kind === one?.kind && areApart(one, place, world);
      const other = one && freePlace(world, chance, fits);
      if (!one || !other) return;
      world.hit('F45s');
      const meters = [one, other].map(meterOf);
      for (const meter of meters) world.taken.add(meter);
      one.wired = other;
      other.wired = one;
      for (const place of [one, other]) place.wasSwapped = true;
      world.later(chance.between(0.1, 12) * HOUR, () => {
        one.wired = one;
        other.wired = other;
        for (const meter of meters) world.taken.delete(meter);
      });
    },
  },
  {
    id: 'F39',
    means: 'a dial runs back',
    perDay: [0.3, 2],
    strike: (world, chance) => leaveWater(world, chance, 'F39'),
  },
  {
    id: 'F40',
    means: 'a dial stands still while water flows',
    perDay: [0.3, 2],
    strike: (world, chance) => leaveWater(world, chance, 'F40'),
  },
  {
    id: 'F44',
    means: 'a dial jumps beyond what can have flowed, and jumps back',
    perDay: [0.3, 2],
    strike(world, chance) {
      const place = freePlace(world, chance, isFine);
      if (!place) return;
      world.hit('F44');
      const meter = meterOf(place);
      const body = bodyOf(place);
      const by = chance.whole(APART, 3 * APART);
      world.taken.add(meter);
      body.jump(by);
      world.later(chance.between(0.05, 12) * HOUR, () => {
        body.jump(-by);
        world.taken.delete(meter);
      });
    },
  },
  {
    id: 'F42',
    means: 'a meter is changed, and the collector is told before the new one is wired',
    perDay: [0.2, 1],
    strike(world, chance) {
      const place = freePlace(world, chance);
      if (!place) return;
      world.hit('F42');
      world.taken.add(meterOf(place));
      place.ills.silent += 1;
      // What was asked before is answered by then, or never.
      world.later(5 * MINUTE, () => {
        const id = isLine(place) ? `7${chance.digits(7)}` : null;
        putIn(place, id, Math.floor(world.trueNow()));
        world.later(chance.between(1, 30) * MINUTE, () => changeOut(world, place, true));
      });
    },
  },
  {
    id: 'F42u',
    means: 'a meter is changed and nobody says so for hours',
    perDay: [0.2, 1],
    strike(world, chance) {
      const place = freePlace(world, chance, (one) => isLine(one) && !one.wasShared);
      if (!place) return;
      world.hit('F42u');
      world.taken.add(meterOf(place));
      putIn(place, `8${chance.digits(7)}`, Math.floor(world.trueNow()));
      world.later(chance.between(1, 14) * HOUR, () => changeOut(world, place, false));
    },
  },
];

function leaveWater(world: HostileWorld, chance: Random, id: 'F39' | 'F40'): void {
  const place = freePlace(world, chance);
  if (!place) return;
  world.hit(id);
  const body = bodyOf(place);
  const most = isFine(place) ? 300 : 4;
  body.leaveWater(world.trueNow(), id === 'F39' ? chance.between(0.2 * most, most) : 0);
  world.later(chance.between(0.3, 6) * HOUR, () => body.rejoinWater(world.trueNow()));
}
