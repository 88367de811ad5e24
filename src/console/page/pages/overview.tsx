// The overview: five lights (bus, meters, journal, upstream, clock), each with a sentence, and what is open.

import { computed } from '@preact/signals';
import { lasting, number, time } from '../format.ts';
import { faults, isJournalOpen, meterNames, status } from '../live.ts';
import { OpenAlarms } from '../parts/alarm-list.tsx';
import { Busy } from '../parts/notice.tsx';
import { Facts, Section, Title } from '../parts/section.tsx';
import { Sign, type State } from '../parts/sign.tsx';
import type { Status } from '../shapes.ts';
import { t } from '../words.ts';

interface Light {
  readonly name: string;
  readonly to: string;
  readonly state: State;
  readonly says: string;
}

type Whole = Omit<Status, 'meters'>;

function busLight({ buses }: Whole): Light {
  const closed = buses.filter(({ open, says }) => !open && says !== '');
  const light = { name: 'light_bus', to: '/bus' };
  if (buses.length === 0) return { ...light, state: 'unknown', says: t('bus_none') };
  if (closed.length > 0) {
    const names = closed.map(({ bus }) => bus).join(', ');
    return { ...light, state: 'bad', says: t('bus_closed', { names, count: closed.length }) };
  }
  const troubled = buses.filter(({ next }) => next !== '');
  if (troubled.length === 0) {
    return { ...light, state: 'ok', says: t('bus_fine', { count: buses.length }) };
  }
  const names = troubled.map(({ bus }) => bus).join(', ');
  return { ...light, state: 'warn', says: t('bus_troubled', { names, count: troubled.length }) };
}

function metersLight(): Light {
  const all = meterNames.value.length;
  const sick = faults.value;
  const light = { name: 'light_meters', to: '/meters' };
  if (all === 0) return { ...light, state: 'unknown', says: t('meters_none') };
  if (sick.length === 0) return { ...light, state: 'ok', says: t('meters_fine', { count: all }) };
  const names = sick
    .slice(0, 3)
    .map(({ meter }) => meter)
    .join(', ');
  const state = sick.length === all ? 'bad' : 'warn';
  return { ...light, state, says: t('meters_sick', { names, count: sick.length, all }) };
}

function journalLight({ journal }: Whole): Light {
  const light = { name: 'light_journal', to: '/backup' };
  if (!isJournalOpen.value) return { ...light, state: 'bad', says: t('journal_failed') };
  return { ...light, state: 'ok', says: t('journal_fine', { rows: number(journal.rows) }) };
}

/** Hours wait at most until the next hour in a sound world. */
const BEHIND_MS = 2 * 3_600_000;

function upstreamLight({ upstream, journal, now: at }: Whole): Light {
  const light = { name: 'light_upstream', to: '/upstream' };
  const { pending, oldest_pending: oldest } = journal;
  const waiting = number(pending);
  if (!isJournalOpen.value) {
    const says = t(upstream.connected ? 'upstream_unknown' : 'upstream_away_unknown');
    return { ...light, state: upstream.connected ? 'unknown' : 'bad', says };
  }
  if (!upstream.connected) {
    return { ...light, state: 'bad', says: t('upstream_away', { count: pending, waiting }) };
  }
  if (upstream.refused > 0) {
    return { ...light, state: 'bad', says: t('upstream_refused', { count: upstream.refused }) };
  }
  const behindMs = oldest === null ? 0 : Date.parse(at) - Date.parse(oldest);
  if (behindMs > BEHIND_MS) {
    const behind = lasting(behindMs / 1000);
    return { ...light, state: 'warn', says: t('upstream_behind', { waiting, behind }) };
  }
  if (pending === 0) return { ...light, state: 'ok', says: t('upstream_idle') };
  return { ...light, state: 'ok', says: t('upstream_fine', { count: pending, waiting }) };
}

function clockLight({ clock, now: at }: Whole): Light {
  const light = { name: 'light_clock', to: '/about' };
  const shown = { now: time(at) };
  if (clock?.synced === true) return { ...light, state: 'ok', says: t('clock_fine', shown) };
  const doubted = clock?.synced === false;
  return {
    ...light,
    state: doubted ? 'bad' : 'unknown',
    says: t(doubted ? 'clock_doubted' : 'clock_unknown', shown),
  };
}

const lights = computed<readonly Light[]>(() => {
  const whole = status.value;
  if (whole === null) return [];
  return [
    ...[busLight(whole), metersLight(), journalLight(whole)],
    ...[upstreamLight(whole), clockLight(whole)],
  ];
});

export function Overview() {
  const whole = status.value;
  return (
    <>
      <Title>{t('nav_overview')}</Title>
      {whole === null ? <Busy says={t('connecting')} /> : null}
      <ul class="lights">
        {lights.value.map(({ name, to, state, says }) => (
          <li key={name} class={state}>
            <a class="light" href={to}>
              <Sign state={state} />
              <strong>
                {t(name)}
                <span class="hidden"> {t(`state_${state}`)}</span>
              </strong>
              <p>{says}</p>
            </a>
          </li>
        ))}
      </ul>
      <Section title={t('open_alarms')} aside={<a href="/alarms">{t('nav_alarms')}</a>}>
        <OpenAlarms brief />
      </Section>
      {whole === null ? null : (
        <Section title={t('collector')}>
          <Facts
            facts={[
              [t('collector'), whole.collector],
              [t('utility'), whole.utility],
              [t('version'), whole.version],
            ]}
          />
        </Section>
      )}
    </>
  );
}
