// The `mqtt` package by itself: prepared messages through its own publish, the next as each is acknowledged.

import mqtt from 'mqtt';
import type { Sent } from './raw-socket.ts';

/** Messages a second, with the options and properties that the collector gives its own, `window` un-acknowledged at a time. */
export async function mqttJsRate(
  port: number,
  messages: readonly Sent[],
  window: number,
): Promise<number> {
  const client = await mqtt.connectAsync({
    ...{ protocol: 'mqtt', host: '127.0.0.1', port, protocolVersion: 5, clientId: 'bare' },
    ...{ reconnectPeriod: 0, queueQoSZero: false },
  });
  const properties = { contentType: 'application/json', payloadFormatIndicator: true };
  const begun = performance.now();
  await new Promise<void>((done, fail) => {
    let next = 0;
    let acknowledged = 0;
    const send = () => {
      const message = messages[next];
      next += 1;
      if (message) client.publish(message.topic, message.payload, { qos: 1, properties }, heard);
    };
    const heard = (error?: Error | null) => {
      if (error) return fail(error);
      acknowledged += 1;
      if (acknowledged === messages.length) done();
      send();
    };
    client.on('error', fail);
    for (let i = 0; i < window; i += 1) send();
  });
  const seconds = (performance.now() - begun) / 1_000;
  await client.endAsync(true);
  return messages.length / seconds;
}
