// Cross checks of the console's settings: nobody reaches it over a network in clear text unless the owner says so.

import { resolve } from 'node:path';
import { type Findings, record, text } from './findings.ts';
import type { ConsoleSettings } from './settings.ts';

/** The collector makes its own certificate, once, in its data folder. */
const SELF_SIGNED = 'self-signed';
const OWN_CERTIFICATE = 'console.crt';
const OWN_KEY = 'console.key';

/** The file's shape after its schema has passed it. */
export interface RawConsole {
  readonly listen: string;
  readonly tls?: typeof SELF_SIGNED | { readonly cert_file: string; readonly key_file: string };
  readonly insecure: boolean;
  readonly allowed_hosts?: readonly string[];
}

const PORT_MAX = 65_535;

/** What the schema takes; it has said so where this is none. */
const LISTEN = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/;

/** Host, without brackets, and port of `listen`. */
function partsOf(listen: string): { host: string; port: number } {
  const cut = listen.lastIndexOf(':');
  return {
    host: listen.slice(0, cut).replace(/^\[|\]$/g, ''),
    port: Number(listen.slice(cut + 1)),
  };
}

const isLoopback = (host: string) => /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/.test(host);

export function checkConsole(data: unknown, findings: Findings): void {
  const said = record(data)['console'];
  if (said === undefined) return;
  const raw = record(said);
  const listen = text(raw['listen']);
  if (listen === undefined || !LISTEN.test(listen)) return;
  const { host, port } = partsOf(listen);
  const pointer = '/console/listen';
  if (port > PORT_MAX) {
    const message = `listen ends in a port, 0 to ${PORT_MAX}.`;
    findings.problem({ code: 'value.range', pointer, message });
  }
  if (isLoopback(host) || raw['tls'] !== undefined) return;
  const message = `Passwords would cross the network to ${host} in clear text`;
  if (raw['insecure'] === true) {
    findings.warning({ code: 'console.clear_text', pointer, message: `${message}; use "tls".` });
    return;
  }
  const ways = 'say "tls: self-signed", listen on 127.0.0.1, or say "insecure: true"';
  findings.problem({ code: 'console.clear_text', pointer, message: `${message}: ${ways}.` });
}

/** `folder` is the settings file's, `data` the data folder. */
export function toConsole(raw: RawConsole, folder: string, data: string): ConsoleSettings {
  const { tls, allowed_hosts: allowedHosts = [] } = raw;
  return {
    ...partsOf(raw.listen),
    ...(tls && { tls: toTls(tls, folder, data) }),
    allowedHosts,
  };
}

function toTls(
  tls: NonNullable<RawConsole['tls']>,
  folder: string,
  data: string,
): NonNullable<ConsoleSettings['tls']> {
  if (tls === SELF_SIGNED) {
    const [certFile, keyFile] = [resolve(data, OWN_CERTIFICATE), resolve(data, OWN_KEY)];
    return { certFile, keyFile, isOwn: true };
  }
  return { certFile: resolve(folder, tls.cert_file), keyFile: resolve(folder, tls.key_file) };
}
