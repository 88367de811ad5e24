// What the demo does at its own console so that every page has something to show: alerts, a vacation, a commissioning and its report.

import { setTimeout as sleep } from 'node:timers/promises';

/** A meter that stands long enough has a dial to be read. */
const TRIES = 60;
const PAUSE_MS = 250;
/** A step of a commissioning is looked at so often until it is over. */
const LOOKS = 120;
const BY = { by: 'demo' };
const WHY = 'shown in the demo, where nobody opens a tap';

type Told = Readonly<Record<string, unknown>>;
type Run = (name: string, args: object) => Promise<Told | undefined>;

/** The commands of a console, by token; undefined for what is refused. */
function commandsAt(url: string, token: string, signal: AbortSignal): Run {
  return async (name, args) => {
    const response = await fetch(`${url}/api/commands/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(args),
      signal,
    });
    const said = (await response.json()) as { data?: Told };
    return response.ok ? said.data : undefined;
  };
}

interface Session {
  readonly id: string;
  readonly steps: readonly { readonly step: string; readonly state: string }[];
}

/** Proves one step, or skips it with a reason where it cannot be proved. */
async function prove(run: Run, id: string, step: string, args: object): Promise<void> {
  let session = (await run('commission.step', { id, step, ...args, ...BY })) as Session | undefined;
  const stateOf = () => session?.steps.find((one) => one.step === step)?.state;
  for (let looks = 0; stateOf() === 'running' && looks < LOOKS; looks += 1) {
    await sleep(PAUSE_MS);
    session = (await run('commission.get', { id })) as Session | undefined;
  }
  if (stateOf() !== 'done')
    await run('commission.step', { id, step, skip: true, reason: WHY, ...BY });
}

async function commission(run: Run, meter: string): Promise<void> {
  const begun = (await run('commission.begin', { meter, ...BY })) as Session | undefined;
  if (begun === undefined) return;
  const { id } = begun;
  for (const step of ['port', 'device', 'reads']) await prove(run, id, step, { meter });
  const read = await run('read', { meter });
  await prove(run, id, 'dial', { dial: read?.['dial'] });
  const { digits, unit, pow10 } = read ?? {};
  await prove(run, id, 'resolution', { digits, unit, pow10 });
  for (const step of ['tap', 'bind']) {
    await run('commission.step', { id, step, skip: true, reason: WHY, ...BY });
  }
  await prove(run, id, 'polls', { seconds: 2 });
  await prove(run, id, 'upstream', {});
  await run('commission.step', { id, step: 'finish', ...BY });
}

/** Resolves when all is there, or could not be had; rejects when `signal` aborts. `meters`: at least three. */
export async function seedConsole(
  { url, token }: { readonly url: string; readonly token: string },
  meters: readonly string[],
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const run = commandsAt(url, token, signal);
  const [first = '', second = '', third = ''] = meters;
  const day = (days: number) => new Date(now + days * 86_400_000).toISOString().slice(0, 10);
  await run('alerts.set', { defaults: true, daily: { amount: 400, unit: 'gal' }, no_use_days: 7 });
  const amount = { amount: 5, unit: 'gal' };
  await run('vacation.set', { meter: second, from: day(0), to: day(14), ...amount });
  for (let tries = 0; tries < TRIES; tries += 1) {
    if ((await run('read', { meter: first })) !== undefined) break;
    await sleep(PAUSE_MS);
  }
  await commission(run, first);
  // One that waits to be gone on with.
  await run('commission.begin', { meter: third, ...BY });
}
