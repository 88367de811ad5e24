// The door for the command line: Commands served and called over HTTP on a Unix socket that only its owner may open.

import { chmodSync } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { CommandAnswer, Commands } from '../boundaries.ts';
import { AT_WORK_MAX, Callers } from './callers.ts';
import { makeFolder } from './files.ts';

/** Arguments of a command are a few names and times. */
const BODY_BYTES_MAX = 64 * 1024;
/** A year of hours of one meter is about 2 MB; more than this is not an answer of ours. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** A caller that dawdles holds its own connection only, and not for long. */
const REQUEST_TIMEOUT_MS = 10_000;
/** The longest command reads a whole journal, after a scrub that reads it too. */
const ANSWER_TIMEOUT_MS = 600_000;

const PATH = '/v1/commands/';

/** An open door. `problem` says in words why nobody can come in, if so: a reason to log, not to stop reading meters. */
export interface ControlSocket {
  readonly problem: string | null;
  /** Cuts what is being answered, and takes the socket away. */
  close(): Promise<void>;
}

/**
 * Serves `commands` on the Unix socket `path`, mode 0600. A socket file that nobody answers on, left by a crash, is
 * replaced; one that answers, and any file that is no socket, is left alone. Never rejects.
 * To be called by the holder of the journal's lock, so that no two processes replace a stale file at once.
 */
export async function serveCommands(path: string, commands: Commands): Promise<ControlSocket> {
  const callers = new Callers();
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    },
    (incoming, outgoing) => void serve(incoming, outgoing, commands, callers),
  );
  server.on('connection', (socket) => callers.add(socket));
  const closed = { close: async () => undefined };
  try {
    await makeFolder(dirname(path), 0o700);
    await listen(server, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' || !(await isStale(path))) throw error;
      await unlink(path);
      await listen(server, path);
    });
  } catch (error) {
    return { problem: inWords(error as NodeJS.ErrnoException, path), ...closed };
  }
  server.on('error', () => undefined);
  return { problem: null, close: () => close(server) };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    server.listen(path);
    // The file is there as soon as `listen` returns; nobody can have connected before it is closed to others.
    if (server.listening) chmodSync(path, 0o600);
  });
}

/** True when the file is a socket and the kernel says that no process listens on it. */
async function isStale(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const caller = connect(path);
    caller.once('connect', () => {
      caller.destroy();
      resolve(false);
    });
    caller.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

function inWords(error: NodeJS.ErrnoException, path: string): string {
  if (error.code === 'EADDRINUSE') return `${path} is in use by another program`;
  return `${path} cannot be opened: ${error.code ?? error.message}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  commands: Commands,
  callers: Callers,
): Promise<void> {
  const [status, answer] = await answerTo(incoming, commands, callers);
  // A body that was not read to its end leaves the connection without a next request.
  outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  outgoing.end(JSON.stringify(answer));
}

async function answerTo(
  incoming: IncomingMessage,
  commands: Commands,
  callers: Callers,
): Promise<[status: number, answer: CommandAnswer]> {
  const { method, url = '' } = incoming;
  if (method !== 'POST' || !url.startsWith(PATH)) {
    return [404, refusal('bad_request', `Ask by POST ${PATH}NAME.`)];
  }
  const body = await textOf(incoming, BODY_BYTES_MAX);
  if (body === null) {
    return [413, refusal('bad_request', `A command has at most ${BODY_BYTES_MAX} bytes.`)];
  }
  const args = parsed(body);
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return [400, refusal('bad_request', 'The arguments must be a JSON object.')];
  }
  const { socket } = incoming;
  if (!callers.begin(socket)) {
    return [503, refusal('busy', `${AT_WORK_MAX} commands are being answered.`, 'Try again.')];
  }
  try {
    const name = decodeURIComponent(url.slice(PATH.length));
    return [200, await commands.run(name, args as Record<string, unknown>)];
  } catch (error) {
    return [500, refusal('internal', String((error as Error).message))];
  } finally {
    callers.end(socket);
  }
}

/** The whole text, or null as soon as it is longer than allowed or breaks off. */
async function textOf(incoming: IncomingMessage, bytesMax: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) return null;
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(code: string, message: string, hint = ''): CommandAnswer {
  return { ok: false, code, message, hint };
}

/**
 * The Commands of the daemon on the socket `path`. Beside the daemon's own codes an answer may be `daemon.absent`
 * (nobody listens there), `daemon.denied` (another user's socket) or `daemon.silent` (no whole answer in time).
 */
export function callCommands(path: string): Commands {
  return {
    run: (name, args) =>
      new Promise((resolve) => {
        const failed = (error: NodeJS.ErrnoException) => resolve(unanswered(error, path));
        const outgoing = request({
          socketPath: path,
          method: 'POST',
          path: PATH + encodeURIComponent(name),
          agent: false,
          timeout: ANSWER_TIMEOUT_MS,
        });
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
        outgoing.on('error', failed);
        outgoing.on('response', (incoming) => {
          void textOf(incoming, ANSWER_BYTES_MAX).then((text) => {
            const answer = text === null ? undefined : parsed(text);
            if (isAnswer(answer)) resolve(answer);
            else failed(new Error('not a whole answer'));
          });
        });
        outgoing.end(JSON.stringify(args));
      }),
  };
}

function isAnswer(answer: unknown): answer is CommandAnswer {
  return typeof (answer as { ok?: unknown } | null | undefined)?.ok === 'boolean';
}

function unanswered(error: NodeJS.ErrnoException, path: string): CommandAnswer {
  switch (error.code) {
    // connect(2): no such file, a file nobody listens on.
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return refusal('daemon.absent', `No collector listens on ${path}.`);
    case 'EACCES':
    case 'EPERM':
      return refusal('daemon.denied', `This user may not use ${path}.`);
    default:
      return refusal('daemon.silent', `The collector on ${path} did not answer: ${error.message}.`);
  }
}
