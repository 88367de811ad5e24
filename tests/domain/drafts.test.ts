// A copy made field by field has all that was copied, and changing it changes nothing else.

import { expect, it } from 'vitest';
import { draftOfHour, firstHour } from '../../src/domain/hours.ts';
import { draftOf, newInstallation } from '../../src/domain/installation.ts';
import { draftOfUsage, NO_USAGE } from '../../src/domain/usage/usage.ts';

/** As the original, with something of its own in each field. */
function marked<T extends object>(original: T): T {
  return Object.fromEntries(Object.keys(original).map((key, i) => [key, { i }])) as T;
}

const EDGE = { seq: 0, at: 0, read: 0, total: 0 };

it.each([
  ['an installation', marked(newInstallation(1)), draftOf],
  ['an open hour', marked(firstHour(EDGE, [])), draftOfHour],
  [
    'an open hour with beginnings taken',
    marked({ ...firstHour(EDGE, []), taken: [1] }),
    draftOfHour,
  ],
  ['what a place has used', marked(NO_USAGE), draftOfUsage],
] as const)(
  'a draft of %s has all its fields, in their order, and is another',
  (_, state, draft) => {
    const copy = (draft as (one: object) => object)(state);
    expect(copy).not.toBe(state);
    expect(Object.entries(copy)).toEqual(Object.entries(state));
  },
);
