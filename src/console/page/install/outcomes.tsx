// What came of each step, in words; why one failed stands by its code.

import type { VNode } from 'preact';
import { VOLUME_UNITS } from '../../../domain/units.ts';
import { number, percent, time, told } from '../format.ts';
import { ReportLinks } from '../pages/reports.tsx';
import { Notice } from '../parts/notice.tsx';
import { Facts } from '../parts/section.tsx';
import { Verdict } from '../parts/verdict.tsx';
import type { Commission, Step, StepResult } from '../shapes.ts';
import { known, t } from '../words.ts';
import { countedIn, isBlind, numberIn, placesIn, textIn } from './results.ts';

interface Props {
  readonly step: Step;
  readonly session: Commission;
}

export function Outcome({ step, session }: Props) {
  const { state, result } = step;
  if (state === 'todo' || (result === null && state !== 'skipped')) return null;
  if (state === 'skipped') {
    return <p>{t('skipped_because', { reason: textIn(result, 'reason') ?? '' })}</p>;
  }
  const tell = TELLERS[step.step];
  return (
    <>
      {state === 'failed' ? <Failed step={step} /> : null}
      {tell === undefined ? null : tell(result ?? {}, session, step)}
    </>
  );
}

/** Steps whose outcome says itself why it failed. */
const SELF_SAID = ['dial', 'tap'];

function Failed({ step }: { readonly step: Step }) {
  const { result } = step;
  const isSaid = SELF_SAID.includes(step.step) && textIn(result, 'verdict') !== null;
  if (isSaid && textIn(result, 'code') !== 'volume_differs') return null;
  const code = textIn(result, 'code') ?? textIn(result, 'cause') ?? 'other';
  const places = placesIn(result);
  const key = code.replaceAll('.', '_');
  const says =
    known(`site.commission_${key}`, places) ??
    known(`doctor.${key}`, places) ??
    known(`fault_${key}`, places) ??
    known(`error_${key}`, places) ??
    t('step_failed', { code });
  const own = textIn(result, 'says') ?? textIn(result, 'message');
  return (
    <Notice state="bad">
      <p>
        <strong>{says}</strong>
      </p>
      {own === null ? null : (
        <details>
          <summary>{t('detail')}</summary>
          <p lang="en">{own}</p>
        </details>
      )}
    </Notice>
  );
}

type Teller = (result: StepResult, session: Commission, step: Step) => VNode | null;

const TELLERS: Readonly<Record<string, Teller>> = {
  port: (result, _, { state }) =>
    state === 'done' ? (
      <p>{t('port_fine', { path: textIn(result, 'path') ?? textIn(result, 'bus') ?? '' })}</p>
    ) : null,
  device: (result, session, { state }) => (
    <Facts
      facts={[
        [t('meter'), textIn(result, 'meter') ?? session.meter],
        [t('address'), textIn(result, 'address')],
        [t('profile'), textIn(result, 'profile')],
        state === 'running' && textIn(result, 'waits_until') !== null
          ? [t('waits_until'), time(textIn(result, 'waits_until') ?? '')]
          : null,
      ]}
    />
  ),
  reads: tellReads,
  dial: (result) => {
    const verdict = textIn(result, 'verdict');
    return verdict === null ? null : <Verdict verdict={verdict} places={placesIn(result)} />;
  },
  resolution: (result) => (
    <Facts
      facts={[
        [t('digits'), textIn(result, 'digits')],
        [t('resolution'), resolutionSays(result)],
      ]}
    />
  ),
  tap: tellTap,
  bind: (result) => (
    <Facts
      facts={['body_serial', 'register_id', 'service_point', 'route'].map((key) => [
        t(key),
        textIn(result, key),
      ])}
    />
  ),
  polls: tellPolls,
  upstream: tellUpstream,
  finish: tellFinish,
};

function resolutionSays(result: StepResult): string | null {
  const [pow10, unit] = [numberIn(result, 'pow10'), textIn(result, 'unit')];
  const known = VOLUME_UNITS.find((one) => one === unit);
  if (pow10 === null || known === undefined) return null;
  const { main, help } = told(10 ** pow10, known, Math.max(0, -pow10));
  return `${main} (${help})`;
}

/** Before the dial is typed the reads only say that they came. */
function tellReads(result: StepResult, session: Commission, { state }: Step): VNode | null {
  const reads = Array.isArray(result['reads']) ? (result['reads'] as StepResult[]) : [];
  if (state === 'running') return <p>{t('reads_so_far', { count: reads.length })}</p>;
  if (state !== 'done') return null;
  if (isBlind(session)) return <p>{t('reads_fine_blind', { count: reads.length })}</p>;
  return (
    <p>
      {t('reads_fine', { count: reads.length })}{' '}
      <span class="mono">
        {reads.map((one) => textIn(one, 'dial') ?? textIn(one, 'read') ?? '').join(', ')}
      </span>
    </p>
  );
}

function tellTap(result: StepResult, _: Commission, { state }: Step): VNode | null {
  const verdict = textIn(result, 'verdict');
  if (verdict === null || state === 'running') return null;
  // It rose, but by another volume than was measured: that is said above.
  if (textIn(result, 'code') === 'volume_differs') return null;
  const others = countedIn(result, 'others').filter(({ counts }) => counts !== 0);
  const places = { meters: others.map(({ meter }) => meter).join(', '), ...placesIn(result) };
  return (
    <>
      <Notice state={state === 'done' ? 'ok' : 'bad'}>
        <p>
          <strong>
            {t(`tap_${verdict}`, { counts: numberIn(result, 'counts') ?? 0, ...places })}
          </strong>
        </p>
      </Notice>
      {others.length === 0 ? null : (
        <ul class="rows">
          {others.map(({ meter, counts }) => (
            <li key={meter}>
              {meter}: {t('counts', { count: counts })}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function tellPolls(result: StepResult): VNode {
  const [asked, ok] = [numberIn(result, 'asked') ?? 0, numberIn(result, 'ok') ?? 0];
  const p95 = numberIn(result, 'p95_ms');
  return (
    <Facts
      facts={[
        [t('polls_asked'), number(asked)],
        [t('polls_ok'), asked === 0 ? null : `${number(ok)} (${percent(ok / asked)})`],
        [t('p95'), p95 === null ? null : t('ms', { ms: number(p95) })],
      ]}
    />
  );
}

function tellUpstream(result: StepResult, _: Commission, { state }: Step): VNode | null {
  const by = textIn(result, 'acknowledged_by');
  const at = textIn(result, 'published_at');
  if (state !== 'done') return null;
  return (
    <Notice state={by === 'head-end' ? 'ok' : 'warn'}>
      <p>
        <strong>{t(`acked_by_${by === null ? 'nobody' : by.replace('-', '_')}`)}</strong>
      </p>
      {at === null ? null : <p>{t('published_at', { at: time(at) })}</p>}
    </Notice>
  );
}

function tellFinish(result: StepResult, { steps }: Commission, { state }: Step): VNode | null {
  if (state !== 'done') return null;
  // Without the dial nothing shows that this meter is the one at that address.
  const isProved = steps.some((one) => one.step === 'dial' && one.state === 'done');
  const id = textIn(result, 'report') ?? textIn(result, 'id');
  const hash = textIn(result, 'sha256');
  return (
    <>
      <Notice state={isProved ? 'ok' : 'warn'}>
        <p>
          <strong>{t(isProved ? 'install_done' : 'install_unproved')}</strong>
        </p>
        {hash === null ? null : (
          <p>
            SHA-256 <code>{hash}</code>
          </p>
        )}
      </Notice>
      {id === null ? null : <ReportLinks id={id} />}
    </>
  );
}
