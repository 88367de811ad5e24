// Signing in: by name and password, or at once by the one-time code of the address.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, isFirstRun, whoAmI } from '../api.ts';
import { oneTimeCode } from '../one-time.ts';
import { useDeed } from '../parts/asked.ts';
import { Form, Send, Text } from '../parts/field.tsx';
import { LanguageSwitch, Threshold } from '../parts/frame.tsx';
import { Busy, Refused } from '../parts/notice.tsx';
import { Title } from '../parts/section.tsx';
import { go, path, place } from '../router.ts';
import { t } from '../words.ts';

let used = false;

export function SignIn() {
  const user = useSignal('');
  const password = useSignal('');
  const deed = useDeed();
  const isRedeeming = useSignal(oneTimeCode !== '' && !used);
  const enter = async (body: object) => {
    const done = await deed.runWith(() => ask('/api/sign-in', body));
    if (deed.error.value?.code === 'setup_required') isFirstRun.value = true;
    if (done === undefined) return;
    await whoAmI();
    if (path() === '/sign-in') go('/', true);
    else place.value = location.pathname + location.search;
  };
  useEffect(() => {
    if (oneTimeCode === '' || used) return;
    used = true;
    void enter({ code: oneTimeCode }).then(() => {
      isRedeeming.value = false;
    });
  }, []);
  // A form that is about to vanish is not to be typed into.
  if (isRedeeming.value) {
    return (
      <Threshold>
        <Title>{t('sign_in')}</Title>
        <Busy says={t('signing_in')} />
      </Threshold>
    );
  }
  return (
    <Threshold>
      <Title>{t('sign_in')}</Title>
      <Form onSubmit={() => enter({ user: user.value.trim(), password: password.value })}>
        <Text
          label={t('user')}
          value={user.value}
          onValue={(text) => {
            user.value = text;
          }}
          required
          name="username"
          complete="username"
        />
        <Text
          label={t('password')}
          type="password"
          value={password.value}
          onValue={(text) => {
            password.value = text;
          }}
          required
          name="password"
          complete="current-password"
        />
        <Refused error={deed.error.value} />
        {deed.busy.value ? <Busy says={t('signing_in')} /> : null}
        <Send busy={deed.busy.value}>{t('sign_in')}</Send>
      </Form>
      <LanguageSwitch />
      <p>
        <a href="/first-run">{t('first_run_link')}</a>
      </p>
    </Threshold>
  );
}
