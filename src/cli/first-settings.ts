// The text of a first settings file: what was answered, with comments in the language of the session.

import type { Manner } from './parts.ts';

export type FirstBus = { readonly bus: string } & (
  | {
      readonly type: 'line-serial' | 'modbus-rtu';
      readonly serial: { readonly path: string; readonly baud: number; readonly parity: string };
    }
  | {
      readonly type: 'line-tcp' | 'modbus-tcp';
      readonly peer: { readonly host: string; readonly port: number };
    }
);

export interface FirstSettings {
  readonly utility: string;
  readonly collector: string;
  readonly broker: string;
  /** Folder of the journal. */
  readonly data: string;
  /** The control socket where it is not in that folder. */
  readonly control: string | null;
  readonly bus: FirstBus;
  /** Where the web console listens; null: there is none. */
  readonly listen: string | null;
}

/** YAML. Meters come with commissioning. */
export function firstSettings(settings: FirstSettings, { say }: Manner): string {
  const { utility, collector, broker, data, control, bus, listen } = settings;
  const note = (key: string) =>
    say(`cli.y_${key}`)
      .split('\n')
      .map((line) => `# ${line}`);
  return [
    ...note('head'),
    '',
    'version: 1',
    '',
    ...note('who'),
    `utility: ${quoted(utility)}`,
    `collector: ${quoted(collector)}`,
    '',
    ...note('data'),
    `data: ${quoted(data)}`,
    ...(control === null ? [] : [`control: ${quoted(control)}`]),
    '',
    ...note('upstream'),
    'upstream:',
    `  url: ${quoted(broker)}`,
    ...note('upstream_more').map((line) => `  ${line}`),
    '',
    ...note('console'),
    listen === null
      ? '# console: { listen: "127.0.0.1:8080" }'
      : `console: { listen: ${JSON.stringify(listen)}${isLoopback(listen) ? '' : ', tls: self-signed'} }`,
    '',
    ...note('buses'),
    'buses:',
    ...busLines(bus).map((line, i) => `  ${i === 0 ? '- ' : '  '}${line}`),
    '',
    ...note('meters'),
    'meters: []',
    '',
  ].join('\n');
}

/** Elsewhere passwords would cross a network in clear text. */
const isLoopback = (listen: string) => /^(127\.[\d.]+|localhost|\[::1\]):/.test(listen);

function busLines(bus: FirstBus): string[] {
  const head = [`bus: ${quoted(bus.bus)}`, `type: ${bus.type}`];
  if ('peer' in bus) return [...head, `host: ${quoted(bus.peer.host)}`, `port: ${bus.peer.port}`];
  const { path, baud, parity } = bus.serial;
  return [...head, `path: ${quoted(path)}`, `baud: ${baud}`, `parity: ${parity}`];
}

/** A word that YAML reads as the text it is, else in double quotes (JSON's are YAML's). */
function quoted(text: string): string {
  const isPlain =
    /^[A-Za-z./][A-Za-z0-9_./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
