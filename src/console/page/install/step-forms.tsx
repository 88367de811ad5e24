// The form of each step of an installation.

import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { VOLUME_UNITS } from '../../../domain/units.ts';
import { told } from '../format.ts';
import { Button, Check, Choice, Form, Send, Text } from '../parts/field.tsx';
import { Busy, Notice } from '../parts/notice.tsx';
import { Scan } from '../parts/scan.tsx';
import { TypedDial } from '../parts/typed-dial.tsx';
import type { ScanFound, Step } from '../shapes.ts';
import { say, t } from '../words.ts';
import { numberIn, resultOf, textIn } from './results.ts';
import { TapForm } from './tap-form.tsx';
import type { Bench } from './wizard.tsx';

interface Props {
  readonly step: Step;
  readonly bench: Bench;
}

export function StepForm(props: Props) {
  const Shown = FORMS[props.step.step] ?? Plain;
  return <Shown {...props} />;
}

const FORMS: Readonly<Record<string, ComponentType<Props>>> = {
  device: DeviceForm,
  dial: DialForm,
  resolution: ResolutionForm,
  tap: TapForm,
  bind: BindForm,
};

/** A step that only needs to be begun. */
function Plain({ step, bench }: Props) {
  const isRunning = step.state === 'running';
  if (step.step === 'finish' && step.state === 'done') return null;
  const again = step.state === 'failed' || step.state === 'done';
  return (
    <>
      {isRunning ? <Busy says={t(`step_${step.step}_running`)} /> : null}
      <div class="actions">
        <Button
          kind="main"
          busy={bench.deed.busy.value || isRunning}
          onClick={() => bench.act(step.step)}
        >
          {t(again ? 'try_again' : `step_${step.step}_do`)}
        </Button>
      </div>
    </>
  );
}

/** What the scan finds is chosen; then the place gets its name. */
function DeviceForm({ bench }: Props) {
  const { session, act, deed } = bench;
  const found = useSignal<{ one: ScanFound; profile: string } | null>(null);
  const [meter, address, profile] = [useSignal(''), useSignal(''), useSignal('')];
  const { bus, meter: known } = session.value;
  const busName = bus ?? textIn(resultOf(session.value, 'port'), 'bus');
  if (known !== null) {
    return (
      <div class="actions">
        <Button kind="main" busy={deed.busy.value} onClick={() => act('device', { meter: known })}>
          {t('device_this', { meter: known })}
        </Button>
      </div>
    );
  }
  const choose = (one: ScanFound, name: string) => {
    found.value = { one, profile: name };
    address.value = one.address ?? '';
    profile.value = name;
  };
  const take = () =>
    act('device', {
      ...{ meter: meter.value.trim(), profile: profile.value.trim() },
      ...(busName === null ? {} : { bus: busName }),
      ...(address.value.trim() === '' ? {} : { address: address.value.trim() }),
    });
  const field = (label: string, one: typeof meter, help?: string) => (
    <Text
      label={label}
      value={one.value}
      onValue={(text) => {
        one.value = text;
      }}
      required
      help={help}
    />
  );
  return (
    <>
      {busName === null ? null : <Scan bus={busName} onChoose={choose} />}
      <Form onSubmit={take} label={t('step_device')}>
        {field(t('meter_name'), meter, t('meter_name_help'))}
        <div class="two">
          {field(t('address'), address)}
          {field(t('profile'), profile)}
        </div>
        <Send busy={deed.busy.value}>{t('step_device_do')}</Send>
      </Form>
    </>
  );
}

function DialForm({ bench }: Props) {
  return (
    <TypedDial
      label={t('step_dial')}
      busy={bench.deed.busy.value}
      onDial={(dial) => bench.act('dial', { dial })}
    />
  );
}

/** Powers of ten that dials have. */
const POWERS = [-4, -3, -2, -1, 0, 1, 2, 3];

function ResolutionForm({ step, bench }: Props) {
  const dial = resultOf(bench.session.value, 'dial');
  const isRight = useSignal(false);
  const digits = useSignal(textIn(dial, 'digits') ?? '');
  const unit = useSignal<string>(textIn(dial, 'unit') ?? 'ft3');
  const pow10 = useSignal(String(numberIn(dial, 'pow10') ?? -1));
  const check = () =>
    bench.act('resolution', {
      ...{ digits: Number(digits.value), unit: unit.value, pow10: Number(pow10.value) },
      ...(isRight.value ? { accept: true } : {}),
    });
  const known = VOLUME_UNITS.find((one) => one === unit.value) ?? 'ft3';
  const { main, help } = told(10 ** Number(pow10.value), known, Math.max(0, -Number(pow10.value)));
  return (
    <Form onSubmit={check} label={t('step_resolution')}>
      <Text
        label={t('digits')}
        value={digits.value}
        onValue={(text) => {
          digits.value = text;
        }}
        numeric
        required
        max={2}
        pattern="[0-9]+"
      />
      <div class="two">
        <Choice
          label={t('unit')}
          value={unit.value}
          options={VOLUME_UNITS.map((one) => [one, say(`unit.${one}`)])}
          onValue={(one) => {
            unit.value = one;
          }}
        />
        <Choice
          label={t('one_count')}
          value={pow10.value}
          options={POWERS.map((one) => [String(one), String(Number((10 ** one).toPrecision(1)))])}
          onValue={(one) => {
            pow10.value = one;
          }}
        />
      </div>
      <Notice state="unknown">
        <p>{t('one_count_says', { volume: main, help })}</p>
      </Notice>
      {textIn(step.result, 'code') === 'resolution_differs' ? (
        <Check
          label={t('dial_is_right')}
          value={isRight.value}
          onValue={(one) => {
            isRight.value = one;
          }}
        />
      ) : null}
      <Send busy={bench.deed.busy.value}>{t('step_resolution_do')}</Send>
    </Form>
  );
}

const BOUND = ['body_serial', 'register_id', 'service_point', 'route'] as const;

function BindForm({ step, bench }: Props) {
  const before = (key: string) => textIn(step.result, key) ?? '';
  const fields = {
    ...{
      body_serial: useSignal(before('body_serial')),
      register_id: useSignal(before('register_id')),
    },
    ...{ service_point: useSignal(before('service_point')), route: useSignal(before('route')) },
  };
  const bind = () => {
    const given = BOUND.flatMap((key) => {
      const text = fields[key].value.trim();
      return text === '' ? [] : [[key, text] as const];
    });
    return bench.act('bind', Object.fromEntries(given));
  };
  return (
    <Form onSubmit={bind} label={t('step_bind')}>
      <div class="two">
        {BOUND.map((key) => (
          <Text
            key={key}
            label={t(key)}
            value={fields[key].value}
            onValue={(text) => {
              fields[key].value = text;
            }}
            help={key === 'register_id' ? t('register_id_help') : undefined}
          />
        ))}
      </div>
      <Send busy={bench.deed.busy.value}>{t('save')}</Send>
    </Form>
  );
}
