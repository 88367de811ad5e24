// What meters on one line must agree on, and what their devices can bear: framing, poll period, time-out, identification.

import { framingName } from '../codec/framer.ts';
import type { Framing, LineProfile, Profile } from '../domain/profile.ts';
import { type Findings, text } from './findings.ts';

type Entry = Readonly<Record<string, unknown>>;

/** A meter of the file whose profile is known. */
export interface ProfiledMeter {
  readonly pointer: string;
  readonly entry: Entry;
  readonly profile: Profile;
}

/** The profile as the bus has it: the bridge on a line says how it is asked, whatever hangs behind it. */
export function profileOn(profile: Profile, bus: Entry | undefined): Profile {
  const request = text(bus?.['request']);
  return profile.transport === 'line' && request !== undefined ? { ...profile, request } : profile;
}

/** The framing of a line's meters; undefined where none is a line's. They have one, or the checks said otherwise. */
export function framingOf(profiles: readonly Profile[]): Framing | undefined {
  return profiles.find(isLine)?.framing;
}

/** Checks `meters` against each other and against `buses`, the entries of the file with their pointers. */
export function checkLines(
  buses: readonly { readonly pointer: string; readonly entry: Entry }[],
  meters: readonly ProfiledMeter[],
  findings: Findings,
): void {
  for (const meter of meters) {
    checkPace(meter, findings);
    checkIdentified(meter, findings);
  }
  for (const { pointer, entry } of buses) {
    const name = text(entry['bus']);
    if (name === undefined) continue;
    const here = meters.filter((meter) => meter.entry['bus'] === name);
    checkFraming(name, here, findings);
    checkTimeout(entry, pointer, here, findings);
  }
}

/** Polled faster, some registers hold still and water seems to have stopped (encoders 1.6). */
function checkPace({ pointer, entry, profile }: ProfiledMeter, findings: Findings): void {
  const poll = entry['poll_s'];
  const least = profile.minPollS;
  // Less than a second is said by the schema.
  if (typeof poll !== 'number' || !(poll >= 1 && poll < least)) return;
  const message = `poll_s is ${poll}, but a meter of the profile "${profile.name}" may be read every ${least} s at the most often.`;
  const suggestion = String(least);
  findings.problem({ code: 'poll.too_fast', pointer: `${pointer}/poll_s`, message, suggestion });
}

function checkIdentified({ pointer, entry, profile }: ProfiledMeter, findings: Findings): void {
  if (profile.transport !== 'line' || profile.frame !== 'ethermeter-ascii') return;
  if (entry['register_id'] === undefined) return;
  const message = `The profile "${profile.name}" sends no identification; register_id is not compared.`;
  findings.warning({ code: 'register_id.unsent', pointer: `${pointer}/register_id`, message });
}

/** One stream of bytes is cut in one way. */
function checkFraming(bus: string, meters: readonly ProfiledMeter[], findings: Findings): void {
  const [first, ...others] = meters.filter(({ profile }) => isLine(profile));
  if (first === undefined) return;
  const name = nameOf(first.profile);
  const line = findings.lineOf(`${first.pointer}/profile`);
  for (const { pointer, profile } of others) {
    if (nameOf(profile) === name) continue;
    const message = `The bus "${bus}" has frames by ${name} since line ${line}, but the profile "${profile.name}" has them by ${nameOf(profile)}: give it a bus of its own.`;
    findings.problem({ code: 'bus.mixed_framing', pointer: `${pointer}/profile`, message });
  }
}

/** A device that speaks by itself is silent in between. */
function checkTimeout(
  bus: Entry,
  at: string,
  meters: readonly ProfiledMeter[],
  findings: Findings,
): void {
  const timeout = bus['timeout_ms'];
  const pauses = meters.map(({ profile }) => profile).filter(isLine);
  const longest = Math.max(0, ...pauses.map(({ speaksEveryS = 0 }) => speaksEveryS * 1000));
  if (typeof timeout !== 'number' || timeout > longest) return;
  const message = `timeout_ms is ${timeout}, but a device on this bus speaks every ${longest} ms only.`;
  const suggestion = String(longest + 1000);
  findings.problem({ code: 'timeout.too_short', pointer: `${at}/timeout_ms`, message, suggestion });
}

function isLine(profile: Profile): profile is LineProfile {
  return profile.transport === 'line';
}

function nameOf(profile: Profile): string {
  return isLine(profile) ? framingName(profile.framing) : '';
}
