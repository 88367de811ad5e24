// The first run: the code from the collector proves who stands here, and a name and a password are chosen. There is no default.

import { useSignal } from '@preact/signals';
import { ask, type Refusal, session, whoAmI } from '../api.ts';
import { oneTimeCode } from '../one-time.ts';
import { useDeed } from '../parts/asked.ts';
import { Form, Send, Text } from '../parts/field.tsx';
import { LanguageSwitch, Threshold } from '../parts/frame.tsx';
import { Refused } from '../parts/notice.tsx';
import { Title } from '../parts/section.tsx';
import { go } from '../router.ts';
import { language, t } from '../words.ts';

/** The collector asks for no fewer; said before it is sent. */
export const PASSWORD_LEAST = 10;

export function FirstRun() {
  const code = useSignal(oneTimeCode);
  const user = useSignal('admin');
  const [password, again] = [useSignal(''), useSignal('')];
  const wrong = useSignal<Refusal | null>(null);
  const deed = useDeed();
  // Who came in by a one-time code of their own only lacks a password.
  const isKnown = Boolean(session.value);
  const set = async () => {
    wrong.value = problemOf(password.value, again.value);
    if (wrong.value !== null) return;
    const body = {
      ...{ code: code.value.trim(), user: user.value.trim(), password: password.value },
      language: language.value,
    };
    const done = await deed.runWith(() =>
      isKnown ? ask('/api/password', { password: password.value }) : ask('/api/first-run', body),
    );
    if (done === undefined) return;
    await whoAmI();
    go('/', true);
  };
  const text = (label: string, field: typeof code, rest: object) => (
    <Text
      label={label}
      value={field.value}
      onValue={(typed) => {
        field.value = typed;
      }}
      required
      {...rest}
    />
  );
  return (
    <Threshold>
      <Title>{t(isKnown ? 'password_new' : 'first_run')}</Title>
      <p>{t(isKnown ? 'password_new_says' : 'first_run_says')}</p>
      <LanguageSwitch />
      <Form onSubmit={set}>
        {isKnown || oneTimeCode !== '' ? null : text(t('code'), code, { help: t('code_help') })}
        {isKnown ? null : text(t('user'), user, { complete: 'username', name: 'username' })}
        {text(t('password'), password, {
          ...{ type: 'password', complete: 'new-password', name: 'new-password' },
          help: t('password_help', { least: PASSWORD_LEAST }),
        })}
        {text(t('password_again'), again, { type: 'password', complete: 'new-password' })}
        <Refused error={wrong.value ?? deed.error.value} />
        <Send busy={deed.busy.value}>{t('begin')}</Send>
      </Form>
      {isKnown ? null : (
        <p>
          <a href="/sign-in">{t('sign_in')}</a>
        </p>
      )}
    </Threshold>
  );
}

export function problemOf(password: string, again: string): Refusal | null {
  const refusal = (code: string) => ({ code, message: '', hint: '' });
  if (password !== again) return refusal('passwords_differ');
  return password.length < PASSWORD_LEAST ? refusal('password_short') : null;
}
