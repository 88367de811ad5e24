// Cross checks of the collector itself: its names, its way to the broker, its time, its control socket.

import { resolve } from 'node:path';
import { dayOf } from '../domain/usage/civil.ts';
import { type Findings, record, text } from './findings.ts';
import { nearest } from './problems.ts';

/** sun_path of Linux holds 108 bytes, the last a zero; a longer path is cut or refused by the kernel (unix(7)). */
export const SOCKET_PATH_BYTES_MAX = 107;

const SCHEMES: Readonly<Record<string, string>> = {
  tcp: 'mqtt',
  ssl: 'mqtts',
  tls: 'mqtts',
  mqtt: 'mqtt',
  mqtts: 'mqtts',
  'mqtt+ssl': 'mqtts',
};

/** Checks everything that is not a bus or a meter. `folder` is where relative paths start. */
export function checkCollector(data: unknown, folder: string, findings: Findings): void {
  const settings = record(data);
  checkReserved(settings, findings);
  checkControl(settings, folder, findings);
  checkTime(record(settings['time']), findings);
  checkUpstream(record(settings['upstream']), findings);
}

function checkReserved(settings: Readonly<Record<string, unknown>>, findings: Findings): void {
  // contract.md, Topics: `_headend` stands in the place of a collector's id.
  if (settings['collector'] !== '_headend') return;
  const message = 'The name "_headend" belongs to the head-end.';
  findings.problem({ code: 'value.reserved', pointer: '/collector', message });
}

/** Where the control socket is: said, or in the journal's folder. */
export function controlPath(settings: Readonly<Record<string, unknown>>, folder: string): string {
  const control = text(settings['control']);
  if (control !== undefined) return resolve(folder, control);
  return resolve(folder, text(settings['data']) ?? '', 'control.sock');
}

function checkControl(
  settings: Readonly<Record<string, unknown>>,
  folder: string,
  findings: Findings,
): void {
  const path = controlPath(settings, folder);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  const said = text(settings['control']) !== undefined;
  const message = `The control socket's path ${path} has ${bytes} bytes, but Linux takes ${SOCKET_PATH_BYTES_MAX}; set "control" to a shorter path.`;
  findings.problem({ code: 'control.too_long', pointer: said ? '/control' : '/data', message });
}

function checkTime(time: Readonly<Record<string, unknown>>, findings: Findings): void {
  for (const key of ['real', 'simulated']) {
    const instant = text(time[key]);
    if (instant === undefined || isInstant(instant)) continue;
    const message = `${key} is not a date of the calendar.`;
    findings.problem({ code: 'value.time', pointer: `/time/${key}`, message });
  }
  const origins = [time['real'], time['simulated']].filter((one) => one !== undefined).length;
  const scaled = typeof time['speed'] === 'number' && time['speed'] !== 1;
  if (origins === 2 || (origins === 0 && !scaled)) return;
  const message = 'A time that is not the system\'s needs both "real" and "simulated".';
  findings.problem({ code: 'time.origin', pointer: '/time', message, atKey: true });
}

/** Date.parse takes February 30 for March 2. */
function isInstant(text: string): boolean {
  return !Number.isNaN(Date.parse(text)) && dayOf(text.slice(0, 10)) !== null;
}

function checkUpstream(upstream: Readonly<Record<string, unknown>>, findings: Findings): void {
  const url = text(upstream['url']);
  if (url !== undefined) checkUrl(url, upstream, findings);
  for (const [one, other] of [
    ['cert_file', 'key_file'],
    ['key_file', 'cert_file'],
  ] as const) {
    if (upstream[one] === undefined || upstream[other] !== undefined) continue;
    const message = `"${one}" needs "${other}" beside it.`;
    findings.problem({
      code: 'upstream.key_pair',
      pointer: `/upstream/${one}`,
      message,
      atKey: true,
    });
  }
  if (upstream['password_file'] !== undefined && upstream['username'] === undefined) {
    const message = '"password_file" needs "username" beside it.';
    const pointer = '/upstream/password_file';
    findings.problem({ code: 'upstream.key_pair', pointer, message, atKey: true });
  }
}

function checkUrl(
  url: string,
  upstream: Readonly<Record<string, unknown>>,
  findings: Findings,
): void {
  const pointer = '/upstream/url';
  const parsed = brokerOf(url);
  if (parsed === undefined) {
    const message = 'url must be mqtt://HOST:PORT or mqtts://HOST:PORT.';
    findings.problem({ code: 'upstream.url', pointer, message, suggestion: meantUrl(url) });
    return;
  }
  if (parsed.username !== '' || parsed.password !== '') {
    const message = 'Names and passwords do not belong in the url; use username and password_file.';
    findings.problem({ code: 'upstream.secret', pointer, message });
  }
  const near = ['127.0.0.1', 'localhost', '[::1]'].includes(parsed.hostname);
  if (parsed.protocol === 'mqtt:' && !near && upstream['password_file'] !== undefined) {
    const message = 'The password crosses the network unencrypted; use mqtts://.';
    findings.warning({ code: 'upstream.clear_text', pointer, message });
  }
}

function brokerOf(url: string): URL | undefined {
  if (!/^mqtts?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  const bare = ['', '/'].includes(parsed.pathname) && parsed.search === '' && parsed.hash === '';
  // The URL of a scheme that it does not know keeps a port 0, to which nothing connects.
  return bare && parsed.hostname !== '' && parsed.port !== '0' ? parsed : undefined;
}

/** `url` with the scheme that was probably meant, if that makes it whole. */
function meantUrl(url: string): string | undefined {
  const [, scheme, rest] = /^(?:([A-Za-z+]+):?\/\/?)?([^/].*)$/.exec(url.trim()) ?? [];
  const known = scheme === undefined ? 'mqtt' : nearest(scheme, Object.keys(SCHEMES));
  if (known === undefined || rest === undefined) return undefined;
  const candidate = `${SCHEMES[known]}://${rest}`;
  return candidate !== url && brokerOf(candidate) !== undefined ? candidate : undefined;
}
