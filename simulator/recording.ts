// A recording of MQTT messages: one NDJSON line each, {"at","topic","qos","retain","payload"}.

import { createReadStream, createWriteStream, openSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { Message } from './contract-rules/checker.ts';
import { ofFile } from './file-words.ts';

/** Lives from its making to `close`. Throws the system's error when the file cannot be opened; `onFailure` hears a later one. */
export class Recorder {
  readonly #file: WriteStream;
  #failure: Error | undefined;

  constructor(path: string, onFailure: (error: Error) => void = () => undefined) {
    this.#file = createWriteStream(path, { fd: openSync(path, 'w') });
    this.#file.on('error', (error) => {
      this.#failure = ofFile(error, path);
      onFailure(this.#failure);
    });
  }

  add({ at, topic, qos, retain, payload }: Message): void {
    const line = { at: new Date(at).toISOString(), topic, qos, retain, payload };
    if (!this.#failure) this.#file.write(`${JSON.stringify(line)}\n`);
  }

  /** Resolves when the file holds everything. Rejects with the system's error when it does not. */
  async close(): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#file.end();
    await finished(this.#file);
  }
}

/** A file given as a recording that is none; `message` is fit for a person. */
export class NoRecording extends Error {}

function messageOf(line: string): Message | undefined {
  try {
    const { at, topic, qos, retain, payload } = JSON.parse(line);
    const time = Date.parse(at);
    if (Number.isNaN(time) || typeof topic !== 'string' || typeof payload !== 'string')
      return undefined;
    return { at: time, topic, qos: Number(qos), retain: retain === true, payload };
  } catch {
    return undefined;
  }
}

/** The messages of a file. Throws NoRecording at a line that is none, unless it is the last, torn one; or the system's error. */
export async function* readRecording(path: string): AsyncGenerator<Message> {
  let broken: number | undefined;
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    number += 1;
    if (line === '') continue;
    if (broken !== undefined) break;
    const message = messageOf(line);
    if (message === undefined) broken = number;
    else yield message;
  }
  if (broken !== undefined && (broken < number || number === 1)) {
    throw new NoRecording(`${path}, line ${broken}: this is no message of a recording.`);
  }
}
