// All meters: each row follows its own meter alone, so that two hundred and fifty stay smooth.

import { useComputed, useSignal } from '@preact/signals';
import { ago } from '../format.ts';
import { lineOf, meterNames, status } from '../live.ts';
import { DialFace } from '../parts/dial.tsx';
import { Choice, Text } from '../parts/field.tsx';
import { Busy, Empty } from '../parts/notice.tsx';
import { Title } from '../parts/section.tsx';
import { Sign, type State } from '../parts/sign.tsx';
import { Volume } from '../parts/volume.tsx';
import { go, query } from '../router.ts';
import type { MeterLine } from '../shapes.ts';
import { known, t } from '../words.ts';

const SHOWN = ['all', 'trouble', 'well'] as const;

export function Meters() {
  const words = useSignal(query().get('q') ?? '');
  const shown = useSignal<string>(query().get('show') ?? 'all');
  const names = useComputed(() => {
    const wanted = words.value.trim().toLowerCase();
    return meterNames.value.filter((name) => {
      const line = lineOf(name)?.value;
      return line !== undefined && isWanted(line, wanted, shown.value);
    });
  });
  const keep = () => {
    const wishes = new URLSearchParams({ q: words.value, show: shown.value });
    go(`/meters?${wishes}`, true);
  };
  return (
    <>
      <Title>{t('nav_meters')}</Title>
      <search class="two">
        <Text
          label={t('filter')}
          type="search"
          value={words.value}
          onValue={(text) => {
            words.value = text;
            keep();
          }}
          help={t('filter_help')}
          required
        />
        <Choice
          label={t('show')}
          value={shown.value}
          options={SHOWN.map((one) => [one, t(`show_${one}`)])}
          onValue={(one) => {
            shown.value = one;
            keep();
          }}
        />
      </search>
      <p role="status">{t('meters_shown', { count: names.value.length })}</p>
      {status.value === null ? <Busy says={t('connecting')} /> : null}
      {status.value !== null && names.value.length === 0 ? (
        <Empty says={t(meterNames.value.length === 0 ? 'meters_none' : 'meters_empty')} />
      ) : null}
      <ul class="rows meters card">
        {names.value.map((name) => (
          <li key={name}>
            <Row name={name} />
          </li>
        ))}
      </ul>
    </>
  );
}

function isWanted({ meter, bus, fault }: MeterLine, words: string, shown: string): boolean {
  if (shown === 'trouble' && fault === null) return false;
  if (shown === 'well' && fault !== null) return false;
  return words === '' || meter.toLowerCase().includes(words) || bus.toLowerCase().includes(words);
}

export function stateOf({ fault, read }: Pick<MeterLine, 'fault' | 'read'>): State {
  if (fault !== null) return 'bad';
  return read === null ? 'unknown' : 'ok';
}

export const faultSays = (code: string): string =>
  known(`fault_${code.replaceAll('.', '_')}`) ?? t('fault_other', { code });

function Row({ name }: { readonly name: string }) {
  const line = lineOf(name)?.value;
  if (line === undefined) return null;
  const { digits, unit, pow10, read, fault, use_this_hour: use } = line;
  const state = stateOf(line);
  const hasDial = digits !== null && unit !== null && pow10 !== null;
  return (
    <a class="row" href={`/meters/${name}`}>
      <Sign state={state} />
      <span>
        <strong>{name}</strong>
        <span class="hidden"> {t(`state_${state}`)}</span>
        <br />
        <small class="help">{line.bus}</small>
      </span>
      {hasDial ? (
        <DialFace small read={read} digits={digits} unit={unit} pow10={pow10} />
      ) : (
        <span />
      )}
      {fault === null ? (
        <span class="says soft">
          {hasDial && use !== null ? (
            <>
              {t('this_hour')} <Volume counts={use} unit={unit} pow10={pow10} />
            </>
          ) : null}
        </span>
      ) : (
        <span class="says bad">
          {faultSays(fault.code)} (
          {ago(Date.parse(fault.since), Date.parse(status.peek()?.now ?? fault.since))})
        </span>
      )}
    </a>
  );
}
