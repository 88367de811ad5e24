// A TCP connection to a bridge or a device: bounded in connecting, prompt in sending, kept alive while idle.

import { connect, type Socket } from 'node:net';
import type { Clock } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import type { PeerSettings } from '../settings/settings.ts';
import { within } from './bounded.ts';

/** Two retransmissions of a SYN (1 s, 3 s) fit; a black hole would keep the kernel trying for two minutes. */
const CONNECT_LIMIT_MS = 5_000;
/** Idle time before the kernel asks whether the peer still lives; Node then asks each second, ten times. */
const KEEPALIVE_MS = 10_000;

/** More than all answers that may be under way to one question each; what is longer comes in parts. */
const READ_BYTES = 8_192;

/**
 * An open socket with an error listener for life, or `peer.unreachable`. Never rejects. `hear` is given what comes, in a
 * buffer that is used again: the stream's own way would cost an allocation and a quarter more time for each answer.
 */
export async function connectPeer(
  peer: PeerSettings,
  clock: Clock,
  hear: (bytes: Uint8Array) => void,
): Promise<Result<Socket>> {
  const where = `${peer.host}:${peer.port}`;
  // Answers to one question are nearly all of one length: the view of the last is that of the next.
  let heard: Uint8Array = new Uint8Array(0);
  const socket = connect({
    host: peer.host,
    port: peer.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
    onread: {
      buffer: new Uint8Array(READ_BYTES),
      callback: (count, buffer) => {
        if (heard.length !== count) heard = buffer.subarray(0, count);
        hear(heard);
        return true;
      },
    },
  });
  const outcome = await within(
    clock,
    CONNECT_LIMIT_MS,
    new Promise<Error | null>((resolve) => {
      socket.once('connect', () => resolve(null));
      // Stays for the socket's life: an error without a listener would end the process. `close` follows it.
      socket.on('error', resolve);
    }),
  );
  if (outcome === null) return good(socket);
  socket.destroy();
  if (outcome === 'late') {
    return faulty('peer.unreachable', `${where} did not answer in ${CONNECT_LIMIT_MS} ms`);
  }
  return faulty('peer.unreachable', `${where}: ${outcome.message}`);
}
