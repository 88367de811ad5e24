// What happened, newest first.

import { time } from '../format.ts';
import type { EventLine } from '../shapes.ts';
import { t } from '../words.ts';
import { eventName } from './alarm-list.tsx';
import { Table } from './section.tsx';

/** More is in the export. */
const SHOWN = 50;

interface Props {
  readonly label: string;
  readonly events: readonly EventLine[];
  readonly whose?: boolean;
}

/** Who did what, of an event that tells it. */
function wordOf({ data }: EventLine): string {
  const said = [data['command'] ?? data['name'] ?? data['changed'], data['by'] ?? data['user']];
  return said.filter((one) => one !== undefined && one !== null).join(' · ');
}

export function EventTable({ label, events, whose = false }: Props) {
  const rows = events
    .slice(-SHOWN)
    .reverse()
    .map((event) => [
      <time key="t" dateTime={event.at} title={event.at}>
        {time(event.at)}
      </time>,
      ...(whose ? [event.meter ?? String(event.data['meter'] ?? '')] : []),
      eventName(event.code),
      whose ? wordOf(event) : t(`phase_${event.phase}`),
    ]);
  const last = whose ? t('count_what') : t('phase');
  const heads = [t('time'), ...(whose ? [t('meter')] : []), t('event'), last];
  return <Table label={label} heads={heads} rows={rows} />;
}
