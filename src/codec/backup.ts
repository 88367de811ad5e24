// A backup of a journal as lines of text: who it is of, record by record, and at the end a check sum over all of it.

import type { EpochMs } from '../domain/units.ts';
import { crc32 } from './crc32.ts';

const FORMAT = 'meter-collector-backup';
const VERSION = 1;

export interface BackupHead {
  readonly collector: string;
  readonly epoch: string;
  /** The highest row given. */
  readonly rows: number;
  readonly at: EpochMs;
}

export type StoredRecord = readonly [key: string, value: string];

/** Writes lines, each ended by a line feed. */
export class BackupWriter {
  #crc = 0;
  #records = 0;

  head(head: BackupHead): string {
    return this.#line({ format: FORMAT, v: VERSION, ...head });
  }

  record(record: StoredRecord): string {
    this.#records += 1;
    return this.#line(record);
  }

  end(): string {
    return this.#line({ records: this.#records, crc: this.#crc });
  }

  #line(content: unknown): string {
    const line = `${JSON.stringify(content)}\n`;
    this.#crc = crc32(line, this.#crc);
    return line;
  }
}

/** What a line of a backup is; `damaged` says in words why it is none. */
export type BackupLine =
  | { readonly kind: 'head'; readonly head: BackupHead }
  | { readonly kind: 'record'; readonly record: StoredRecord }
  | { readonly kind: 'end' }
  | { readonly kind: 'damaged'; readonly detail: string };

/** Reads lines in their order (without their line feeds); a backup is whole when its last line is the `end`. */
export class BackupReader {
  #crc = 0;
  #records = 0;
  #lines = 0;
  #isOver = false;

  take(line: string): BackupLine {
    const content = parsed(line);
    const crc = this.#crc;
    this.#crc = crc32(`${line}\n`, crc);
    this.#lines += 1;
    if (this.#isOver || content === undefined) return this.#damaged();
    if (this.#lines === 1) return headOf(content);
    if (Array.isArray(content)) return this.#record(content);
    const { records, crc: sum } = content as { records?: unknown; crc?: unknown };
    if (records !== this.#records || sum !== crc) return this.#damaged();
    this.#isOver = true;
    return { kind: 'end' };
  }

  #record(content: readonly unknown[]): BackupLine {
    const [key, value] = content;
    if (typeof key !== 'string' || typeof value !== 'string') return this.#damaged();
    this.#records += 1;
    return { kind: 'record', record: [key, value] };
  }

  #damaged(): BackupLine {
    return { kind: 'damaged', detail: `line ${this.#lines} is damaged, or does not belong there` };
  }
}

function headOf(content: unknown): BackupLine {
  const { format, v, ...head } = content as { format?: unknown; v?: unknown } & BackupHead;
  if (format !== FORMAT) return { kind: 'damaged', detail: 'this file is no backup of a journal' };
  if (v === VERSION) return { kind: 'head', head };
  return { kind: 'damaged', detail: 'this backup was written by a newer version of the program' };
}

function parsed(line: string): object | undefined {
  try {
    const content: unknown = JSON.parse(line);
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    return undefined;
  }
}
