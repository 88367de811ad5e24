// The order in which the test files begin.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They take minutes: begun last they would leave all other workers with nothing to do. */
const LONGEST = [
  'world/weeks',
  'cli/technician',
  'end-to-end/',
  'console/browser/',
  'journal/damage',
];

/** The longest files first, then as vitest has them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.includes(name));
      return at < 0 ? LONGEST.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
