// The buses: what is wrong in a sentence, how questions end, how busy the wire is, its frames as they pass, and a scan.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { may } from '../api.ts';
import { every } from '../clock.ts';
import { number, percent } from '../format.ts';
import { useCommand } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Button } from '../parts/field.tsx';
import { Switch } from '../parts/frame.tsx';
import { Empty, Notice } from '../parts/notice.tsx';
import { Scan } from '../parts/scan.tsx';
import { Facts, Section, Table, Title } from '../parts/section.tsx';
import { Trace } from '../parts/trace.tsx';
import type { BusAdvice, BusStats, Tally } from '../shapes.ts';
import { known, t } from '../words.ts';

/** Counters change with every poll; nobody reads them faster. */
const LOOK_MS = 5_000;
/** In the order in which a technician asks for them. */
const COUNTS = [
  ...['polls', 'ok', 'timeouts', 'crc', 'framing', 'torn', 'exceptions', 'wrong_id'],
  ...['wrong_unit', 'unusable', 'late', 'unasked', 'second'],
];

export function BusPage() {
  const asked = useCommand<{ buses: readonly BusStats[] }>('bus.stats');
  useEffect(
    () =>
      every(LOOK_MS, () => {
        if (document.visibilityState === 'visible') void asked.again();
      }),
    [],
  );
  return (
    <>
      <Title>{t('nav_bus')}</Title>
      <Awaited asked={asked}>{({ buses }) => <Buses buses={buses} />}</Awaited>
    </>
  );
}

function Buses({ buses }: { readonly buses: readonly BusStats[] }) {
  const chosen = useSignal('');
  const bus = buses.find((one) => one.bus === chosen.value) ?? buses[0];
  if (bus === undefined) return <Empty says={t('bus_none')} />;
  return (
    <>
      {buses.length > 1 ? (
        <Switch
          label={t('bus')}
          value={bus.bus}
          options={buses.map((one) => [one.bus, one.bus])}
          onValue={(one) => {
            chosen.value = one;
          }}
        />
      ) : null}
      <One key={bus.bus} bus={bus} />
    </>
  );
}

function One({ bus }: { readonly bus: BusStats }) {
  return (
    <>
      <Section title={bus.bus}>
        {bus.advice.map((advice) => (
          <Says key={advice.code + advice.meters.join()} advice={advice} />
        ))}
        <Facts
          facts={[
            [t('bus_type'), t(`bus_type_${bus.type}`)],
            [t('link'), t(bus.open ? 'link_open' : 'link_closed')],
            [t('utilisation'), bus.utilisation === null ? null : percent(bus.utilisation)],
            [
              t('headroom'),
              bus.headroom_per_min === null
                ? null
                : t('headroom_says', {
                    count: bus.headroom_per_min,
                    reads: number(bus.headroom_per_min),
                  }),
            ],
            [t('answer_time'), timeSays(bus.p50_ms, bus.p95_ms)],
            [t('time_out'), t('ms', { ms: number(bus.timeout_ms) })],
          ]}
        />
      </Section>
      <Section title={t('counters')}>
        <Counters bus={bus} />
        <ByMeter bus={bus} />
      </Section>
      {may('technician') ? (
        <>
          <Section title={t('scan')}>
            <p class="help">{t('scan_help')}</p>
            <Scan bus={bus.bus} />
          </Section>
          <Section title={t('trace')}>
            <Trace bus={bus.bus} />
          </Section>
        </>
      ) : null}
    </>
  );
}

const timeSays = (p50: number | null, p95: number | null): string | null =>
  p50 === null || p95 === null ? null : t('times_says', { p50: number(p50), p95: number(p95) });

/** Nobody can tell yet. */
const UNKNOWN = ['bus.unread', 'bus.empty'];

/** A finding in the reader's language, with the collector's own words one step away. */
function Says({ advice }: { readonly advice: BusAdvice }) {
  const key = `advice_${advice.code.replace('.', '_')}`;
  const places = { meters: advice.meters.join(', ') };
  const next = known(`${key}_next`, places);
  const state =
    advice.code === 'bus.fine' ? 'ok' : UNKNOWN.includes(advice.code) ? 'unknown' : 'bad';
  return (
    <Notice state={state}>
      <p>
        <strong>{known(key, places) ?? advice.code}</strong>
      </p>
      {next === undefined ? null : <p>{next}</p>}
      {advice.next === '' ? null : (
        <details>
          <summary>{t('detail')}</summary>
          <p lang="en">
            {advice.says} {advice.next}
          </p>
        </details>
      )}
    </Notice>
  );
}

function Counters({ bus }: { readonly bus: BusStats }) {
  const isAll = useSignal(false);
  const shown = COUNTS.filter(
    (key) => isAll.value || key === 'polls' || key === 'ok' || (bus.total[key] ?? 0) > 0,
  );
  return (
    <>
      <Table
        label={t('counters')}
        heads={[t('count_what'), t('count_day'), t('count_total')]}
        rows={shown.map((key) => [
          t(`count_${key}`),
          number(bus.day[key] ?? 0),
          number(bus.total[key] ?? 0),
        ])}
      />
      <div class="actions">
        <Button
          pressed={isAll.value}
          onClick={() => {
            isAll.value = !isAll.value;
          }}
        >
          {t('counts_all')}
        </Button>
      </div>
    </>
  );
}

function ByMeter({ bus }: { readonly bus: BusStats }) {
  if (bus.meters.length === 0) return null;
  return (
    <>
      <h3>{t('by_meter')}</h3>
      <Table
        label={t('by_meter')}
        heads={[t('meter'), t('success_day'), t('answer_time')]}
        rows={bus.meters.map(({ meter, address, day, p50_ms, p95_ms }) => [
          <>
            <a href={`/meters/${meter}`}>{meter}</a>
            {/* Below it: a column of its own pushes what matters off a phone. */}
            {address === null ? null : (
              <>
                <br />
                <small class="help">{t('at_address', { address })}</small>
              </>
            )}
          </>,
          successOf(day),
          timeSays(p50_ms, p95_ms) ?? '',
        ])}
      />
    </>
  );
}

const successOf = (tally: Tally): string => {
  const { polls = 0, ok = 0 } = tally as { polls?: number; ok?: number };
  return polls === 0 ? '-' : `${percent(ok / polls)} (${number(ok)}/${number(polls)})`;
};
