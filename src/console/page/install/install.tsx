// Installing a meter: begun here or taken up again where it was left, for its state is kept by the collector.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { command, session } from '../api.ts';
import { time } from '../format.ts';
import { meterNames, status } from '../live.ts';
import { useAsked, useDeed } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Choice, Form, Send, Sure } from '../parts/field.tsx';
import { Empty, Refused } from '../parts/notice.tsx';
import { Section, Title } from '../parts/section.tsx';
import { go, query } from '../router.ts';
import type { Commission } from '../shapes.ts';
import { t } from '../words.ts';
import { Wizard } from './wizard.tsx';

export function Install() {
  const id = query().get('id');
  return (
    <>
      <Title>{t('nav_install')}</Title>
      {id === null ? <Choose /> : <Resumed key={id} id={id} />}
    </>
  );
}

function Resumed({ id }: { readonly id: string }) {
  const asked = useAsked(() => command<Commission>('commission.get', { id }), id);
  return <Awaited asked={asked}>{(begun) => <Wizard begun={begun} />}</Awaited>;
}

interface Sessions {
  readonly sessions: readonly Commission[];
}

function Choose() {
  const asked = useAsked(() => command<Sessions>('commission.list'), 'list');
  return (
    <>
      <Awaited asked={asked}>
        {({ sessions }) => <Open sessions={sessions} again={asked.again} />}
      </Awaited>
      <Begin />
    </>
  );
}

interface OpenProps extends Sessions {
  readonly again: () => Promise<void>;
}

/** Installations that somebody began and did not end. */
function Open({ sessions, again }: OpenProps) {
  const open = sessions.filter(({ done, ended }) => !done && !ended);
  const deed = useDeed();
  const cancel = async (id: string) => {
    if ((await deed.run('commission.cancel', { id })) !== undefined) await again();
  };
  if (open.length === 0) return null;
  return (
    <Section title={t('install_open')}>
      <Refused error={deed.error.value} />
      <ul class="rows">
        {open.map((one) => (
          <li key={one.id}>
            <strong>{one.meter ?? one.bus ?? one.id}</strong> · {time(one.began)} · {one.by}
            <div class="actions">
              <a class="button main" href={`/install?id=${encodeURIComponent(one.id)}`}>
                {t('go_on')}
              </a>
              <Sure what={t('give_up')} onSure={() => cancel(one.id)} busy={deed.busy.value} />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Begin() {
  const deed = useDeed();
  const wished = query().get('meter') ?? '';
  const how = useSignal(wished === '' ? 'new' : 'known');
  const [bus, meter] = [useSignal(''), useSignal(wished)];
  const buses = status.value?.buses ?? [];
  const names = meterNames.value;
  useEffect(() => {
    if (bus.value === '') bus.value = buses[0]?.bus ?? '';
    if (meter.value === '') meter.value = names[0] ?? '';
  }, [buses.length, names.length]);
  const begin = async () => {
    const about = how.value === 'new' ? { bus: bus.value } : { meter: meter.value };
    const by = session.value?.user ?? '';
    const begun = await deed.run<Commission>('commission.begin', { ...about, by });
    if (begun !== undefined) go(`/install?id=${encodeURIComponent(begun.id)}`);
  };
  // Nothing to choose from is no choice.
  if (status.value !== null && buses.length === 0) {
    return (
      <Section title={t('install_begin')}>
        <Empty says={`${t('bus_none')} ${t('bus_none_next')}`} />
      </Section>
    );
  }
  return (
    <Section title={t('install_begin')}>
      <p>{t('install_says')}</p>
      <Form onSubmit={begin} label={t('install_begin')}>
        <Choice
          label={t('install_what')}
          value={how.value}
          options={[
            ['new', t('install_new')],
            ['known', t('install_known')],
          ]}
          onValue={(one) => {
            how.value = one;
          }}
        />
        {how.value === 'new' ? (
          <Choice
            label={t('bus')}
            value={bus.value}
            options={buses.map((one) => [one.bus, `${one.bus} (${t(`bus_type_${one.type}`)})`])}
            onValue={(one) => {
              bus.value = one;
            }}
          />
        ) : (
          <Choice
            label={t('meter')}
            value={meter.value}
            options={names.map((one) => [one, one])}
            onValue={(one) => {
              meter.value = one;
            }}
          />
        )}
        <Refused error={deed.error.value} />
        <Send busy={deed.busy.value}>{t('begin')}</Send>
      </Form>
    </Section>
  );
}
