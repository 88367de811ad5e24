// A settings file with some of its values changed, comments and order kept, and checked as a whole before anybody writes it.

import { type Document, isSeq, parseDocument } from 'yaml';
import { crc32 } from '../codec/crc32.ts';
import { loadSettings } from './load-settings.ts';
import { NotUtf8, readBounded } from './load-source.ts';

/** One change. In the lists of buses and meters a name stands for the entry; one that is not there yet is added. */
export interface EditStep {
  readonly path: readonly string[];
  /** Absent: the value is taken out. */
  readonly value?: unknown;
}

/** The file as it would be. */
export type Edited =
  | {
      readonly ok: true;
      /** Names the file's content before and after. */
      readonly revBefore: string;
      readonly rev: string;
      readonly text: string;
      /** The settings as the file says them. */
      readonly said: unknown;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly revBefore: string | null; readonly problems: readonly string[] };

/** The key by which an entry of a list is named. */
const NAMED: Readonly<Record<string, string>> = { buses: 'bus', meters: 'meter' };

/** More names fill the screen, and are in the file. */
const NAMES_TOLD = 20;

/** Changes nothing on the disk. `root` is the package's folder. */
export async function editSettings(options: {
  readonly file: string;
  readonly root: string;
  readonly steps: readonly EditStep[];
  /** What the file would say; absent: what it says. */
  readonly text?: string;
}): Promise<Edited> {
  const { file, root, steps } = options;
  let before: string;
  try {
    before = options.text ?? (await readBounded(file));
  } catch (cause) {
    return {
      ok: false,
      revBefore: null,
      problems: [
        cause instanceof NotUtf8
          ? `line ${cause.place.line}: ${cause.message}`
          : `${file}: ${String((cause as Error).message)}`,
      ],
    };
  }
  const revBefore = revOf(before);
  const document = parseDocument(before);
  try {
    for (const { path, value } of steps) {
      const place = placeOf(document.toJS(), path);
      if (value === undefined) takeOut(document, place, path);
      else {
        unfold(document, path[0] ?? '');
        document.setIn(place, document.createNode(value));
      }
    }
  } catch (cause) {
    if (cause instanceof NoSuchEntry) return { ok: false, revBefore, problems: [cause.message] };
    const words = `${steps.map(({ path }) => path.join('/')).join(', ')}: ${(cause as Error).message}`;
    return { ok: false, revBefore, problems: [words] };
  }
  const text = steps.length === 0 ? before : rewritten(before, document);
  const checked = await loadSettings({ file, root, readText: async () => text });
  if (!checked.ok) {
    const problems = checked.problems.map(({ line, message, suggestion }) => {
      const meant = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
      return `line ${line}: ${message}${meant}`;
    });
    return { ok: false, revBefore, problems };
  }
  const warnings = checked.warnings.map(({ message }) => message);
  return {
    ok: true,
    revBefore,
    rev: revOf(text),
    text,
    said: parseDocument(text).toJS(),
    warnings,
  };
}

/** Throws where there is nothing to be taken out: a key that was misspelt would seem to be gone. */
function takeOut(document: Document, place: readonly (string | number)[], path: readonly string[]) {
  if (!document.hasIn(place)) throw new NoSuchEntry(`There is nothing at /${path.join('/')}.`);
  document.deleteIn(place);
}

/** An empty list (`meters: []`) gets its first entry on a line of its own, as people write it. */
function unfold(document: Document, key: string): void {
  const list = document.get(key, true);
  if (isSeq(list) && list.items.length === 0) list.flow = false;
}

/** A line that is a comment and nothing else. */
const COMMENT = /^( *)(#.*)$/;

/**
 * The document's text, its comments as far in as they were: one that stands between two sections, such as a section that is
 * switched off by it, would be moved into the section before it, and be of no use there.
 */
function rewritten(before: string, document: Document): string {
  const text = document.toString({ lineWidth: 0 });
  const indents = new Map<string, string>();
  for (const line of before.split('\n')) {
    const [, indent, comment] = COMMENT.exec(line) ?? [];
    if (comment !== undefined && indent !== undefined) indents.set(comment, indent);
  }
  const kept = text
    .split('\n')
    .map((line) => {
      const [, , comment = ''] = COMMENT.exec(line) ?? [];
      return indents.has(comment) ? `${indents.get(comment)}${comment}` : line;
    })
    .join('\n');
  // In a text over several lines a line may look like a comment and be none.
  const isSame = JSON.stringify(parseDocument(kept).toJS()) === JSON.stringify(document.toJS());
  return isSame ? kept : text;
}

/** A name that no bus or meter has, or a place where nothing stands. */
class NoSuchEntry extends Error {}

/** The path with numbers for names in lists. Throws for a path that leads nowhere. */
function placeOf(said: unknown, path: readonly string[]): (string | number)[] {
  const [list = '', name, ...rest] = path;
  const key = NAMED[list];
  if (key === undefined || name === undefined) return [...path];
  const entries = (said as Record<string, unknown> | null)?.[list];
  if (!Array.isArray(entries)) throw new Error(`there are no ${list}`);
  const at = entries.findIndex((entry) => (entry as Record<string, unknown>)[key] === name);
  if (at < 0 && rest.length > 0) {
    const names = entries.map((entry) => String((entry as Record<string, unknown>)[key]));
    const known = names.slice(0, NAMES_TOLD).join(', ') || 'none';
    throw new NoSuchEntry(`There is no ${key} ${name}. Known are ${known}.`);
  }
  return [list, at < 0 ? entries.length : at, ...rest];
}

function revOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
