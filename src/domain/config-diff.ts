// What differs between two settings files as they are said, and what of it a running collector cannot take in.

/** One difference: `path` as in "/meters/SP-1/poll_s", null where there is nothing. */
export interface ConfigChange {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  /** It takes a restart: whose journal it is, where files and doors are, what the time is. */
  readonly restart: boolean;
}

/** The key by which an entry of a list is named; a list without one is compared whole. */
const NAMED: Readonly<Record<string, string>> = { '/buses': 'bus', '/meters': 'meter' };

/** The journal is opened once, by one name, with its doors beside it; clocks are read from the start on. */
const WITH_RESTART = [
  ...['/version', '/collector', '/data', '/control', '/time', '/console'],
  ...['/journal/commit_s', '/journal/ballast_mb'],
];

/** The differences in the order of the files; a bus or meter that comes or goes is one. */
export function configChanges(before: unknown, after: unknown, path = ''): readonly ConfigChange[] {
  if (isSame(before, after)) return [];
  const key = NAMED[path];
  const [one, other] = [before, after].map((said) => (key ? named(said, key) : said));
  if (!isPlain(one) || !isPlain(other)) {
    const restart = WITH_RESTART.some((held) => path === held || path.startsWith(`${held}/`));
    return [{ path, before: before ?? null, after: after ?? null, restart }];
  }
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((name) => configChanges(one[name], other[name], `${path}/${name}`));
}

/** A list as an object by its entries' names; as it is where it is none. */
function named(said: unknown, key: string): unknown {
  if (!Array.isArray(said)) return said ?? {};
  return Object.fromEntries(said.map((entry) => [String(entry?.[key]), entry]));
}

const isPlain = (said: unknown): said is Readonly<Record<string, unknown>> =>
  typeof said === 'object' && said !== null && !Array.isArray(said);

/** Order of keys says nothing. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((entry, i) => isSame(entry, other[i]));
  }
  if (!isPlain(one) || !isPlain(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]));
}
