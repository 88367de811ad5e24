// One text for one content: JSON without spaces, keys in order, so that a hash over it means the content.

/** After RFC 8785 for what JSON can say: keys by their UTF-16 units, numbers and strings as ECMAScript writes them. */
export function canonicalJson(content: unknown): string {
  if (Array.isArray(content)) return `[${content.map(canonicalJson).join(',')}]`;
  if (typeof content !== 'object' || content === null) return JSON.stringify(content ?? null);
  const entries = Object.entries(content).filter(([, one]) => one !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`);
  return `{${pairs.join(',')}}`;
}
