// Alarms: what stands with its evidence, who is on vacation, and what the collector told of itself.

import { command } from '../api.ts';
import { OpenAlarms } from '../parts/alarm-list.tsx';
import { useAsked } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { EventList } from '../parts/event-table.tsx';
import { Empty } from '../parts/notice.tsx';
import { Section, Title } from '../parts/section.tsx';
import { vacationSays } from '../parts/watched.tsx';
import type { EventLine, Vacation } from '../shapes.ts';
import { t } from '../words.ts';

interface Answer {
  readonly vacations: readonly Vacation[];
  readonly recent: readonly EventLine[];
}

export function Alarms() {
  const asked = useAsked(() => command<Answer>('alarms'), 'alarms');
  return (
    <>
      <Title>{t('nav_alarms')}</Title>
      <Section title={t('open_alarms')}>
        <OpenAlarms />
      </Section>
      <Section title={t('vacations')}>
        <Awaited asked={asked}>
          {({ vacations }) =>
            vacations.length === 0 ? (
              <Empty says={t('vacations_none')} />
            ) : (
              <ul class="rows">
                {vacations.map((one) => (
                  <li key={`${one.meter} ${one.from}`}>
                    <a href={`/meters/${one.meter}`}>{one.meter}</a> · {vacationSays(one)}
                  </li>
                ))}
              </ul>
            )
          }
        </Awaited>
        <p class="help">{t('vacations_where')}</p>
      </Section>
      <Section title={t('own_events')}>
        <Awaited asked={asked}>
          {({ recent }) =>
            recent.length === 0 ? (
              <Empty says={t('events_none')} />
            ) : (
              <EventList label={t('own_events')} events={[...recent].reverse()} />
            )
          }
        </Awaited>
      </Section>
    </>
  );
}
