// What happened, newest first: of a meter as a table, of the collector itself as a list of who did what.

import { time } from '../format.ts';
import type { EventLine } from '../shapes.ts';
import { known, t } from '../words.ts';
import { eventName } from './alarm-list.tsx';
import { Table } from './section.tsx';

/** More is in the export. */
const SHOWN = 50;

interface Props {
  readonly label: string;
  /** Oldest first. */
  readonly events: readonly EventLine[];
}

export function EventTable({ label, events }: Props) {
  const rows = newest(events).map((event) => [
    <Time key="t" at={event.at} />,
    eventName(event.code),
    t(`phase_${event.phase}`),
  ]);
  return <Table label={label} heads={[t('time'), t('event'), t('phase')]} rows={rows} />;
}

export function EventList({ label, events }: Props) {
  return (
    <ul class="rows" aria-label={label}>
      {newest(events).map((event) => (
        <li key={event.row}>
          {eventName(event.code)} <strong>{deedOf(event)}</strong>
          <br />
          <small class="help">
            <Time at={event.at} />
          </small>
        </li>
      ))}
    </ul>
  );
}

const newest = (events: readonly EventLine[]): readonly EventLine[] =>
  events.slice(-SHOWN).reverse();

function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {time(at)}
    </time>
  );
}

/** Who did what, of an event that tells it. */
function deedOf({ data }: EventLine): string {
  const name = data['name'] ?? data['changed'];
  const done =
    typeof name === 'string' ? (known(`did_${name.replaceAll(/[. -]/g, '_')}`) ?? name) : name;
  // Nobody told by name is told as an empty one.
  const whom = data['whom'] === '' ? undefined : data['whom'];
  const said = [done, data['meter'] ?? whom, data['by'] ?? data['user']];
  return said.filter((one) => one !== undefined && one !== null).join(' · ');
}
