// The way to the head-end: whether it holds, what waits and for how long, its checks, and having hours sent again.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { may } from '../api.ts';
import { every } from '../clock.ts';
import { lasting, number, shownZone, time } from '../format.ts';
import { meterNames, status } from '../live.ts';
import { useCommand, useDeed } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Checks } from '../parts/checks.tsx';
import { Choice, Form, Send, Text } from '../parts/field.tsx';
import { Notice, Refused } from '../parts/notice.tsx';
import { Facts, Section, Title } from '../parts/section.tsx';
import type { QueueStatus } from '../shapes.ts';
import { t } from '../words.ts';

const LOOK_MS = 5_000;

export function Upstream() {
  const asked = useCommand<QueueStatus>('queue.status');
  useEffect(() => every(LOOK_MS, () => void asked.again()), []);
  return (
    <>
      <Title>{t('nav_upstream')}</Title>
      <Section title={t('connection')}>
        <Awaited asked={asked}>{(queue) => <Standing queue={queue} />}</Awaited>
      </Section>
      {may('technician') ? (
        <>
          <Section title={t('upstream_checks')}>
            <p class="help">{t('upstream_checks_help')}</p>
            <Checks area="upstream" />
          </Section>
          <Section title={t('replay')}>
            <Replay />
          </Section>
        </>
      ) : null}
    </>
  );
}

function Standing({ queue }: { readonly queue: QueueStatus }) {
  const { connected, pending, oldest, drain_eta_s: eta, refused } = queue;
  const link = queue.link ?? status.value?.upstream.detail ?? '';
  return (
    <>
      <Notice state={connected ? 'ok' : 'bad'}>
        <p>
          <strong>{t(connected ? 'connected' : 'not_connected')}</strong>
        </p>
        {link === '' ? null : (
          <details>
            <summary>{t('detail')}</summary>
            <p lang="en">{link}</p>
          </details>
        )}
      </Notice>
      {refused > 0 ? (
        <Notice state="bad">{t('upstream_refused', { count: refused })}</Notice>
      ) : null}
      <Facts
        facts={[
          [t('pending'), t('pending_says', { count: pending, waiting: number(pending) })],
          [t('oldest'), oldest === null ? null : time(oldest)],
          [
            t('drain_eta'),
            eta === null ? t('eta_unknown') : eta === 0 ? t('eta_none') : lasting(eta),
          ],
          [t('window'), String(queue.window)],
          queue.awaiting_ack == null ? null : [t('awaiting_ack'), number(queue.awaiting_ack)],
          // Row 0 is none: where PUBACK settles nobody ever acknowledges one.
          queue.acknowledged_row == null || queue.acknowledged_row === 0
            ? null
            : [t('acknowledged_row'), number(queue.acknowledged_row)],
        ]}
      />
    </>
  );
}

/** A time as the field types it, in the zone in which times are shown, as ISO. */
const isoOf = (typed: string): string | undefined => {
  const at = Date.parse(shownZone.value === 'utc' ? `${typed}Z` : typed);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
};

function Replay() {
  const deed = useDeed();
  const [meter, from, to] = [useSignal(''), useSignal(''), useSignal('')];
  const rows = useSignal<number | null>(null);
  const send = async () => {
    rows.value = null;
    const whose = meter.value === '' ? {} : { meter: meter.value };
    const span = { from: isoOf(from.value), to: isoOf(to.value) };
    const answer = await deed.run<{ rows: number }>('queue.resend', { ...whose, ...span });
    rows.value = answer?.rows ?? null;
  };
  return (
    <Form onSubmit={send} label={t('replay')}>
      <p class="help">{t('replay_help')}</p>
      <p class="help">{t(`zone_${shownZone.value}`)}</p>
      <div class="two">
        <Choice
          label={t('meter')}
          value={meter.value}
          options={[['', t('all_meters')], ...meterNames.value.map((one) => [one, one] as const)]}
          onValue={(one) => {
            meter.value = one;
          }}
        />
        <Text
          label={t('from')}
          type="datetime-local"
          value={from.value}
          onValue={(text) => {
            from.value = text;
          }}
          required
        />
        <Text
          label={t('to')}
          type="datetime-local"
          value={to.value}
          onValue={(text) => {
            to.value = text;
          }}
          required
        />
      </div>
      <Refused error={deed.error.value} />
      {rows.value === null ? null : (
        <Notice state="ok">{t('replayed', { count: rows.value })}</Notice>
      )}
      <Send kind="plain" busy={deed.busy.value}>
        {t('send_again')}
      </Send>
    </Form>
  );
}
