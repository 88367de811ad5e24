// Where a collector can plug in: real pseudo-terminals with a stable name, and TCP servers on this machine.

import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ReadStream } from 'node:tty';
import * as nodePty from '@lydell/node-pty';

/** One peer's talk with a device on a byte stream. */
export interface Conversation {
  /** Bytes as they came: any number of requests, whole or in parts. */
  receive(chunk: Uint8Array): void;
  /** The peer or the port is gone. */
  end(): void;
}

/** What hangs on a port: begins a conversation with each peer. Throwing `HangUp` from `receive` drops the peer. */
export type Service = (send: (bytes: Uint8Array) => void) => Conversation;

/** Thrown by a conversation that cannot go on, as after bytes that are no frame on TCP. */
export class HangUp extends Error {}

/** A port that is plugged in. */
export interface Port {
  /** TCP port; 0 for a pseudo-terminal. */
  readonly number: number;
  /** Unplugs: the port disappears at once, the promise resolves when nothing is left of it. */
  close(): Promise<void>;
}

/** Bytes a reader may leave unread before answers are dropped, as a UART would drop them. */
const UNREAD_MAX = 65_536;

/** Peers at one TCP port; a converter takes few. */
const PEERS_MAX = 8;

/** Feeds what a stream brings into a conversation, `delayMs` late, and its answers back into the stream. */
function converse(stream: Socket, service: Service, delayMs: number): void {
  const conversation = service((bytes) => {
    if (!stream.destroyed && stream.writableLength < UNREAD_MAX) stream.write(bytes);
  });
  const hear = (chunk: Uint8Array): void => {
    if (stream.destroyed) return;
    try {
      conversation.receive(chunk);
    } catch (error) {
      if (!(error instanceof HangUp)) throw error;
      stream.destroy();
    }
  };
  stream.on('data', (chunk: Buffer) => {
    if (delayMs > 0) setTimeout(hear, delayMs, chunk);
    else hear(chunk);
  });
  // A lost peer is daily life: 'close' follows and ends the conversation.
  stream.on('error', () => undefined);
  stream.on('close', () => conversation.end());
}

interface PtyPair {
  readonly master: ReadStream;
  readonly slave: ReadStream;
  readonly ptsName: string;
}

/** Closes what else this process holds of a new terminal: Node's stream reopens it and forgets the library's own handle. */
function closeStrays(path: string, held: number): void {
  // Only Linux tells which handles are open; elsewhere one handle a plugging is lost.
  if (!existsSync('/proc/self/fd')) return;
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd !== held && targetOf(`/proc/self/fd/${name}`) === path) closeSync(fd);
  }
}

/** Where a link leads, or '' when it is gone by now. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

/**
 * Opens a pair in raw mode: no echo and no translation even before anybody sets the port up.
 * The library's own object is never destroyed: it has pid -1, and its destroy() signals that pid, which is everybody.
 */
function openPair(): { master: ReadStream; path: string; held: number } {
  const library = nodePty as unknown as { open(options: { encoding: null }): PtyPair };
  const { master, slave, ptsName } = library.open({ encoding: null });
  slave.setRawMode(true);
  // Held open so that the pair outlives a reader that closes; never read, or it would take the reader's bytes.
  const held = openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
  slave.on('error', () => undefined);
  slave.destroy();
  closeStrays(ptsName, held);
  // The library's listener throws on every error.
  master.removeAllListeners('error');
  return { master, path: ptsName, held };
}

/** A serial port: a new pseudo-terminal, reached through the symbolic link `link` as through /dev/serial/by-id. */
export function plugPseudoTerminal(link: string, service: Service, delayMs: number): Port {
  const { master, path, held } = openPair();
  rmSync(link, { force: true });
  symlinkSync(path, link);
  converse(master, service, delayMs);
  let closed: Promise<void> | undefined;
  return {
    number: 0,
    close: () => {
      closed ??= new Promise((resolve) => {
        // Another street may have its port under this name by now.
        if (targetOf(link) === path) rmSync(link, { force: true });
        if (master.closed) resolve();
        else master.once('close', () => resolve());
        master.destroy();
        closeSync(held);
      });
      return closed;
    },
  };
}

/** How long a port number that should be ours again may be busy, and how often it is tried. */
const LISTEN_PATIENCE_MS = 2000;
const LISTEN_RETRY_MS = 50;

/** Resolves to the listening server; a number just given up may be busy for a moment. */
async function listen(port: number, onPeer: (peer: Socket) => void): Promise<Server> {
  const deadline = Date.now() + LISTEN_PATIENCE_MS;
  for (;;) {
    const server = createServer({ noDelay: true }, onPeer);
    server.maxConnections = PEERS_MAX;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', resolve);
      });
      return server;
    } catch (error) {
      const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!busy || port === 0 || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, LISTEN_RETRY_MS));
    }
  }
}

/** A TCP server on 127.0.0.1; `port` 0 takes any free one. Rejects if the port stays busy. */
export async function plugTcp(port: number, service: Service, delayMs: number): Promise<Port> {
  const peers = new Set<Socket>();
  const server = await listen(port, (peer) => {
    peers.add(peer);
    peer.once('close', () => peers.delete(peer));
    converse(peer, service, delayMs);
  });
  let closed: Promise<void> | undefined;
  return {
    number: (server.address() as AddressInfo).port,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const peer of peers) peer.destroy();
      });
      return closed;
    },
  };
}
