// A line bridge with several encoders behind it: asked "#ADDRESS" CR, it answers with that encoder's UI-1203 message.

import type { Service } from './ports.ts';

/** A request without its CR: an address of at most 32 characters after the last '#'. */
const REQUEST = /#([^#\n]{1,32})$/;

/** Characters kept while no CR has come: more than any request has, so that noise costs nothing. */
const UNHEARD_MAX = 64;

/** The message of the encoder at an address, without its CR, or null when nothing answers there. */
export type LineDevices = (address: string) => string | null;

/** The fixed form: R, four digits of the reading, eight characters of identification (encoders.md 1.2). */
export function fixedMessage(register: number, id: string): string {
  return `R${String(register).padStart(4, '0')}${id}`;
}

/** The variable form: fields by tag, here the reading in eight digits and the identification (encoders.md 1.3). */
export function variableMessage(register: number, id: string): string {
  return `V;RB${String(register).padStart(8, '0')};IB${id}`;
}

/** Answers requests on a byte stream. What stands before '#' is noise; an unknown address stays silent. */
export function lineBridge(devices: LineDevices): Service {
  return (send) => {
    let heard = '';
    const answer = (line: string): void => {
      const request = REQUEST.exec(line);
      const message = request && devices(request[1] as string);
      if (message !== null) send(Buffer.from(`${message}\r`, 'latin1'));
    };
    return {
      receive: (chunk) => {
        const lines = (heard + Buffer.from(chunk).toString('latin1')).split('\r');
        heard = (lines.pop() as string).slice(-UNHEARD_MAX);
        for (const line of lines) answer(line);
      },
      end: () => {
        heard = '';
      },
    };
  };
}
