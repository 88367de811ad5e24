// What the use of a meter is watched for: usage alerts and vacations, shown and changed.

import { useSignal } from '@preact/signals';
import { VOLUME_UNITS, type VolumeUnit } from '../../../domain/units.ts';
import { may } from '../api.ts';
import { amountSays, day } from '../format.ts';
import type { MeterShown, Vacation } from '../shapes.ts';
import { say, t } from '../words.ts';
import { useDeed } from './asked.ts';
import { Button, Choice, Form, Send, Text } from './field.tsx';
import { Empty, Notice, Refused } from './notice.tsx';
import { Facts } from './section.tsx';

const unitOptions = VOLUME_UNITS.map((one) => [one, one] as const);
const unitOf = (text: string): VolumeUnit => VOLUME_UNITS.find((one) => one === text) ?? 'gal';

interface Props {
  readonly found: MeterShown;
  readonly again: () => Promise<void>;
}

export function UsageAlerts({ found, again }: Props) {
  const { billing_cycle: cycle, daily, multi_day: several, no_use_days: none } = found.alerts;
  const isEditing = useSignal(false);
  return (
    <>
      <Facts
        facts={[
          [t('alert_daily'), daily ? amountSays(daily) : t('not_watched')],
          [
            t('alert_several'),
            several
              ? t('alert_several_says', { amount: amountSays(several), days: several.days })
              : t('not_watched'),
          ],
          [
            t('alert_cycle'),
            cycle
              ? t('alert_cycle_says', { amount: amountSays(cycle), day: cycle.day })
              : t('not_watched'),
          ],
          [t('alert_none'), none ? t('days', { count: none }) : t('not_watched')],
        ]}
      />
      {may('technician') ? (
        <div class="actions">
          <Button
            expanded={isEditing.value}
            onClick={() => {
              isEditing.value = !isEditing.value;
            }}
          >
            {t('change')}
          </Button>
        </div>
      ) : null}
      {isEditing.value ? (
        <AlertForm
          found={found}
          done={async () => {
            isEditing.value = false;
            await again();
          }}
        />
      ) : null}
    </>
  );
}

function AlertForm({
  found,
  done,
}: {
  readonly found: MeterShown;
  readonly done: () => Promise<void>;
}) {
  const { billing_cycle: cycle, daily, multi_day: several, no_use_days: none } = found.alerts;
  const text = (one: number | null | undefined) => useSignal(one ? String(one) : '');
  const fields = {
    ...{ daily: text(daily?.amount), several: text(several?.amount), cycle: text(cycle?.amount) },
    ...{ days: text(several?.days ?? 7), day: text(cycle?.day ?? 1), none: text(none) },
  };
  const unit = useSignal<string>(daily?.unit ?? several?.unit ?? cycle?.unit ?? 'gal');
  const deed = useDeed();
  const save = async () => {
    const amount = (field: { readonly value: string }, rest: object = {}) =>
      field.value.trim() === ''
        ? null
        : { amount: Number(field.value), unit: unitOf(unit.value), ...rest };
    const wishes = {
      daily: amount(fields.daily),
      multi_day: amount(fields.several, { days: Number(fields.days.value) }),
      billing_cycle: amount(fields.cycle, { day: Number(fields.day.value) }),
      no_use_days: fields.none.value.trim() === '' ? null : Number(fields.none.value),
    };
    const answer = await deed.run('alerts.set', { meter: found.meter, ...wishes });
    if (answer !== undefined) await done();
  };
  const field = (label: string, one: (typeof fields)['daily'], numeric: true | 'decimal') => (
    <Text
      label={label}
      type="number"
      numeric={numeric}
      value={one.value}
      onValue={(typed) => {
        one.value = typed;
      }}
    />
  );
  return (
    <Form onSubmit={save} label={t('usage_alerts')}>
      <p class="help">{t('alerts_help')}</p>
      <Choice
        label={t('unit')}
        value={unit.value}
        options={unitOptions.map(([one]) => [one, say(`unit.${one}`)])}
        onValue={(one) => {
          unit.value = one;
        }}
      />
      <div class="two">
        {field(t('alert_daily'), fields.daily, 'decimal')}
        {field(t('alert_none_days'), fields.none, true)}
        {field(t('alert_several'), fields.several, 'decimal')}
        {field(t('alert_days'), fields.days, true)}
        {field(t('alert_cycle'), fields.cycle, 'decimal')}
        {field(t('alert_day'), fields.day, true)}
      </div>
      <Refused error={deed.error.value} />
      <Send busy={deed.busy.value}>{t('save')}</Send>
    </Form>
  );
}

interface VacationProps {
  readonly meter: string;
  readonly standing: readonly Vacation[];
  readonly again: () => Promise<void>;
}

export function Vacations({ meter, standing, again }: VacationProps) {
  const deed = useDeed();
  const isEditing = useSignal(false);
  const clear = async () => {
    if ((await deed.run('vacation.clear', { meter })) !== undefined) await again();
  };
  // What is over is kept with its meter until another is told, and holds for nobody.
  const due = standing.filter(({ over }) => over !== true);
  return (
    <>
      {due.length === 0 ? <Empty says={t('vacations_none')} /> : null}
      {due.map((one) => (
        <Notice key={one.from} state="unknown">
          <p>{vacationSays(one)}</p>
          {may('technician') ? (
            <Button onClick={clear} busy={deed.busy.value}>
              {t('vacation_end')}
            </Button>
          ) : null}
        </Notice>
      ))}
      <Refused error={deed.error.value} />
      {may('technician') && !isEditing.value ? (
        <div class="actions">
          <Button
            onClick={() => {
              isEditing.value = true;
            }}
          >
            {t('vacation_new')}
          </Button>
        </div>
      ) : null}
      {isEditing.value ? (
        <VacationForm
          meter={meter}
          done={async () => {
            isEditing.value = false;
            await again();
          }}
        />
      ) : null}
    </>
  );
}

/** Dates of a vacation are days of the place, without a zone. */
export const vacationSays = ({ from, to, amount, unit }: Vacation): string =>
  t('vacation_says', {
    ...{ from: day(from), to: day(to) },
    amount: amountSays({ amount, unit }),
  });

function VacationForm({
  meter,
  done,
}: {
  readonly meter: string;
  readonly done: () => Promise<void>;
}) {
  const [from, to, amount] = [useSignal(''), useSignal(''), useSignal('5')];
  const unit = useSignal<string>('gal');
  const deed = useDeed();
  const save = async () => {
    const window = { from: from.value, to: to.value };
    const wish = { meter, ...window, amount: Number(amount.value), unit: unitOf(unit.value) };
    if ((await deed.run('vacation.set', wish)) !== undefined) await done();
  };
  const field = (label: string, one: typeof from, type: 'date' | 'number') => (
    <Text
      label={label}
      type={type}
      numeric={type === 'number' ? 'decimal' : false}
      value={one.value}
      onValue={(typed) => {
        one.value = typed;
      }}
      required
    />
  );
  return (
    <Form onSubmit={save} label={t('vacation_new')}>
      <div class="two">
        {field(t('from'), from, 'date')}
        {field(t('to'), to, 'date')}
        {field(t('vacation_amount'), amount, 'number')}
        <Choice
          label={t('unit')}
          value={unit.value}
          options={unitOptions.map(([one]) => [one, say(`unit.${one}`)])}
          onValue={(one) => {
            unit.value = one;
          }}
        />
      </div>
      <Refused error={deed.error.value} />
      <Send busy={deed.busy.value}>{t('save')}</Send>
    </Form>
  );
}
