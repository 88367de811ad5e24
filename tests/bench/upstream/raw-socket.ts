// What no client can beat: the same PUBLISH packets over a bare socket, the next written as each PUBACK comes.

import { once } from 'node:events';
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';

const PUBACK = 0x40;
const CONNACK = 0x20;

/** A message as it went out. */
export interface Sent {
  readonly topic: string;
  readonly payload: string;
}

/** Messages a second on MQTT 5 with the properties that the collector gives its own, `window` un-acknowledged at a time. */
export async function rawRate(
  port: number,
  messages: readonly Sent[],
  window: number,
): Promise<number> {
  const packets = messages.map(({ topic, payload }, i) => publishOf(topic, payload, i));
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const connack = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clientId: 'raw',
      clean: true,
      keepalive: 60,
    }),
  );
  if ((await connack)[0][0] !== CONNACK) throw new Error('the broker took no raw client');
  const begun = performance.now();
  await new Promise<void>((done, fail) => {
    let next = 0;
    let acknowledged = 0;
    let rest: Buffer = Buffer.alloc(0);
    const send = () => {
      const packet = packets[next];
      next += 1;
      if (packet) socket.write(packet);
    };
    socket.on('data', (chunk) => {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let at = 0;
      socket.cork();
      // Every PUBACK is shorter than 128 bytes: its length is one byte.
      while (at + 2 <= bytes.length && at + 2 + (bytes[at + 1] ?? 0) <= bytes.length) {
        if (bytes[at] !== PUBACK) return fail(new Error(`an unexpected packet ${bytes[at]}`));
        at += 2 + (bytes[at + 1] ?? 0);
        acknowledged += 1;
        send();
      }
      socket.uncork();
      rest = bytes.subarray(at);
      if (acknowledged === packets.length) done();
    });
    socket.on('error', fail);
    for (let i = 0; i < window; i += 1) send();
  });
  const seconds = (performance.now() - begun) / 1_000;
  socket.destroy();
  return packets.length / seconds;
}

function publishOf(topic: string, payload: string, i: number): Buffer {
  const properties = { contentType: 'application/json', payloadFormatIndicator: true };
  const messageId = (i % 65_535) + 1;
  const publish = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const;
  return generate({ ...publish, messageId, properties }, { protocolVersion: 5 });
}
