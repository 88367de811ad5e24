// One meter: its dial as it turns, the hours of two days, what was noticed, and what it is watched for.

import { useEffect } from 'preact/hooks';
import { HOUR_MS } from '../../../domain/units.ts';
import { may } from '../api.ts';
import { ago, lasting, time, told } from '../format.ts';
import { isJournalOpen, lineOf, status } from '../live.ts';
import { Alarm } from '../parts/alarm-list.tsx';
import { useCommand } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { DialFace } from '../parts/dial.tsx';
import { EventTable } from '../parts/event-table.tsx';
import { Hours } from '../parts/hours.tsx';
import { Busy, Empty, Notice } from '../parts/notice.tsx';
import { Facts, Section, Title } from '../parts/section.tsx';
import { Sign } from '../parts/sign.tsx';
import { Volume } from '../parts/volume.tsx';
import { UsageAlerts, Vacations } from '../parts/watched.tsx';
import type { EventLine, Intervals, MeterShown } from '../shapes.ts';
import { t } from '../words.ts';
import { MeterDeeds } from './meter-deeds.tsx';
import { faultSays, stateOf } from './meters.tsx';

const SHOWN_MS = 48 * HOUR_MS;

export function MeterPage({ meter }: { readonly meter: string }) {
  const shown = useCommand<MeterShown>('meter.show', { meter });
  return (
    <>
      <Title>{meter}</Title>
      <Live meter={meter} />
      <Awaited asked={shown}>{(found) => <Shown found={found} again={shown.again} />}</Awaited>
    </>
  );
}

interface ShownProps {
  readonly found: MeterShown;
  readonly again: () => Promise<void>;
}

function Shown({ found, again }: ShownProps) {
  const { meter, events_open: open, vacations } = found;
  return (
    <>
      {open.length === 0 ? null : (
        <Section title={t('open_alarms')}>
          <ul class="rows">
            {open.map((event) => (
              <li key={event.id}>
                <Alarm event={{ ...event, meter }} again={again} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      <TwoDays meter={meter} />
      <About found={found} />
      <Section title={t('usage_alerts')}>
        <UsageAlerts found={found} again={again} />
      </Section>
      <Section title={t('vacations')}>
        <Vacations meter={meter} standing={vacations} again={again} />
      </Section>
      {may('technician') ? <MeterDeeds found={found} again={again} /> : null}
      <Happened meter={meter} />
    </>
  );
}

/** The dial as the stream of events tells it. */
function Live({ meter }: { readonly meter: string }) {
  const line = lineOf(meter)?.value;
  if (line === undefined) return status.value === null ? <Busy says={t('connecting')} /> : null;
  const { digits, unit, pow10, read, at, fault, use_this_hour: use } = line;
  const now = Date.parse(status.value?.now ?? at ?? '');
  return (
    <Section
      title={t('dial_now')}
      aside={
        <span class="tag">
          <Sign state={stateOf(line)} />
          {t(`state_${stateOf(line)}`)}
        </span>
      }
    >
      {digits !== null && unit !== null && pow10 !== null ? (
        <>
          <DialFace read={read} digits={digits} unit={unit} pow10={pow10} />
          {read === null ? null : (
            <p class="big">
              <Volume counts={read} unit={unit} pow10={pow10} />
            </p>
          )}
          {use === null ? null : (
            <p>
              {t('this_hour')} <Volume counts={use} unit={unit} pow10={pow10} />
            </p>
          )}
        </>
      ) : null}
      {at === null ? (
        <p>{t(isJournalOpen.value ? 'never_read' : 'not_known_now')}</p>
      ) : (
        <p class="soft">{t('read_at', { at: time(at), ago: ago(Date.parse(at), now) })}</p>
      )}
      {fault === null ? null : (
        <Notice state="bad">
          <p>
            <strong>{faultSays(fault.code)}</strong>
          </p>
          <p>
            {t('fault_since', { at: time(fault.since) })} · <code>{fault.code}</code>
          </p>
        </Notice>
      )}
    </Section>
  );
}

/** 48 hours before now, asked for anew with each hour that ends. */
function TwoDays({ meter }: { readonly meter: string }) {
  const ended = lineOf(meter)?.value.last_hour?.start ?? '';
  const now = Date.parse(status.peek()?.now ?? '');
  // From an edge on: of 48 whole hours the first is not to be missed for the minutes that have passed of this one.
  const edge = now - (now % HOUR_MS) - SHOWN_MS;
  const from = Number.isNaN(now) ? undefined : new Date(edge).toISOString();
  const asked = useCommand<Intervals>('intervals', { meter, ...(from ? { from } : {}) });
  useEffect(() => {
    if (ended !== '') void asked.again();
  }, [ended]);
  return (
    <Section title={t('two_days')}>
      <Awaited asked={asked}>{(found) => <HoursOf found={found} />}</Awaited>
    </Section>
  );
}

function HoursOf({ found }: { readonly found: Intervals }) {
  const hours = found.intervals.slice(-SHOWN_MS / HOUR_MS);
  return (
    <>
      <Hours label={t('two_days')} found={{ ...found, intervals: hours }} />
      {found.gaps.length === 0 ? null : (
        <ul class="rows">
          {found.gaps.slice(-5).map((gap) => (
            <li key={gap.from}>
              {t('gap', { from: time(gap.from), to: time(gap.to), why: t(`gap_${gap.why}`) })}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function About({ found }: { readonly found: MeterShown }) {
  const { installation, settings, commissioned, detectable, service } = found;
  const own = (key: string) => {
    const one = settings?.[key];
    return one === undefined || one === null ? null : String(one);
  };
  return (
    <Section title={t('meter_about')}>
      <Facts
        facts={[
          [t('bus'), found.bus === null ? null : <a href="/bus">{found.bus}</a>],
          [t('address'), own('address')],
          [t('profile'), own('profile')],
          installation === null ? null : [t('dial'), dialSays(installation)],
          [t('register_id'), installation?.register_id ?? own('register_id')],
          [t('body_serial'), installation?.body_serial ?? own('body_serial')],
          [t('service_point'), own('service_point')],
          [t('route'), own('route')],
          [t('service'), service === null ? null : t(`service_${service}`)],
          installation?.since ? [t('installed'), time(installation.since)] : null,
          [t('installation_number'), installation === null ? null : String(installation.inst)],
          [
            t('commissioned'),
            commissioned === null
              ? t('not_commissioned')
              : t('commissioned_by', { at: time(commissioned.at), by: commissioned.by }),
          ],
          detectable === null || detectable.rate_per_h === null
            ? null
            : [
                t('detectable'),
                t('detectable_says', {
                  volume: told(detectable.rate_per_h, detectable.unit).main,
                  help: told(detectable.rate_per_h, detectable.unit).help,
                  time: lasting((detectable.after_h ?? 0) * 3600),
                }),
              ],
        ]}
      />
    </Section>
  );
}

function dialSays({ digits, unit, pow10 }: NonNullable<MeterShown['installation']>): string {
  const { main, help } = told(10 ** pow10, unit);
  return t('dial_says', { digits, volume: main, help });
}

function Happened({ meter }: { readonly meter: string }) {
  const asked = useCommand<{ events: readonly EventLine[] }>('events', { meter });
  return (
    <Section title={t('events')}>
      <Awaited asked={asked}>
        {({ events }) =>
          events.length === 0 ? (
            <Empty says={t('events_none')} />
          ) : (
            <EventTable label={t('events')} events={events} />
          )
        }
      </Awaited>
    </Section>
  );
}
