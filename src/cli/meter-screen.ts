// One meter as a person wants to see it: what stands there, what it showed last, and what is wrong with it.

import type { Manner } from './parts.ts';
import { dialFace, table, volume } from './say.ts';

/** What the collector answers to `meter.show`, as far as it is shown here. */
export interface ShownMeter {
  readonly meter: string;
  readonly installation: {
    readonly inst: number;
    readonly digits: number;
    readonly unit: string;
    readonly pow10: number;
    readonly body_serial: string | null;
    readonly register_id: string | null;
    readonly since: string | null;
  } | null;
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly last: { readonly read: number; readonly at: string; readonly q: string } | null;
  readonly commissioned: { readonly at: string; readonly by: string | null } | null;
  readonly events_open: readonly {
    readonly id: string;
    readonly code: string;
    readonly since: string;
  }[];
  readonly service: string | null;
  readonly bus: string | null;
  readonly fault: { readonly code: string; readonly detail: string; readonly since: string } | null;
}

type Row = readonly [key: string, text: string];

export function shownMeter(shown: ShownMeter, manner: Manner): string {
  const { say } = manner;
  const rows = [...nowRows(shown, manner), ...standsRows(shown), ...placeRows(shown, manner)];
  const facts = table(
    ['', ''],
    rows.map(([key, text]) => [say(`cli.m_${key}`), text]),
    manner,
  ).trimStart();
  const open = shown.events_open.map(({ id, code, since }) => [id, code, since]);
  const headings = ['id', 'code', 'since'].map((name) => say(`cli.h_${name}`));
  const events = open.length === 0 ? '' : `\n${table(headings, open, manner)}`;
  return manner.plain ? `${facts}${events}` : `${shown.meter}\n\n${facts}${events}`;
}

function nowRows(
  { installation: stands, last, fault, bus, settings }: ShownMeter,
  { say, hear }: Manner,
): Row[] {
  const said = (key: string) => String(settings?.[key] ?? '-');
  const dial = stands && last ? dialFace(last.read, stands.digits) : '-';
  const amount = stands && last ? volume(last.read, stands.pow10, stands.unit) : '-';
  const state = fault
    ? say('cli.fault_since', { ...fault, detail: hear(fault.detail) })
    : say('cli.ok');
  return [
    ['dial', last ? `${dial}, ${amount}, ${last.at} (${last.q})` : say('cli.not_read_yet')],
    ['state', state],
    ['bus', `${bus ?? say('cli.by_hand')}, ${said('address')}, ${said('profile')}`],
  ];
}

function standsRows({ installation: stands }: ShownMeter): Row[] {
  if (stands === null) return [];
  const { inst, since, pow10, unit, digits, register_id: id, body_serial: serial } = stands;
  return [
    ['installation', `${inst}, ${since ?? '-'}`],
    ['count', volume(1, pow10, unit)],
    ['digits', String(digits)],
    ['register_id', id ?? '-'],
    ['body_serial', serial ?? '-'],
  ];
}

function placeRows({ settings, service, commissioned }: ShownMeter, { say }: Manner): Row[] {
  const proved = commissioned
    ? `${commissioned.at}, ${commissioned.by ?? '-'}`
    : say('cli.meter_not_yet');
  return [
    ['service_point', String(settings?.['service_point'] ?? '-')],
    ['route', String(settings?.['route'] ?? '-')],
    ['service', service ?? '-'],
    ['commissioned', proved],
  ];
}
