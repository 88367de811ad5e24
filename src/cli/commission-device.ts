// Which device is commissioned: a meter of the settings, one that the options name, or one that a scan finds.

import type { ScanFound, ScanProgress } from '../domain/scan.ts';
import type { Commissioning, Session } from './commission-steps.ts';
import type { Desk } from './parts.ts';
import { chosen, wanted } from './questions.ts';
import { scanTable } from './scan.ts';

type Args = Readonly<Record<string, unknown>>;

/** A scan is looked at so often. */
const LOOK_MS = 500;
/** What a place may be called (contract, Topics). */
const IDENTIFIER = /^[A-Za-z0-9_-]{1,40}$/;

/** The arguments of the step `device`. */
export async function deviceArgs(
  session: Session,
  site: Commissioning,
): Promise<Args | { readonly exit: number }> {
  const { request, settings, desk } = site;
  const known = request.meter ?? session.meter;
  if (known !== null && settings.meters.some(({ meter }) => meter === known)) {
    return { meter: known };
  }
  const bus = await chosen(desk, request.bus ?? onlyBus(site), busNames(site), {
    ...{ key: 'q_meter_bus', flag: '--bus' },
  });
  const isNamed = request.address !== undefined && request.profile !== undefined;
  const device = isNamed
    ? { address: request.address, profile: request.profile }
    : await scanned(bus, site);
  if ('exit' in device) return device as { readonly exit: number };
  const meter = await wanted(desk, request.meter, {
    ...{ key: 'q_place', flag: 'METER' },
    check: (one) => (IDENTIFIER.test(one) ? null : 'q_bad_name'),
  });
  return { meter, bus, ...device };
}

const busNames = ({ settings }: Commissioning) => settings.buses.map(({ bus }) => bus);

function onlyBus(site: Commissioning): string | undefined {
  const names = busNames(site);
  return names.length === 1 ? names[0] : undefined;
}

/** Looks for devices on the bus and lets the person choose. Typing address and profile is always possible. */
async function scanned(
  bus: string,
  site: Commissioning,
): Promise<Args | { readonly exit: number }> {
  const { request, commands, desk, refused } = site;
  const { manner, io } = desk;
  if (!desk.manner.asks) {
    await wanted(desk, request.address, { key: 'q_address', flag: '--address' });
    await wanted(desk, request.profile, { key: 'q_profile', flag: '--profile' });
  }
  const addresses = await wanted(desk, request.address, {
    ...{ key: 'q_addresses', flag: '--address', usual: '1-32' },
  });
  const begun = await commands.run('bus.scan', { bus, addresses });
  if (!begun.ok) return { exit: refused(begun) };
  const found = await followed(bus, site).catch(async (left: unknown) => {
    // Else the collector would scan on for nobody, and refuse the next one.
    await commands.run('bus.scan.stop', { bus });
    throw left;
  });
  if ('exit' in found) return found;
  io.err(scanTable(found.devices, manner));
  const good = found.devices.filter(({ fits, address }) => fits.length > 0 && address !== null);
  if (good.length === 0) {
    io.err(`${manner.say('cli.scan_none_hint')}\n`);
    return typedDevice(desk);
  }
  const names = good.map(({ address }) => address ?? '');
  const address = await chosen(desk, undefined, names, {
    ...{ key: 'q_device', flag: '--address' },
    rows: good.map((one) => rowOf(one)),
  });
  const device = good[names.indexOf(address)];
  site.foundId = device?.fits[0]?.id ?? null;
  const profiles = device?.fits.map(({ profile }) => profile) ?? [];
  const [only] = profiles;
  const profile = await chosen(
    desk,
    request.profile ?? (profiles.length === 1 ? only : undefined),
    profiles,
    { key: 'q_profile', flag: '--profile' },
  );
  return { address, profile };
}

/** Without the dial: it is to be typed blind. */
const rowOf = ({ address, fits }: ScanFound) => `${address}  ${fits[0]?.profile ?? ''}`;

async function typedDevice(desk: Desk): Promise<Args> {
  const address = await wanted(desk, undefined, { key: 'q_address', flag: '--address' });
  const profile = await wanted(desk, undefined, { key: 'q_profile', flag: '--profile' });
  return { address, profile };
}

/** The devices, when the scan is over; meanwhile how far it is. */
async function followed(
  bus: string,
  { commands, desk, pause, refused }: Commissioning,
): Promise<{ readonly devices: readonly ScanFound[] } | { readonly exit: number }> {
  const { manner, io } = desk;
  for (;;) {
    const answer = await commands.run('bus.scan.progress', { bus });
    if (!answer.ok) return { exit: refused(answer) };
    const { asked, of, found, over } = answer.data as ScanProgress;
    if (io.isTTY) {
      const percent = of === 0 ? 100 : Math.floor((100 * asked) / of);
      io.err(`\r  ${manner.say('cli.scan_progress', { percent, of })}${over ? '\n' : ''}`);
    }
    // What they show is kept back until the dial was typed.
    if (over) return { devices: found.map(blind) };
    await pause(LOOK_MS);
  }
}

const blind = (one: ScanFound): ScanFound => ({
  ...one,
  fits: one.fits.map((fit) => ({ ...fit, digits: null })),
});
