// `queue status` and `queue resend`: what waits for the head-end, and what is sent once more.

import type { Command } from 'commander';
import { askRunning, perform } from './ask.ts';
import { addCommand, addGroup, NAME, option, withConfig } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { badSpan, instantOf } from './intervals.ts';
import type { Desk, Manner } from './parts.ts';
import { wanted } from './questions.ts';
import { sayJson, table } from './say.ts';

interface QueueAnswer {
  readonly pending: number;
  readonly oldest: string | null;
  readonly drain_eta_s: number | null;
  readonly refused: number;
  readonly connected: boolean;
}

export function addQueue(program: Command, desk: Desk): void {
  const queue = addGroup(program, desk, 'queue', 'g_queue');
  const told = addCommand(queue, desk, {
    ...{ spec: 'status', key: 'c_queue_status', example: 'queue status' },
  });
  withConfig(told, desk).action(async ({ config }) => desk.done(await status(config, desk)));
  const again = addCommand(queue, desk, {
    spec: 'resend [meter]',
    key: 'c_queue_resend',
    example: 'queue resend SP-1 --from 2026-11-22T00:00:00Z --to 2026-11-22T06:00:00Z',
  });
  option(again, desk, '--from <time>', 'o_from_hour');
  option(again, desk, '--to <time>', 'o_to_hour');
  withConfig(again, desk).action(async (meter, { config: file, from, to }) =>
    desk.done(await resend({ file, meter, from, to }, desk)),
  );
}

async function status(file: string, { manner, io, parts }: Desk): Promise<number> {
  const answered = await askRunning({ file, name: 'queue.status' }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  const answer = answered.data as QueueAnswer;
  if (manner.json) sayJson(io, answer);
  else {
    io.out(screen(answer, manner));
    if (!answer.connected || answer.refused > 0) {
      io.err(`${manner.say('cli.queue_next', { name: NAME })}\n`);
    }
  }
  return EXIT.ok;
}

function screen(answer: QueueAnswer, manner: Manner): string {
  const { say } = manner;
  const { pending, oldest, drain_eta_s: eta, refused, connected } = answer;
  const rows = [
    ['link', say(connected ? 'cli.s_connected' : 'cli.s_unconnected')],
    ['pending', String(pending)],
    ['oldest', oldest ?? '-'],
    ['eta', eta === null ? say('cli.not_known') : say('cli.seconds', { count: eta })],
    ['refused', String(refused)],
  ].map(([name = '', text = '']) => [say(`cli.queue_${name}`), text]);
  return table(['', ''], rows, manner).trimStart();
}

async function resend(
  asked: Readonly<Record<'file', string>> &
    Readonly<Partial<Record<'meter' | 'from' | 'to', string>>>,
  desk: Desk,
): Promise<number> {
  const { manner, io, parts } = desk;
  const check = (one: string) => (instantOf(one) === null ? 'bad_time_hint' : null);
  const { file, meter } = asked;
  const bad = badSpan(asked, manner, io);
  if (bad !== null) return bad;
  const from = await wanted(desk, asked.from, { key: 'q_from', flag: '--from', check });
  const to = await wanted(desk, asked.to, { key: 'q_to', flag: '--to', check });
  const wrong = badSpan({ from, to }, manner, io);
  if (wrong !== null) return wrong;
  const span = { from: instantOf(from), to: instantOf(to) };
  const args = { ...(meter === undefined ? {} : { meter }), ...span };
  const answered = await perform({ file, name: 'queue.resend', args }, manner, io, parts);
  if ('exit' in answered) return answered.exit;
  if (manner.json) sayJson(io, answered.data);
  else {
    const { rows } = answered.data as { readonly rows: number };
    io.out(`${manner.say('cli.resent', { count: rows })}\n`);
  }
  return EXIT.ok;
}
