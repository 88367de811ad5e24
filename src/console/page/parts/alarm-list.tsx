// Events that stand: what was seen, against which limit, how much water, what will clear it, and who knows of it.

import type { VolumeUnit } from '../../../domain/units.ts';
import { VOLUME_UNITS } from '../../../domain/units.ts';
import { command, may } from '../api.ts';
import { ago, amountSays, lasting, number, time, told } from '../format.ts';
import { status } from '../live.ts';
import { path } from '../router.ts';
import type { EventLine, Evidence } from '../shapes.ts';
import { known, t } from '../words.ts';
import { useAsked, useDeed } from './asked.ts';
import { Awaited } from './awaited.tsx';
import { Button } from './field.tsx';
import { LeakChart } from './leak-chart.tsx';
import { Empty, Refused } from './notice.tsx';
import { type Fact, Facts } from './section.tsx';
import { Sign, type State } from './sign.tsx';

export const eventName = (code: string): string =>
  known(`event_${code.replaceAll('.', '_')}`) ?? code;

export const severityState = (severity: string): State =>
  severity === 'major' ? 'bad' : severity === 'minor' ? 'warn' : 'unknown';

export const ackedBy = ({ acknowledged_by: by, acked }: EventLine): string | null =>
  by ?? (typeof acked === 'string' ? acked : null);

/** The events that stand, asked for again when the number of meters with faults changes. */
export function OpenAlarms({ brief = false }: { readonly brief?: boolean }) {
  const asked = useAsked(() => command<{ open: readonly EventLine[] }>('alarms'), 'alarms');
  return (
    <Awaited asked={asked}>
      {({ open }) =>
        open.length === 0 ? (
          <Empty says={t('alarms_none')} />
        ) : (
          <ul class="rows">
            {open.map((event) => (
              <li key={event.id}>
                {brief ? <Brief event={event} /> : <Alarm event={event} again={asked.again} />}
              </li>
            ))}
          </ul>
        )
      }
    </Awaited>
  );
}

function Brief({ event }: { readonly event: EventLine }) {
  return (
    <a class="brief" href={event.meter === undefined ? '/alarms' : `/meters/${event.meter}`}>
      <Heading event={event} />
    </a>
  );
}

function Heading({ event }: { readonly event: EventLine }) {
  const at = Date.parse(status.value?.now ?? event.at);
  return (
    <span class="beside">
      <Sign state={severityState(event.severity)} />
      <span>
        <strong>{eventName(event.code)}</strong>
        {whereOf(event) === undefined ? null : ` · ${whereOf(event)}`}
        <br />
        <small class="help">
          {t(`severity_${event.severity}`)} · {ago(Date.parse(event.since), at)}
        </small>
      </span>
    </span>
  );
}

/** The meter, or the bus, that an alarm is about. */
function whereOf({ meter, data }: EventLine): string | undefined {
  const bus = data['bus'];
  return meter ?? (typeof bus === 'string' ? bus : undefined);
}

interface AlarmProps {
  readonly event: EventLine;
  readonly again: () => Promise<void>;
}

export function Alarm({ event, again }: AlarmProps) {
  const deed = useDeed();
  const by = ackedBy(event);
  const acknowledge = async () => {
    if ((await deed.run('event.ack', { id: event.id })) !== undefined) await again();
  };
  return (
    <article aria-label={`${eventName(event.code)} ${whereOf(event) ?? ''}`}>
      <Heading event={event} />
      <Proof event={event} />
      {event.meter !== undefined && /^leak\.|^flow\.burst/.test(event.code) ? (
        <LeakChart meter={event.meter} since={event.since} />
      ) : null}
      <Refused error={deed.error.value} />
      <div class="actions">
        {event.meter === undefined || path() === `/meters/${event.meter}` ? null : (
          <a class="button plain" href={`/meters/${event.meter}`}>
            {t('see_meter', { meter: event.meter })}
          </a>
        )}
        {by === null && event.meter !== undefined && may('technician') ? (
          <Button onClick={acknowledge} busy={deed.busy.value}>
            {t('acknowledge')}
          </Button>
        ) : null}
        {by === null ? null : <span class="tag">{t('acknowledged', { by })}</span>}
      </div>
    </article>
  );
}

/** The evidence (E3) as facts; what is not known by name is left to the record. */
export function Proof({ event }: { readonly event: EventLine }) {
  const { data, code } = event;
  const unit = VOLUME_UNITS.find((one) => one === data['unit']);
  const why = typeof data['why'] === 'string' ? known(`why_${data['why']}`) : undefined;
  return (
    <Facts
      facts={[
        [t('since'), time(event.since)],
        why === undefined ? null : [t('why'), why],
        ...(unit === undefined ? [] : waterFacts(data, unit)),
        thresholdFact(data),
        ...limitFacts(data),
        clearsFact(code, data),
      ]}
    />
  );
}

const numberIn = (data: Evidence, key: string): number | null => {
  const one = data[key];
  return typeof one === 'number' ? one : null;
};

function waterFacts(data: Evidence, unit: VolumeUnit): (Fact | null)[] {
  const amount = (volume: number) => {
    const { main, help } = told(volume, unit);
    return (
      <>
        {main} <small class="help">{help}</small>
      </>
    );
  };
  const rate = numberIn(data, 'rate_per_h');
  const [low, high] = [numberIn(data, 'rate_low_per_h'), numberIn(data, 'rate_high_per_h')];
  const volume = numberIn(data, 'volume') ?? numberIn(data, 'use_volume');
  const leaked = numberIn(data, 'leak_volume');
  return [
    rate === null ? null : [t('rate'), t('per_hour', { volume: told(rate, unit).main })],
    low === null || high === null
      ? null
      : [t('rate_range'), t('range', { low: told(low, unit).main, high: told(high, unit).main })],
    leaked === null ? null : [t('leaked'), amount(leaked)],
    volume === null ? null : [t('volume_so_far'), amount(volume)],
  ];
}

/** From how much on use is told, as it was typed. */
function thresholdFact(data: Evidence): Fact | null {
  const amount = numberIn(data, 'typed');
  const unit = VOLUME_UNITS.find((one) => one === data['typed_unit']);
  if (amount === null || unit === undefined) return null;
  return [t('told_from'), amountSays({ amount, unit })];
}

function limitFacts(data: Evidence): (Fact | null)[] {
  const [observed, limit] = [numberIn(data, 'observed'), numberIn(data, 'limit')];
  const [idle, idleLimit] = [numberIn(data, 'idle_h'), numberIn(data, 'limit_h')];
  const hours = numberIn(data, 'hours');
  const form = (one: number) => number(one, Number.isInteger(one) ? 0 : 2);
  return [
    hours === null ? null : [t('watched_for'), lasting(hours * 3600)],
    observed === null
      ? null
      : [
          // A flow that keeps its strength is told in hours, all else by its weight.
          t(
            typeof data['why'] === 'string' && data['why'] !== 'strong_flow'
              ? 'weight'
              : 'observed',
          ),
          limit === null
            ? form(observed)
            : t('against', { observed: form(observed), limit: form(limit) }),
        ],
    idle === null
      ? null
      : [t('idle'), t('against', { observed: form(idle), limit: form(idleLimit ?? 0) })],
  ];
}

function clearsFact(code: string, data: Evidence): Fact | null {
  const hours = numberIn(data, 'clears_after_h');
  if (hours !== null) return [t('clears'), t('clears_pause', { time: lasting(hours * 3600) })];
  const key = `clears_${code.replaceAll('.', '_')}`;
  const said = known(key);
  return said === undefined ? null : [t('clears'), said];
}
