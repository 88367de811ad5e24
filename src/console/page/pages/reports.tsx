// Reports of commissioning, and the hours as a file.

import { useSignal } from '@preact/signals';
import { time } from '../format.ts';
import { meterNames } from '../live.ts';
import { useCommand } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Choice, Text } from '../parts/field.tsx';
import { Empty } from '../parts/notice.tsx';
import { Section, Title } from '../parts/section.tsx';
import { language, t } from '../words.ts';

interface Report {
  readonly id: string;
  readonly meter: string;
  readonly at: string;
  readonly by: string;
  readonly sha256: string;
}

export function Reports() {
  const asked = useCommand<{ reports: readonly Report[] }>('report.list');
  return (
    <>
      <Title>{t('nav_reports')}</Title>
      <Section title={t('reports')}>
        <Awaited asked={asked}>
          {({ reports }) =>
            reports.length === 0 ? (
              <Empty says={t('reports_none')} />
            ) : (
              <ul class="rows">
                {reports.map((report) => (
                  <li key={report.id}>
                    <strong>{report.meter}</strong> · {time(report.at)} · {report.by}
                    <br />
                    <small class="help">
                      SHA-256 <code>{report.sha256}</code>
                    </small>
                    <ReportLinks id={report.id} />
                  </li>
                ))}
              </ul>
            )
          }
        </Awaited>
      </Section>
      <Section title={t('export')}>
        <Export />
      </Section>
    </>
  );
}

/** The report to be printed, in the language of these pages, and to be kept. */
export function ReportLinks({ id }: { readonly id: string }) {
  const name = encodeURIComponent(id);
  return (
    <div class="actions">
      <a
        class="button plain"
        href={`/api/reports/${name}.html?lang=${language.value}`}
        target="_blank"
        rel="noreferrer"
      >
        {t('report_print')}
      </a>
      <a class="button plain" href={`/api/reports/${name}.json`} download>
        {t('report_json')}
      </a>
    </div>
  );
}

const DAY_MS = 24 * 3_600_000;

/** Where the day after `day` begins: who asks up to a day wants that day too. */
function dayAfter(day: string): string | null {
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS);
  return Number.isNaN(next.getTime()) ? null : next.toISOString();
}

function Export() {
  const [meter, from, to] = [useSignal(''), useSignal(''), useSignal('')];
  const whose = meter.value === '' ? (meterNames.value[0] ?? '') : meter.value;
  const wishes = new URLSearchParams({ meter: whose });
  if (from.value !== '') wishes.set('from', `${from.value}T00:00:00Z`);
  const end = dayAfter(to.value);
  if (end !== null) wishes.set('to', end);
  return (
    <>
      <p class="help">{t('export_help')}</p>
      <div class="two">
        <Choice
          label={t('meter')}
          value={whose}
          options={meterNames.value.map((one) => [one, one])}
          onValue={(one) => {
            meter.value = one;
          }}
        />
        <Text
          label={t('from')}
          type="date"
          value={from.value}
          onValue={(text) => {
            from.value = text;
          }}
        />
        <Text
          label={t('to')}
          type="date"
          value={to.value}
          onValue={(text) => {
            to.value = text;
          }}
        />
      </div>
      <div class="actions">
        <a class="button plain" href={`/api/export.csv?${wishes}`} download>
          {t('export_csv')}
        </a>
      </div>
    </>
  );
}
