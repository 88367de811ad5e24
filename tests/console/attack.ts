// Raw requests from a seed, each on a connection of its own: bytes, bent HTTP, lies about length, other hosts, paths and names.

import { connect } from 'node:net';
import { Random } from '../../simulator/random.ts';

/** How an attack went. */
export interface Attack {
  readonly requests: number;
  /** Answers by status; 0 where the connection was closed without one. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Answers that nobody should have had. */
  readonly strange: readonly { readonly request: string; readonly answer: string }[];
}

const AT_ONCE = 24;
/** An answer is waited for so long; the server ends what is incomplete by itself. */
const PATIENCE_MS = 20_000;

const METHODS = [
  ...['GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'],
  ...['CONNECT', 'PRI', 'get', 'BREW', ''],
];
const PATHS = [
  ...['/', '/index.html', '/api/session', '/api/commands/status', '/api/commands/config.set'],
  ...['/api/sign-in', '/api/first-run', '/api/live', '/api/backup', '/api/users', '/api/tokens/t1'],
  ...[
    '/api/commands/__proto__',
    '/api/export.csv?meter=%00',
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/',
  ],
  ...['/api//session', '/API/SESSION', '/api/users/admin', '*', 'http://evil.example/', '//x', '?'],
];
const HOSTS = [
  'localhost',
  '127.0.0.1',
  'evil.example',
  '[::1]',
  '',
  'a b',
  '127.0.0.1:99999',
  '..',
];
const HEADERS = [
  ...['Cookie: meter-collector=x', 'Cookie: meter-collector=', 'Authorization: Bearer mct_x'],
  ...['Content-Type: application/json', 'Content-Type: text/plain', 'Origin: null'],
  ...['Sec-Fetch-Site: same-origin', 'Transfer-Encoding: chunked', 'Content-Length: 5'],
  ...[
    'Content-Length: -1',
    'Content-Length: 99999999999',
    'Expect: 100-continue',
    'Connection: keep-alive',
  ],
  ...['Connection: Upgrade\r\nUpgrade: websocket', 'X-Forwarded-For: 127.0.0.1', 'Range: bytes=0-'],
  ...['Accept-Encoding: br', 'If-None-Match: *', 'Last-Event-ID: \u00e9', ': nothing', 'A'],
];
const BODIES = [
  ...[
    '',
    '{}',
    '{"user":"admin","password":"x"}',
    '{"code":"x"}',
    '[[[[',
    '{"__proto__":{}}',
    'null',
  ],
  ...['5\r\nhello\r\n0\r\n\r\n', 'ffffffff\r\nx', '0\r\n\r\nGET /api/session HTTP/1.1\r\n\r\n'],
];

/** The next raw request. */
function requestOf(random: Random): string {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
  const noise = (most: number) =>
    String.fromCharCode(
      ...Array.from({ length: Math.floor(random.next() * most) }, () =>
        Math.floor(random.next() * 256),
      ),
    );
  if (random.next() < 0.1) return noise(300);
  if (random.next() < 0.6) return plausible(pick, noise);
  const headers = [
    `Host: ${pick(HOSTS)}`,
    ...Array.from({ length: Math.floor(random.next() * 5) }, () => pick(HEADERS)),
  ];
  const path = random.next() < 0.2 ? `/${noise(40)}` : pick(PATHS);
  const version = random.next() < 0.95 ? 'HTTP/1.1' : pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']);
  const text = `${pick(METHODS)} ${path} ${version}\r\n${headers.join('\r\n')}\r\n\r\n${pick(BODIES)}`;
  if (random.next() < 0.8) return text;
  // Cut short, or with something else in the middle.
  const cut = Math.floor(random.next() * text.length);
  return text.slice(0, cut) + (random.next() < 0.5 ? noise(20) : '');
}

/** Of a request that is whole: its answer is waited for. */
const WHOLE = 'Connection: close';

/** HTTP as it should be, for what is behind the parser: routes, bodies, cookies, tokens and origins. */
function plausible(pick: <T>(all: readonly T[]) => T, noise: (most: number) => string): string {
  const method = pick(['GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']);
  const part = () =>
    pick(['status', 'backup', '..', '%00', '%2e%2e%2f', 'x'.repeat(300), encodeURI(noise(9))]);
  const path = pick([
    ...PATHS.filter((one) => one.startsWith('/')),
    `/api/${part()}`,
    `/api/users/${part()}`,
  ]);
  const body = pick([
    ...BODIES,
    JSON.stringify({ user: noise(40), password: noise(40) }),
    noise(2_000),
  ]);
  const lines = [
    `Host: ${pick(['localhost', '127.0.0.1', 'evil.example'])}`,
    `Cookie: meter-collector=${encodeURIComponent(noise(40))}`,
    `Authorization: ${pick(['Bearer mct_x', 'Basic YTpi', 'Bearer'])}`,
    `Content-Type: ${pick(['application/json', 'application/json', 'text/plain'])}`,
    pick([
      'Origin: null',
      'Sec-Fetch-Site: same-origin',
      'Sec-Fetch-Site: cross-site',
      'Accept: */*',
    ]),
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
    WHOLE,
  ];
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

function answerTo(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      if (answer.length < 4_096) answer += bytes.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(answer));
    // What may be cut short is ended, else it would be waited for.
    if (request.includes(`\r\n${WHOLE}\r\n\r\n`)) socket.write(Buffer.from(request, 'latin1'));
    else socket.end(Buffer.from(request, 'latin1'));
  });
}

/** What is no page and yet good was not for a stranger; nor is a failure of ours, or anything that proves a secret. */
function isStrange(answer: string): boolean {
  const status = statusOf(answer);
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  const isPage = /content-type: (text\/html|text\/javascript|text\/css|image\/)/i.test(answer);
  const isGood = status >= 200 && status < 300 && !isPage && body.length > 0;
  return (
    isGood ||
    (status >= 500 && status !== 503) ||
    /scrypt\$|root:|set-cookie: [^;]*=\S/i.test(answer)
  );
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

/** Sends so many requests of a seed to a port of this machine, some at once. Each ends. */
export async function attack(port: number, seed: number, requests: number): Promise<Attack> {
  const random = new Random(`attack ${seed}`);
  const statuses: Record<number, number> = {};
  const strange: { request: string; answer: string }[] = [];
  let begun = 0;
  const work = async () => {
    while (begun < requests) {
      begun += 1;
      const request = requestOf(random);
      const answer = await answerTo(port, request);
      const status = statusOf(answer);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (isStrange(answer)) strange.push({ request, answer: answer.slice(0, 400) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { requests: begun, statuses, strange };
}
