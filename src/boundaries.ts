// The few interfaces between the collector and everything outside it, each method's promise in words: the door to their rooms.
// Down to the meters lead `line` and `bus`; in the middle stand `store`, `journal` and `watches`; up leads `head-end`, to people
// `commands` and `console`; `machine` is what all run on.

export type * from './boundaries/bus.ts';
export type * from './boundaries/commands.ts';
export type * from './boundaries/console.ts';
export type * from './boundaries/head-end.ts';
export type * from './boundaries/journal.ts';
export type * from './boundaries/line.ts';
export type * from './boundaries/machine.ts';
export type * from './boundaries/store.ts';
export type * from './boundaries/watches.ts';
export type { Register } from './domain/profile.ts';
