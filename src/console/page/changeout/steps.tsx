// The forms of a change-out's steps.

import { useSignal } from '@preact/signals';
import { VOLUME_UNITS } from '../../../domain/units.ts';
import { command, session } from '../api.ts';
import { lineOf } from '../live.ts';
import { useDeed } from '../parts/asked.ts';
import { DialFace } from '../parts/dial.tsx';
import { Button, Check, Choice, Form, Send, Text } from '../parts/field.tsx';
import { Notice, Refused } from '../parts/notice.tsx';
import { Scan } from '../parts/scan.tsx';
import { TypedDial } from '../parts/typed-dial.tsx';
import { isAgreed, Verdict } from '../parts/verdict.tsx';
import type { ReadAnswer, ScanFound, VerifyAnswer } from '../shapes.ts';
import { say, t } from '../words.ts';
import type { Swapping } from './change-out.tsx';

interface Props {
  readonly swapping: Swapping;
}

/** The old encoder is asked while it still hangs there; a dead one is read by eye. */
export function FinalRead({ swapping }: Props) {
  const deed = useDeed();
  const typed = useSignal('');
  const answer = useSignal<ReadAnswer | null>(null);
  const { meter } = swapping.change.value;
  const ask = async () => {
    answer.value = (await deed.run<ReadAnswer>('read', { meter })) ?? null;
  };
  const found = answer.value;
  return (
    <>
      <div class="actions">
        <Button kind="main" onClick={ask} busy={deed.busy.value}>
          {t('read_now')}
        </Button>
      </div>
      <Refused error={deed.error.value} />
      {found === null ? null : (
        <Notice state={found.q === 'S' ? 'warn' : 'ok'}>
          <DialFace read={found.dial} digits={found.digits} unit={found.unit} pow10={found.pow10} />
          <div class="actions">
            <Button
              kind="main"
              busy={swapping.busy}
              onClick={() => swapping.next({ final: found.dial, byEncoder: found.q !== 'S' })}
            >
              {t('final_take')}
            </Button>
          </div>
        </Notice>
      )}
      <Form
        onSubmit={() => swapping.next({ final: typed.value.trim(), byEncoder: false })}
        label={t('final_typed')}
      >
        <Text
          label={t('final_typed')}
          value={typed.value}
          onValue={(text) => {
            typed.value = text;
          }}
          numeric
          required
          large
          max={12}
          pattern="[0-9]+"
          help={t('final_typed_help')}
        />
        <Send kind="plain" busy={swapping.busy}>
          {t('final_take_typed')}
        </Send>
      </Form>
    </>
  );
}

export function Swapped({ swapping }: Props) {
  return (
    <div class="actions">
      <Button kind="main" onClick={() => swapping.next({})} busy={swapping.busy}>
        {t('swapped')}
      </Button>
    </div>
  );
}

/** The new device is looked for on the bus; where it answers as the old one did this can be passed over. */
export function NewMeter({ swapping }: Props) {
  const { meter } = swapping.change.value;
  const bus = lineOf(meter)?.value.bus;
  const found = useSignal<{ profile: string; address?: string; registerId?: string } | null>(null);
  const choose = (one: ScanFound, profile: string) => {
    const id = one.fits.find((fit) => fit.profile === profile)?.id;
    found.value = {
      profile,
      ...(one.address === null ? {} : { address: one.address }),
      ...(id ? { registerId: id } : {}),
    };
  };
  return (
    <>
      {bus === undefined ? null : <Scan bus={bus} onChoose={choose} />}
      <div class="actions">
        {found.value === null ? null : (
          <Button kind="main" onClick={() => swapping.next(found.value ?? {})} busy={swapping.busy}>
            {t('device_take')}
          </Button>
        )}
        <Button onClick={() => swapping.next({})} busy={swapping.busy}>
          {t('same_address')}
        </Button>
      </div>
    </>
  );
}

/** Digits and resolution that a profile's name tells, as ours do. */
function dialOfProfile(profile: string | undefined): { digits: string; pow10: string } | null {
  const [, digits] = /(\d+)-digit/.exec(profile ?? '') ?? [];
  if (digits === undefined) return null;
  return { digits, pow10: digits === '4' ? '2' : '-1' };
}

const POWERS = [-4, -3, -2, -1, 0, 1, 2, 3];

interface NewDial {
  readonly digits: { value: string };
  readonly unit: { value: string };
  readonly pow10: { value: string };
}

function useNewDial({ swapping }: Props): NewDial {
  const { meter, profile } = swapping.change.value;
  const old = lineOf(meter)?.peek();
  const guessed = dialOfProfile(profile);
  return {
    digits: useSignal(guessed?.digits ?? String(old?.digits ?? 8)),
    unit: useSignal<string>(old?.unit ?? 'ft3'),
    pow10: useSignal(guessed?.pow10 ?? String(old?.pow10 ?? -1)),
  };
}

/** What was left empty is not told. */
const typedAs = (key: string, text: string) => (text.trim() === '' ? {} : { [key]: text.trim() });

/** All that is known is told at once: the old installation ends, the new one begins. */
export function Changed({ swapping }: Props) {
  const { meter, final, byEncoder, registerId, inst } = swapping.change.value;
  const dial = useNewDial({ swapping });
  const fields = { initial: useSignal(''), id: useSignal(registerId ?? ''), body: useSignal('') };
  const isForced = useSignal(false);
  const deed = useDeed();
  const change = async () => {
    const answer = await deed.run<{ inst: number }>('changeout', {
      // Told twice by two phones, it is done once.
      ...{ meter, by: session.value?.user ?? '', ...(inst === undefined ? {} : { inst }) },
      ...(final === undefined || byEncoder === true ? {} : { final }),
      ...{
        digits: Number(dial.digits.value),
        unit: dial.unit.value,
        pow10: Number(dial.pow10.value),
      },
      ...typedAs('initial', fields.initial.value),
      ...typedAs('register_id', fields.id.value),
      ...typedAs('body_serial', fields.body.value),
      ...(isForced.value ? { force: true } : {}),
    });
    if (answer === undefined) return;
    await tellSettings(swapping);
    await swapping.next({ inst: answer.inst });
  };
  return (
    <Form onSubmit={change} label={t('change_told')}>
      <DialFields dial={dial} />
      <Text
        label={t('initial_typed')}
        value={fields.initial.value}
        onValue={(text) => {
          fields.initial.value = text;
        }}
        numeric
        large
        max={12}
        pattern="[0-9]*"
        help={t('initial_typed_help')}
      />
      <div class="two">
        <Text
          label={t('register_id')}
          value={fields.id.value}
          onValue={(text) => {
            fields.id.value = text;
          }}
          help={t('register_id_help')}
        />
        <Text
          label={t('body_serial')}
          value={fields.body.value}
          onValue={(text) => {
            fields.body.value = text;
          }}
        />
      </div>
      {deed.error.value?.code === 'verify_failed' ? (
        <Check
          label={t('final_is_right')}
          value={isForced.value}
          onValue={(one) => {
            isForced.value = one;
          }}
        />
      ) : null}
      <Refused error={deed.error.value} />
      <Send busy={deed.busy.value}>{t('change_do')}</Send>
    </Form>
  );
}

function DialFields({ dial }: { readonly dial: NewDial }) {
  return (
    <div class="two">
      <Text
        label={t('digits_new')}
        value={dial.digits.value}
        onValue={(text) => {
          dial.digits.value = text;
        }}
        numeric
        required
        max={2}
        pattern="[0-9]+"
      />
      <Choice
        label={t('unit')}
        value={dial.unit.value}
        options={VOLUME_UNITS.map((one) => [one, say(`unit.${one}`)])}
        onValue={(one) => {
          dial.unit.value = one;
        }}
      />
      <Choice
        label={t('one_count')}
        value={dial.pow10.value}
        options={POWERS.map((one) => [String(one), String(Number((10 ** one).toPrecision(1)))])}
        onValue={(one) => {
          dial.pow10.value = one;
        }}
      />
    </div>
  );
}

/** A device that is asked in another way is told to the settings too, as far as this role may. */
async function tellSettings({ change }: Swapping): Promise<void> {
  const { meter, profile, address } = change.value;
  if (profile === undefined) return;
  const keys = { meter, profile, ...(address === undefined ? {} : { address }) };
  const told = await command('meter.update', keys);
  if (told.ok) await command('config.apply');
}

/** The new dial is proved as at an installation: typed before its encoder's word is shown. */
export function InitialRead({ swapping }: Props) {
  const { meter } = swapping.change.value;
  const deed = useDeed();
  const answer = useSignal<VerifyAnswer | null>(null);
  const verify = async (dial: string) => {
    answer.value = (await deed.run<VerifyAnswer>('verify', { meter, dial })) ?? null;
  };
  const isGood = answer.value !== null && isAgreed(answer.value.verdict);
  return (
    <>
      <TypedDial label={t('change_initial')} busy={deed.busy.value} onDial={verify} />
      <Refused error={deed.error.value} />
      {answer.value === null ? null : <Verdict {...answer.value} />}
      <div class="actions">
        {answer.value === null ? null : (
          <Button kind={isGood ? 'main' : 'plain'} onClick={() => swapping.next({})}>
            {t(isGood ? 'changeout_end' : 'changeout_end_unproved')}
          </Button>
        )}
        <a class="button plain" href={`/meters/${meter}`}>
          {t('see_meter', { meter })}
        </a>
      </div>
    </>
  );
}
