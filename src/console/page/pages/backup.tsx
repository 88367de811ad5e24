// The journal's room, a backup of it, and a bundle for who helps from afar.

import { may } from '../api.ts';
import { bytes, number } from '../format.ts';
import { useCommand } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Facts, Section, Title } from '../parts/section.tsx';
import { t } from '../words.ts';

interface JournalStats {
  readonly rows: number;
  readonly pending: number;
  readonly bytes: number | null;
  readonly free_bytes: number | null;
  readonly days_kept: { readonly increments: number | null; readonly hours: number | null };
  readonly days_left: number | null;
  readonly written_today: number | null;
  readonly write_budget: number | null;
}

const size = (one: number | null) => (one === null ? null : bytes(one));

export function Backup() {
  const asked = useCommand<JournalStats>('journal.stats');
  return (
    <>
      <Title>{t('nav_backup')}</Title>
      <Section title={t('journal')}>
        <Awaited asked={asked}>
          {(stats) => (
            <Facts
              facts={[
                [t('rows'), number(stats.rows)],
                [t('pending'), number(stats.pending)],
                [t('takes_up'), size(stats.bytes)],
                [t('free'), size(stats.free_bytes)],
                [
                  t('days_kept'),
                  stats.days_kept.hours === null ? null : number(stats.days_kept.hours, 1),
                ],
                [t('days_left'), stats.days_left === null ? null : number(stats.days_left)],
                [
                  t('written_today'),
                  stats.written_today === null || stats.write_budget === null
                    ? null
                    : t('of_budget', {
                        written: bytes(stats.written_today),
                        budget: bytes(stats.write_budget),
                      }),
                ],
              ]}
            />
          )}
        </Awaited>
      </Section>
      {may('admin') ? (
        <Section title={t('backup')}>
          <p>{t('backup_help')}</p>
          <div class="actions">
            <a class="button main" href="/api/backup" download>
              {t('backup_get')}
            </a>
          </div>
          <h3>{t('bundle')}</h3>
          <p>{t('bundle_help')}</p>
          <div class="actions">
            <a class="button plain" href="/api/bundle" download>
              {t('bundle_get')}
            </a>
          </div>
          <h3>{t('restore')}</h3>
          <p>{t('restore_help')}</p>
          <p>
            <code>meter-collector restore FILE --config FILE</code>
          </p>
        </Section>
      ) : null}
    </>
  );
}
