// One content has one text, whoever writes it, so that its hash means it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical.ts';

describe('canonical JSON', () => {
  it('has its keys in order, no spaces, and none of what is absent', () => {
    const content = { b: [2, { d: null, c: 'ñ"' }], a: 1.5, 10: true, x: undefined };
    expect(canonicalJson(content)).toBe('{"10":true,"a":1.5,"b":[2,{"c":"ñ\\"","d":null}]}');
  });

  it('says what JSON says, and the same in whatever order it was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (content) => {
        const text = canonicalJson(content);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(content)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
    const turned = Object.fromEntries(Object.entries({ a: 1, b: 2, c: 3 }).reverse());
    expect(canonicalJson(turned)).toBe(canonicalJson({ a: 1, b: 2, c: 3 }));
  });
});
