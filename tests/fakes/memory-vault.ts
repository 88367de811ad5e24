// A vault in memory over a memory store's medium: its mark survives restarts, and nothing is kept to repair from.

import type { Vault } from '../../src/boundaries.ts';
import { good } from '../../src/domain/fault.ts';
import type { Medium } from './memory-store.ts';

export class MemoryVault implements Vault {
  readonly #medium: Medium;
  mark: string | undefined;
  readonly quarantined: (readonly [key: string, value: string])[] = [];

  constructor(medium: Medium) {
    this.#medium = medium;
  }

  open() {
    return this.#medium.open();
  }

  signs() {
    return [];
  }

  heard() {
    return Promise.resolve();
  }

  salvage() {
    return Promise.resolve(good(undefined));
  }

  mistrust() {}

  release() {
    return Promise.resolve();
  }

  readMark() {
    return Promise.resolve(good(this.mark));
  }

  writeMark(text: string) {
    this.mark = text;
    return Promise.resolve(good(undefined));
  }

  quarantine(records: readonly (readonly [key: string, value: string])[]) {
    this.quarantined.push(...records);
    return Promise.resolve();
  }

  reserve() {
    return Promise.resolve();
  }
}
