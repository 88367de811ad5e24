// What every request must be before it is looked at: of our own host, of our own pages, of a bearable size; and what every answer says.

import type { Caller } from '../boundaries.ts';
import { BODY_BYTES_MAX } from './limits.ts';
import { type Refusal, refusal } from './refusals.ts';

/** Names under which this collector may be called, beside its own addresses. */
export interface HostNames {
  readonly names: ReadonlySet<string>;
}

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** `allowed_hosts` of the settings, the machine's own name, and what loopback is called. */
export function hostNames(allowed: readonly string[], own: readonly string[]): HostNames {
  return { names: new Set([...LOCAL, ...allowed, ...own].map((name) => name.toLowerCase())) };
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/;

/**
 * A page of somebody else's, whose name was bent to our address, has its own name in `Host` (DNS rebinding). An address
 * cannot be bent: the one that was called is as good as a name.
 */
export function hostProblem(
  host: string | undefined,
  url: URL,
  { names }: HostNames,
  { local }: Caller,
): Refusal | null {
  if (host === undefined) return refusal(400, 'bad_request', 'The request names no host.');
  const [, name] = HOST.exec(host.toLowerCase()) ?? [];
  const isOwn = name !== undefined && (names.has(name) || name === inUrl(local));
  // A request line that names another host than the header is nobody's mistake.
  if (isOwn && url.host === hostIn(url.protocol, host)) return null;
  const hint = 'Add the name to console.allowed_hosts, or use the address of the collector.';
  return refusal(421, 'host.foreign', 'That is not a name of this collector.', hint);
}

/** As a URL has it, without the scheme's own port. */
function hostIn(protocol: string, host: string): string | null {
  const text = `${protocol}//${host}`;
  return URL.canParse(text) ? new URL(text).host : null;
}

function inUrl(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return plain.includes(':') ? `[${plain.toLowerCase()}]` : plain;
}

const FOREIGN = refusal(403, 'origin.foreign', 'Another page asked for that.', 'Open the console.');
const NOT_JSON = refusal(415, 'bad_request', 'The body must be application/json.');

/**
 * Browsers say where a request comes from, and no page can make them lie: `Sec-Fetch-Site` (Fetch Metadata), and
 * `Origin` with everything that is not a plain GET. Without both it is no browser of today; then a body must still be
 * JSON, which no form can send.
 */
export function originProblem(method: string, headers: Headers, url: URL): Refusal | null {
  const isAsking = method === 'GET' || method === 'HEAD';
  const origin = headers.get('origin');
  if (origin !== null && origin !== url.origin) return FOREIGN;
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && !(isAsking && site === 'none')) return FOREIGN;
  // A DELETE is never sent for another site without asking first, and has no body.
  const isBare = method === 'DELETE' && Number(headers.get('content-length') ?? 0) === 0;
  if (isAsking || (isBare && !headers.has('transfer-encoding'))) return null;
  const [type = ''] = (headers.get('content-type') ?? '').toLowerCase().split(';');
  return type.trim() === 'application/json' ? null : NOT_JSON;
}

const TOO_LARGE = refusal(413, 'bad_request', `A body has at most ${BODY_BYTES_MAX} bytes.`);
const NO_METHOD = refusal(405, 'bad_request', 'Not in this way.');

/** What is said to be too large is not begun; a HEAD of what only programs ask for has no use. */
export function shapeProblem(method: string, headers: Headers): Refusal | null {
  if (Number(headers.get('content-length') ?? 0) > BODY_BYTES_MAX) return TOO_LARGE;
  return method === 'HEAD' ? NO_METHOD : null;
}
const NOT_AN_OBJECT = refusal(400, 'bad_request', 'The body must be a JSON object.');

/** The body as an object; an absent one is empty. */
export async function readBody(
  request: Request,
): Promise<{ readonly args: Readonly<Record<string, unknown>> } | Refusal> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      if (bytes > BODY_BYTES_MAX) return TOO_LARGE;
      pieces.push(piece);
    }
    const whole = new Uint8Array(bytes);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(whole);
    const args: unknown = text.trim() === '' ? {} : JSON.parse(text);
    const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
    return isObject ? { args: args as Readonly<Record<string, unknown>> } : NOT_AN_OBJECT;
  } catch {
    return NOT_AN_OBJECT;
  }
}

/** No script, style, font or picture from anywhere else, none inside the page, and no page of others around it. */
const POLICY = [
  ...["default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  "object-src 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cache-control': 'no-store',
};

/** Adds what every answer says, unless it says otherwise itself. */
export function guarded(response: Response): Response {
  for (const [name, text] of Object.entries(HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, text);
  }
  return response;
}
