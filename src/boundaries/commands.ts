// What may be asked of a collector, for every door.

/** What technicians and the head-end may ask of a running collector; one set of handlers for every door. */
export interface Commands {
  /** Runs the named command. The answer is plain data; a refusal carries a code and a hint. Never rejects. */
  run(name: string, args: Readonly<Record<string, unknown>>): Promise<CommandAnswer>;
}

export type CommandAnswer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };
