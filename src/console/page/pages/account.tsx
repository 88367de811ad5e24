// A person's own account: who they are here, and another password.

import { useSignal } from '@preact/signals';
import { ask, type Refusal, session } from '../api.ts';
import { useDeed } from '../parts/asked.ts';
import { Form, Send, Text } from '../parts/field.tsx';
import { Notice, Refused } from '../parts/notice.tsx';
import { Facts, Section, Title } from '../parts/section.tsx';
import { t } from '../words.ts';
import { PASSWORD_LEAST, problemOf } from './first-run.tsx';

export function Account() {
  const who = session.value;
  return (
    <>
      <Title>{t('nav_account')}</Title>
      <Section title={who?.user ?? ''}>
        <Facts facts={[[t('role'), t(`role_${who?.role ?? 'viewer'}`)]]} />
        <p class="help">{t('role_help')}</p>
      </Section>
      <Section title={t('password_own')}>
        <OwnPassword />
      </Section>
    </>
  );
}

function OwnPassword() {
  const [before, password, again] = [useSignal(''), useSignal(''), useSignal('')];
  const wrong = useSignal<Refusal | null>(null);
  const isDone = useSignal(false);
  const deed = useDeed();
  const set = async () => {
    isDone.value = false;
    wrong.value = problemOf(password.value, again.value);
    if (wrong.value !== null) return;
    const body = { before: before.value, password: password.value };
    if ((await deed.runWith(() => ask('/api/password', body))) === undefined) return;
    for (const field of [before, password, again]) field.value = '';
    isDone.value = true;
  };
  const text = (label: string, field: typeof before, complete: string, help?: string) => (
    <Text
      label={label}
      type="password"
      value={field.value}
      onValue={(typed) => {
        field.value = typed;
      }}
      required
      complete={complete}
      help={help}
    />
  );
  return (
    <Form onSubmit={set} label={t('password_own')}>
      {text(t('password_before'), before, 'current-password')}
      {text(
        ...([t('password'), password, 'new-password'] as const),
        t('password_help', { least: PASSWORD_LEAST }),
      )}
      {text(t('password_again'), again, 'new-password')}
      <Refused error={wrong.value ?? deed.error.value} />
      {isDone.value ? <Notice state="ok">{t('password_changed')}</Notice> : null}
      <Send busy={deed.busy.value}>{t('save')}</Send>
    </Form>
  );
}
