// A scan of one bus with its progress, and what it found; the collector goes on polling meanwhile.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { command } from '../api.ts';
import { every } from '../clock.ts';
import { lasting } from '../format.ts';
import type { ScanFound, ScanProgress } from '../shapes.ts';
import { t } from '../words.ts';
import { useDeed } from './asked.ts';
import { Button, Form, Text } from './field.tsx';
import { Busy, Empty, Notice, Refused } from './notice.tsx';

const LOOK_MS = 1_000;

interface Scanned {
  readonly buses: readonly { readonly scan: ScanProgress | null }[];
}

interface Props {
  readonly bus: string;
  /** Where something is chosen of what was found. */
  readonly onChoose?: (found: ScanFound, profile: string) => void;
}

export function Scan({ bus, onChoose }: Props) {
  const deed = useDeed();
  const addresses = useSignal('');
  const progress = useSignal<ScanProgress | null>(null);
  const look = async () => {
    const answer = await command<ScanProgress>('bus.scan.progress', { bus });
    if (answer.ok) progress.value = answer.data;
  };
  // One that was begun before, here or by somebody else, is followed too.
  const resume = async () => {
    const answer = await command<Scanned>('bus.stats', { bus });
    if (answer.ok && progress.peek() === null) progress.value = answer.data.buses[0]?.scan ?? null;
  };
  useEffect(() => {
    void resume();
    return every(LOOK_MS, () => {
      if (progress.peek()?.over === false) void look();
    });
  }, [bus]);
  const begin = async () => {
    const wish = addresses.value.trim() === '' ? {} : { addresses: addresses.value.trim() };
    const answer = await deed.run<ScanProgress>('bus.scan', { bus, ...wish });
    if (answer !== undefined) progress.value = answer;
  };
  const stop = async () => {
    const answer = await deed.run<ScanProgress>('bus.scan.stop', { bus });
    if (answer !== undefined) progress.value = answer;
  };
  const now = progress.value;
  const isRunning = now?.over === false;
  return (
    <div>
      <Form onSubmit={begin} label={t('scan')}>
        <Text
          label={t('addresses')}
          value={addresses.value}
          onValue={(text) => {
            addresses.value = text;
          }}
          help={t('addresses_help')}
        />
        <div class="actions">
          <Button kind="main" type="submit" busy={deed.busy.value || isRunning}>
            {t(now === null ? 'scan' : 'scan_again')}
          </Button>
          {isRunning ? <Button onClick={stop}>{t('stop')}</Button> : null}
        </div>
      </Form>
      <Refused error={deed.error.value} />
      {now === null ? null : <Progress now={now} />}
      {now === null ? null : <Found now={now} bus={bus} onChoose={onChoose} />}
    </div>
  );
}

function Progress({ now }: { readonly now: ScanProgress }) {
  if (now.fault !== null) {
    return (
      <Notice state="bad">
        <p>{t('scan_failed')}</p>
        <p lang="en">
          <code>{now.fault}</code>
        </p>
      </Notice>
    );
  }
  return (
    <>
      <progress max={Math.max(1, now.of)} value={now.asked} aria-label={t('scan_progress')} />
      {now.over ? (
        <p role="status">{t('scan_over', { count: now.found.length })}</p>
      ) : (
        <Busy
          says={t('scan_running', {
            ...{ asked: now.asked, of: now.of, count: now.found.length },
            left: lasting(now.left_ms / 1000),
          })}
        />
      )}
    </>
  );
}

interface FoundProps {
  readonly now: ScanProgress;
  readonly bus: string;
  readonly onChoose: Props['onChoose'] | undefined;
}

function Found({ now, bus, onChoose }: FoundProps) {
  const chosen = useSignal('');
  const devices = now.found.flatMap((one) => {
    const fits = one.fits.length === 0 ? [null] : one.fits;
    return fits.map((fit) => ({ one, fit, key: `${one.address} ${fit?.profile ?? '?'}` }));
  });
  if (devices.length === 0) return now.over ? <Empty says={t('scan_none', { bus })} /> : null;
  if (onChoose === undefined) {
    return (
      <ul class="rows">
        {devices.map(({ one, fit, key }) => (
          <li key={key}>
            <strong>{deviceName(one)}</strong> {fit === null ? t('no_fit') : fit.profile}{' '}
            <span class="mono">{fit?.digits ?? ''}</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <fieldset class="found">
      <legend>{t('scan_choose')}</legend>
      {devices.map(({ one, fit, key }) => (
        <label key={key}>
          <input
            type="radio"
            name="device"
            checked={chosen.value === key}
            disabled={fit === null}
            onChange={() => {
              chosen.value = key;
              if (fit !== null) onChoose(one, fit.profile);
            }}
          />
          <strong>{deviceName(one)}</strong>
          <span class="soft">
            {fit === null ? t('no_fit') : fit.profile}
            {fit?.id ? ` · ${t('register_id')} ${fit.id}` : ''}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const deviceName = ({ address, baud, parity, garbled }: ScanFound): string =>
  [
    address === null ? t('speaks_itself') : t('at_address', { address }),
    baud === null ? '' : `${baud} ${parity ?? ''}`,
    garbled ? t('garbled') : '',
  ]
    .filter((one) => one !== '')
    .join(' · ');
