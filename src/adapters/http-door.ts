// An HTTP or HTTPS server on one address, within limits of size, time and number: the way in for the console's requests.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Caller, Clock } from '../boundaries.ts';
import { CONNECTIONS_MAX, Connections } from './connections.ts';
import { fileWords } from './file-words.ts';
import { Turnstile } from './turnstile.ts';

/** Cookies and what browsers say of themselves are about 1 KB. */
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 64;
/** Who takes longer to say what they want is no browser; a whole request may take a slow radio. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 15_000;
/** A page asks again within seconds, or not. */
const KEEP_ALIVE_MS = 5_000;
/** Nothing goes either way for so long: whoever reads an answer has gone. Streams have their own signs of life. */
const IDLE_MS = 60_000;
const CHECK_MS = 1_000;
/** Requests sent ahead on one connection; browsers send none. */
const AHEAD_MAX = 8;
const REQUESTS_PER_CONNECTION = 1_000;

export interface HttpDoorOptions {
  readonly host: string;
  readonly port: number;
  /** PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** The wire's. */
  readonly clock: Clock;
  readonly handle: (request: Request, caller: Caller) => Promise<Response>;
}

export interface HttpDoor {
  /** Why nobody can come in, in words. */
  readonly problem: string | null;
  /** Where it listens, as in `http://127.0.0.1:8080`; empty when it does not. */
  readonly url: string;
  close(): Promise<void>;
}

/** Opens the door, or says why it cannot be. Never rejects. */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { host, port, tls } = options;
  try {
    const server = await serverFor(options);
    await listen(server, host, port);
    server.on('error', () => undefined);
    return { problem: null, url: urlOf(server, tls !== undefined), close: () => close(server) };
  } catch (cause) {
    return { problem: inWords(cause, options), url: '', close: async () => undefined };
  }
}

async function serverFor({ tls, clock, handle }: HttpDoorOptions): Promise<Server> {
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_MS,
    noDelay: true,
  };
  const server = tls
    ? createTlsServer({
        ...limits,
        ...{ handshakeTimeout: HEADERS_MS, minVersion: 'TLSv1.2' },
        cert: await readFile(tls.certFile),
        key: await readFile(tls.keyFile),
      })
    : createServer(limits);
  server.maxHeadersCount = HEADERS_MAX;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.timeout = IDLE_MS;
  // Only against our own mistake: `connections` gives old ones up before.
  server.maxConnections = CONNECTIONS_MAX * 2;
  const connections = new Connections();
  server.on('connection', (socket: Socket) => connections.add(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    badRequest(error, socket),
  );
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  server.on('upgrade', (_incoming: IncomingMessage, socket: Socket) => socket.destroy());
  server.on('connect', (_incoming: IncomingMessage, socket: Socket) => socket.destroy());
  server.on('request', inTurn(connections, new Turnstile(clock), handle));
  return server;
}

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** One request of a connection at a time, and all in turn. */
function inTurn(
  connections: Connections,
  turnstile: Turnstile,
  handle: HttpDoorOptions['handle'],
): Listener {
  const answer = getRequestListener(
    (request, env) => handle(request, callerOf(connections, (env as Env).incoming)),
    // An answer that cannot be made was never begun: what is wrong with it is in the console's log.
    { overrideGlobalObjects: false, errorHandler: () => new Response(null, { status: 400 }) },
  );
  const queues = new WeakMap<Socket, (() => void)[]>();
  return (incoming, outgoing) => {
    const { socket } = incoming;
    const queue = queues.get(socket) ?? [];
    queues.set(socket, queue);
    if (queue.length > AHEAD_MAX) {
      socket.destroy();
      return;
    }
    const go = () => {
      if (socket.destroyed) return;
      connections.asked(socket, () => incoming.complete && !outgoing.writableFinished);
      void answer(incoming, outgoing);
    };
    const start = () => {
      if (!turnstile.enter(go)) socket.destroy();
    };
    outgoing.once('close', () => {
      queue.shift();
      queue[0]?.();
    });
    if (queue.push(start) === 1) start();
  };
}

interface Env {
  readonly incoming: IncomingMessage;
}

function callerOf(connections: Connections, { socket }: IncomingMessage): Caller {
  return {
    address: socket.remoteAddress ?? '',
    local: socket.localAddress ?? '',
    secure: 'encrypted' in socket,
    trust: () => connections.trust(socket),
    breakOff: () => void socket.destroy(),
  };
}

/** What is no HTTP, too large, or too slow, told in one line. */
function badRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const line =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf(server: Server, isTls: boolean): string {
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return `${isTls ? 'https' : 'http'}://${host}:${port}`;
}

function inWords(cause: unknown, { host, port, tls }: HttpDoorOptions): string {
  const { code = '', message = String(cause), path } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${host}:${port} is in use by another program`;
  if (code === 'EACCES' && path === undefined) return `this user may not listen on port ${port}`;
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this machine`;
  if (path !== undefined) return fileWords(cause, path);
  if (tls && /SSL|PEM|OSSL|key/i.test(`${code} ${message}`)) {
    return `${tls.certFile} and ${tls.keyFile} do not make a certificate with its key: ${message}`;
  }
  return message;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
