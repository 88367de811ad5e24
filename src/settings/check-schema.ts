// A parsed file against its JSON Schema: fills the defaults in, and says every breach in plain words at its place.

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Source } from './parse-yaml.ts';
import { pointerTo } from './parse-yaml.ts';
import { nearest, type Problem, type ProblemCode } from './problems.ts';

export type Schema = ValidateFunction<unknown>;

/** Compiling takes tens of milliseconds, and the same file is asked for again by whoever checks many settings. */
const COMPILED = new Map<string, Schema>();

/** Compiles a JSON Schema (2020-12). The schema is the only place where defaults stand. Throws on a broken schema: our bug. */
export function compileSchema(text: string): Schema {
  const known = COMPILED.get(text);
  if (known) return known;
  const compiled = compile(text);
  COMPILED.set(text, compiled);
  return compiled;
}

function compile(text: string): Schema {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    verbose: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
  });
  return ajv.compile(JSON.parse(text) as Record<string, unknown>);
}

/** Checks `source.data` and fills its defaults in. Returns all breaches; empty when the file has the schema's shape. */
export function checkSchema(source: Source, schema: Schema): Problem[] {
  if (schema(source.data)) return [];
  const errors = schema.errors ?? [];
  const mistyped = new Set(errors.filter((e) => e.keyword === 'type').map((e) => e.instancePath));
  const problems = errors
    .filter((e) => e.keyword === 'type' || !mistyped.has(e.instancePath))
    .flatMap((error) => toProblem(error, source));
  return withoutEchoes(problems);
}

/** A misspelt key is not reported once more as missing under its right name. */
function withoutEchoes(problems: readonly (Problem & { holder: string })[]): Problem[] {
  const meant = new Set(
    problems.filter((p) => p.code === 'key.unknown').map((p) => `${p.holder} ${p.suggestion}`),
  );
  return problems
    .filter((p) => p.code !== 'key.missing' || !meant.has(`${p.holder} ${p.suggestion}`))
    .map(({ holder: _, ...problem }) => {
      if (problem.code !== 'key.missing') return problem;
      const { suggestion: __, ...missing } = problem;
      return missing;
    });
}

type Found = { code: ProblemCode; message: string; suggestion?: string };

function toProblem(error: ErrorObject, source: Source): (Problem & { holder: string })[] {
  const pointer = error.instancePath;
  const made = (found: Found, place: { line: number; column: number }) => [
    { file: source.file, holder: pointer, ...place, ...found },
  ];
  switch (error.keyword) {
    case 'if':
      return []; // Its `then` has said what is wrong.
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      return made(unknownKey(key, error), source.placeOfKey(pointerTo(pointer, key)));
    }
    case 'false schema':
      return made(misplacedKey(pointer, source), source.placeOfKey(pointer));
    case 'required': {
      const key = String(error.params['missingProperty']);
      const message = `The key "${key}" is missing here.`;
      // The suggestion is only for withoutEchoes.
      return made({ code: 'key.missing', message, suggestion: key }, source.placeOf(pointer));
    }
    default:
      return made(wrongValue(error, source), source.placeOf(pointer));
  }
}

function unknownKey(key: string, error: ErrorObject): Found {
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
  const suggestion = nearest(key, known);
  const message =
    suggestion === undefined
      ? `The key "${key}" is unknown here; known are ${known.join(', ')}.`
      : `The key "${key}" is unknown here.`;
  return { code: 'key.unknown', message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function misplacedKey(pointer: string, source: Source): Found {
  const cut = pointer.lastIndexOf('/');
  const holder = pointer.slice(0, cut);
  const type = source.writtenAs(`${holder}/type`);
  const profile = source.writtenAs(`${holder}/profile`);
  const kind = type === undefined ? `profile "${profile}"` : `type "${type}"`;
  const whose = type === undefined && profile === undefined ? 'here' : `to the ${kind}`;
  const message = `The key "${pointer.slice(cut + 1)}" does not belong ${whose}.`;
  return { code: 'key.misplaced', message };
}

function wrongValue(error: ErrorObject, source: Source): Found {
  const written = source.writtenAs(error.instancePath) ?? '';
  const name = nameOf(error.instancePath);
  switch (error.keyword) {
    case 'type':
      return wrongType(error, name, written);
    case 'const':
      return oneOf([error.params['allowedValue']], name, written);
    case 'enum':
      return oneOf(error.params['allowedValues'] as unknown[], name, written);
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return { code: 'value.range', message: `${name} is ${written}, but ${range(error)}.` };
    case 'pattern':
    case 'minLength':
    case 'maxLength': {
      const rule = String(error.parentSchema?.['description'] ?? error.message);
      return { code: 'value.pattern', message: `${name} must be ${rule}.` };
    }
    case 'minItems':
    case 'maxItems':
      return { code: 'list.length', message: `The list ${name} ${error.message}.` };
    default:
      return { code: 'value.type', message: `${name} ${error.message}.` };
  }
}

function wrongType(error: ErrorObject, name: string, written: string): Found {
  const wanted = [error.schema as string | string[]].flat();
  if (error.data === null) return { code: 'value.missing', message: `${name} has no value.` };
  const scalar = typeof error.data !== 'object';
  if (scalar && wanted.includes('string')) {
    // YAML 1.2 reads 0012345 as the number 12345: the zeros that belong to an identification are lost.
    const message = `${name} reads as a ${typeof error.data}, not as text: put it in quotes.`;
    return { code: 'value.quote', message, suggestion: written };
  }
  const kinds: Record<string, string> = {
    object: 'a map of keys',
    array: 'a list',
    string: 'text',
  };
  const kind = wanted.map((one) => kinds[one] ?? `a ${one}`).join(' or ');
  return {
    code: 'value.type',
    message: `${name} must be ${kind.replace('a integer', 'a whole number')}.`,
  };
}

function oneOf(allowed: readonly unknown[], name: string, written: string): Found {
  const words = allowed.map(String);
  const code = name === 'version' ? 'version.unknown' : 'value.enum';
  // A newer file is not a misspelt old one.
  const suggestion = code === 'value.enum' ? nearest(written, words) : undefined;
  const message = `${name} is "${written}", but must be ${orList(words)}.`;
  return { code, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function range(error: ErrorObject): string {
  const { minimum, maximum, exclusiveMinimum } = error.parentSchema ?? {};
  if (minimum !== undefined && maximum !== undefined) {
    return `must be between ${minimum} and ${maximum}`;
  }
  if (exclusiveMinimum !== undefined) return `must be more than ${exclusiveMinimum}`;
  return minimum === undefined ? `must be at most ${maximum}` : `must be at least ${minimum}`;
}

function orList(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function nameOf(pointer: string): string {
  const step = pointer.slice(pointer.lastIndexOf('/') + 1);
  if (pointer === '') return 'The file';
  return /^\d+$/.test(step) ? 'This entry' : step;
}
