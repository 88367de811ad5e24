// A line bridge with several encoders behind it: asked "#ADDRESS" CR, it passes that encoder's frame on; or a device that speaks unasked.

import type { Service } from './ports.ts';

/** A request without its CR: an address of at most 32 characters after the last '#'. */
const REQUEST = /#([^#\n]{1,32})$/;

/** Characters kept while no CR has come: more than any request has, so that noise costs nothing. */
const UNHEARD_MAX = 64;

/** The whole frame of the encoder at an address, or null when nothing answers there. */
export type LineDevices = (address: string) => Uint8Array | null;

/** Answers requests on a byte stream. What stands before '#' is noise; an unknown address stays silent. */
export function lineBridge(devices: LineDevices): Service {
  return (send) => {
    let heard = '';
    const answer = (line: string): void => {
      const request = REQUEST.exec(line);
      const frame = request && devices(request[1] as string);
      if (frame !== null) send(frame);
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

/** A device that says its frame every `everyMs` to whoever listens, and hears nothing. */
export function speaker(frame: () => Uint8Array | null, everyMs: number): Service {
  return (send) => {
    const timer = setInterval(() => {
      const said = frame();
      if (said !== null) send(said);
    }, everyMs);
    return { receive: () => undefined, end: () => clearInterval(timer) };
  };
}
