// What a technician does to a meter here and now: read it, prove its dial, put it out of service.

import { useSignal } from '@preact/signals';
import { time } from '../format.ts';
import { useDeed } from '../parts/asked.ts';
import { DialFace } from '../parts/dial.tsx';
import { Button, Sure } from '../parts/field.tsx';
import { Notice, Refused } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { TypedDial } from '../parts/typed-dial.tsx';
import { Verdict } from '../parts/verdict.tsx';
import type { MeterShown, ReadAnswer, VerifyAnswer } from '../shapes.ts';
import { t } from '../words.ts';

interface Props {
  readonly found: MeterShown;
  readonly again: () => Promise<void>;
}

export function MeterDeeds({ found, again }: Props) {
  const { meter, last } = found;
  return (
    <Section title={t('deeds')}>
      <ReadNow meter={meter} />
      <VerifyDial meter={meter} />
      <h3>{t('service_here')}</h3>
      <Turn
        meter={meter}
        isDisabled={last?.disabled === true}
        isUnder={last?.q === 'T'}
        again={again}
      />
      <div class="actions">
        <a class="button plain" href={`/install?meter=${meter}`}>
          {t('commission_this')}
        </a>
        <a class="button plain" href={`/changeout?meter=${meter}`}>
          {t('nav_changeout')}
        </a>
      </div>
    </Section>
  );
}

function ReadNow({ meter }: { readonly meter: string }) {
  const deed = useDeed();
  const answer = useSignal<ReadAnswer | null>(null);
  const read = async () => {
    answer.value = (await deed.run<ReadAnswer>('read', { meter })) ?? null;
  };
  const found = answer.value;
  return (
    <>
      <div class="actions">
        <Button onClick={read} busy={deed.busy.value}>
          {t('read_now')}
        </Button>
      </div>
      <Refused error={deed.error.value} />
      {found === null ? null : (
        <Notice state={found.q === 'S' ? 'warn' : 'ok'}>
          <DialFace read={found.dial} digits={found.digits} unit={found.unit} pow10={found.pow10} />
          <p>
            {t(`quality_${found.q}`)}
            {found.at === null ? null : ` · ${time(found.at)}`}
          </p>
        </Notice>
      )}
    </>
  );
}

export function VerifyDial({ meter }: { readonly meter: string }) {
  const deed = useDeed();
  const answer = useSignal<VerifyAnswer | null>(null);
  const verify = async (dial: string) => {
    answer.value = (await deed.run<VerifyAnswer>('verify', { meter, dial })) ?? null;
  };
  return (
    <>
      <TypedDial label={t('verify')} busy={deed.busy.value} isMain={false} onDial={verify}>
        <h3>{t('verify')}</h3>
      </TypedDial>
      <Refused error={deed.error.value} />
      {answer.value === null ? null : <Verdict {...answer.value} />}
    </>
  );
}

interface TurnProps {
  readonly meter: string;
  readonly isDisabled: boolean;
  readonly isUnder: boolean;
  readonly again: () => Promise<void>;
}

function Turn({ meter, isDisabled, isUnder, again }: TurnProps) {
  const deed = useDeed();
  const give = async (name: string, rest: object = {}) => {
    if ((await deed.run(name, { meter, ...rest })) !== undefined) await again();
  };
  return (
    <>
      <p class="help">{t('service_help')}</p>
      <div class="actions">
        <Button busy={deed.busy.value} onClick={() => give('meter.maintenance', { off: isUnder })}>
          {t(isUnder ? 'maintenance_end' : 'maintenance_begin')}
        </Button>
        {isDisabled ? (
          <Button busy={deed.busy.value} onClick={() => give('meter.enable')}>
            {t('enable')}
          </Button>
        ) : (
          <Sure what={t('disable')} busy={deed.busy.value} onSure={() => give('meter.disable')} />
        )}
      </div>
      <Refused error={deed.error.value} />
    </>
  );
}
