// What a person does to a meter: change-outs, doubted readings, dials read by eye, meters put out of service.

import type { Clock, CommandAnswer, Journal, Watches } from '../boundaries.ts';
import { futureHours, heed, type Word } from '../domain/advance.ts';
import { classify } from '../domain/register.ts';
import { type Counts, capacity, type Dial, VOLUME_UNITS } from '../domain/units.ts';
import { type MeteredPlace, momentOf, standing } from '../pipeline.ts';
import { type Answerer, type Args, refused, unknownMeter } from './answer.ts';

export interface Operating {
  readonly clock: Clock;
  readonly places: ReadonlyMap<string, MeteredPlace>;
  /** Watches over leaks and use; absent where nobody does. */
  readonly watches?: Watches;
}

/**
 * What each takes, beside `meter` and `by`. A key that is none of these was meant for something: a change-out whose final dial is
 * misspelt would leave water out of the bill, so nothing is done.
 */
const KEYS = {
  changeout: [
    ...['inst', 'final', 'initial', 'force'],
    ...['digits', 'unit', 'pow10', 'register_id', 'body_serial'],
  ],
  'meter.disable': [],
  'meter.enable': [],
  'meter.maintenance': ['off'],
  'reading.confirm': [],
  'reading.reject': [],
  'reading.add': ['read', 'force'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The commands of this file by name. */
export function createOperations(
  journal: Journal,
  operating: Operating,
): Readonly<Record<string, Answerer>> {
  const named = deeds(journal, operating);
  const kept = Object.entries(named).map(([name, answerer]): [string, Answerer] => [
    name,
    async (args) => strangeKey(name as keyof typeof KEYS, args) ?? answerer(args),
  ]);
  return Object.fromEntries(kept);
}

function strangeKey(name: keyof typeof KEYS, args: Args): CommandAnswer | null {
  const taken = ['meter', 'by', ...KEYS[name]];
  const strange = Object.keys(args).find((key) => args[key] !== undefined && !taken.includes(key));
  if (strange === undefined) return null;
  const message = `${name} takes no "${strange.slice(0, 40)}".`;
  return refused('bad_request', message, `It takes ${taken.join(', ')}.`);
}

function deeds(
  journal: Journal,
  operating: Operating,
): Readonly<Record<keyof typeof KEYS, Answerer>> {
  const word = (make: (args: Args) => Word | CommandAnswer): Answerer => {
    return async (args) => {
      const meant = make(args);
      return 'ok' in meant ? meant : say(journal, operating, args, meant);
    };
  };
  return {
    changeout: (args) => changeOut(journal, operating, args),
    'meter.disable': word(() => ({ kind: 'disable' })),
    'meter.enable': word(() => ({ kind: 'enable' })),
    'meter.maintenance': word(({ off = false }) =>
      typeof off === 'boolean'
        ? { kind: off ? 'resume' : 'maintain' }
        : refused('bad_request', 'off is true or false.', ''),
    ),
    'reading.confirm': word(() => ({ kind: 'vouch' })),
    'reading.reject': word(() => ({ kind: 'reject' })),
    'reading.add': (args) => addReading(journal, operating, args),
  };
}

/** The meter's place with what stands there now, or the refusal. */
export function placeOf(
  journal: Journal,
  { places }: Operating,
  { meter }: Args,
): MeteredPlace | CommandAnswer {
  const place = typeof meter === 'string' ? places.get(meter) : undefined;
  if (!place || !journal.installation(place.target.meter)) {
    return unknownMeter([...places.keys()], textOf(meter));
  }
  return standing(place, journal);
}

async function say(
  journal: Journal,
  operating: Operating,
  args: Args,
  word: Word,
): Promise<CommandAnswer> {
  const place = placeOf(journal, operating, args);
  if ('ok' in place) return place;
  const { meter } = place.target;
  const before = journal.installation(meter);
  if (!before) return refused('busy', 'The journal cannot be written now.', 'Try again.');
  if ((word.kind === 'vouch' || word.kind === 'reject') && before.suspect === null) {
    return refused(
      'conflict',
      `No reading of ${meter} is doubted.`,
      'See "meter-collector events".',
    );
  }
  const moment = momentOf(operating.clock);
  const ahead = futureHours(before, moment, place.rules, journal.heldFrom(meter));
  const entries = ahead === null ? [] : await journal.publishedFrom(meter, ahead);
  const state = journal.installation(meter);
  if (state?.inst !== before.inst) {
    return refused('busy', 'The journal cannot be written now.', 'Try again.');
  }
  const told = { entries, held: journal.heldFrom(meter) };
  journal.commit(meter, heed(state, word, moment, place.rules, told));
  return written(journal, { meter, did: word.kind });
}

/** Good only when it is on the medium. */
export async function written(journal: Journal, data: object): Promise<CommandAnswer> {
  const flushed = await journal.flush();
  if (flushed.ok) return { ok: true, data };
  return refused('internal', `It could not be written: ${flushed.fault.detail}.`, 'Try again.');
}

/** A dial typed by a person: digits only, no more than the dial has. */
function typedDial(typed: unknown, dial: Dial): Counts | null {
  const text = typeof typed === 'number' ? String(typed) : typed;
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) return null;
  const counts = Number(text);
  return counts < capacity(dial) ? counts : null;
}

async function addReading(
  journal: Journal,
  operating: Operating,
  args: Args,
): Promise<CommandAnswer> {
  const place = placeOf(journal, operating, args);
  if ('ok' in place) return place;
  return takeTyped(journal, operating, place, args['read'], args);
}

function badDial({ digits }: Dial): CommandAnswer {
  const message = `The dial must be given as up to ${digits} digits, without point or unit.`;
  return refused('bad_request', message, `For example ${'0'.repeat(Math.max(0, digits - 4))}1234.`);
}

/**
 * `changeout` {meter, final?, inst?, ...}: another meter stands there. The old installation ends at its newest reading or at the `final` dial, the new one begins
 * at its own first reading. A `final` that the flow limit cannot explain is refused unless `force` says it is right.
 */
async function changeOut(
  journal: Journal,
  operating: Operating,
  args: Args,
): Promise<CommandAnswer> {
  const place = placeOf(journal, operating, args);
  if ('ok' in place) return place;
  const { meter } = place.target;
  const dial = newDial(args, place.rules.dial);
  if (dial === null) {
    const message = 'The new dial must have 3 to 12 digits, a known unit and a whole power of ten.';
    return refused('bad_request', message, `Units are ${VOLUME_UNITS.join(', ')}.`);
  }
  const present = journal.facts(meter)?.inst ?? null;
  const meant = typeof args['inst'] === 'number' ? args['inst'] : present;
  const kept = (await journal.paper(`changeout/${meter}`)) as object | undefined;
  const ended =
    notStanding(journal, meter, meant) ??
    (await takeFinal(journal, operating, place, args)) ??
    // Meanwhile somebody else may have said it, or the journal may have failed.
    notStanding(journal, meter, meant);
  if (ended) return ended;
  const facts = journal.facts(meter);
  const last = journal.installation(meter)?.last ?? null;
  const registerId = textOf(args['register_id']);
  journal.changeOut(
    meter,
    {
      dial,
      registerId,
      bodySerial: textOf(args['body_serial']),
      told: {
        final: last?.read ?? null,
        total: last?.total ?? null,
        initial_typed: textOf(args['initial']),
        old_id: facts?.registerId ?? null,
        new_id: registerId,
        digits: dial.digits,
        pow10: dial.pow10,
        unit: dial.unit,
        by: textOf(args['by']),
      },
    },
    place.rules,
  );
  const inst = journal.facts(meter)?.inst ?? null;
  // In the same group: who goes on with it on another phone does not do it twice.
  if (kept) journal.keepPaper(`changeout/${meter}`, { ...kept, step: 'initial', inst });
  return written(journal, {
    ...{ meter, inst },
    final: last?.read ?? null,
  });
}

/** The old dial as typed; the refusal where it is none. */
async function takeFinal(
  journal: Journal,
  operating: Operating,
  place: MeteredPlace,
  args: Args,
): Promise<CommandAnswer | null> {
  const { final } = args;
  if (final === undefined) return null;
  const taken = await takeTyped(journal, operating, place, final, args);
  return taken.ok ? null : taken;
}

/** The refusal where another installation stands there than is meant, or nobody can tell. */
function notStanding(journal: Journal, meter: string, meant: number | null): CommandAnswer | null {
  if (!journal.isSound()) {
    return refused('busy', 'The journal cannot be written now.', 'Try again.');
  }
  const present = journal.facts(meter)?.inst ?? null;
  if (present === meant) return null;
  const message = `${meter} was changed out already: installation ${present} stands there.`;
  return refused('conflict', message, 'See what is known of it: meter show');
}

/** Takes in a dial typed by a person; one that the flow limit cannot explain only with `force`. */
async function takeTyped(
  journal: Journal,
  operating: Operating,
  place: MeteredPlace,
  typed: unknown,
  args: Args,
): Promise<CommandAnswer> {
  const { meter } = place.target;
  const register = typedDial(typed, place.rules.dial);
  if (register === null) return badDial(place.rules.dial);
  const last = journal.installation(meter)?.last;
  if (last && args['force'] !== true) {
    const elapsedMs = Math.max(0, operating.clock.now() - last.at);
    const { kind } = classify(last.read, register, elapsedMs, place.rules);
    if (kind !== 'none' && kind !== 'forward') {
      const message = `The dial ${register} does not follow the last reading ${last.read}.`;
      return refused('verify_failed', message, 'Read it again; if it is right, add --force.');
    }
  }
  const by = textOf(args['by']);
  return say(journal, operating, args, { kind: 'read', register, by });
}

function newDial(args: Args, before: Dial): Dial | null {
  const { digits = before.digits, unit = before.unit, pow10 = before.pow10 } = args;
  const known = VOLUME_UNITS.find((one) => one === unit);
  const counts = wholeIn(digits);
  const power = wholeIn(pow10);
  if (!known || counts === null || power === null) return null;
  if (counts < 3 || counts > 12 || Math.abs(power) > 6) return null;
  return { digits: counts, unit: known, pow10: power };
}

/** A whole number, or its digits as they were typed. What is empty is no 0: as a power of ten it would be another bill. */
function wholeIn(said: unknown): number | null {
  const number = typeof said === 'string' && /^-?\d{1,2}$/.test(said) ? Number(said) : said;
  return typeof number === 'number' && Number.isInteger(number) ? number : null;
}

export function textOf(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' ? text.slice(0, 80) : null;
}
