// Who may sign in, and the tokens of scripts; for admins.

import { useSignal } from '@preact/signals';
import { ask, session } from '../api.ts';
import { time } from '../format.ts';
import { useAsked, useDeed } from '../parts/asked.ts';
import { Button, Choice, Form, Text } from '../parts/field.tsx';
import { Busy, Notice, Refused } from '../parts/notice.tsx';
import { Section, Title } from '../parts/section.tsx';
import { t } from '../words.ts';

const ROLES = ['viewer', 'technician', 'admin'] as const;
const roleOptions = () => ROLES.map((one) => [one, t(`role_${one}`)] as const);

interface User {
  readonly user: string;
  readonly role: string;
  readonly created?: string;
}

interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly created?: string;
  readonly used?: string | null;
}

export function Users() {
  return (
    <>
      <Title>{t('nav_users')}</Title>
      <Section title={t('nav_users')}>
        <UserList />
      </Section>
      <Section title={t('tokens')}>
        <TokenList />
      </Section>
    </>
  );
}

function UserList() {
  const asked = useAsked(() => ask<{ users: readonly User[] }>('/api/users'), 'users');
  const deed = useDeed();
  const remove = async (user: string) => {
    const path = `/api/users/${encodeURIComponent(user)}`;
    if ((await deed.runWith(() => ask(path, undefined, 'DELETE'))) !== undefined)
      await asked.again();
  };
  return (
    <>
      <Refused error={asked.error.value ?? deed.error.value} />
      {asked.data.value === null && asked.error.value === null ? <Busy says={t('asking')} /> : null}
      <ul class="rows">
        {asked.data.value?.users.map(({ user, role, created }) => (
          <li key={user}>
            <strong>{user}</strong> · {t(`role_${role}`)}
            {created === undefined ? null : <small class="help"> · {time(created)}</small>}
            {user === session.value?.user ? null : (
              <div class="actions">
                <Button kind="danger" busy={deed.busy.value} onClick={() => remove(user)}>
                  {t('remove_named', { name: user })}
                </Button>
              </div>
            )}
          </li>
        ))}
      </ul>
      <NewUser done={asked.again} />
    </>
  );
}

function NewUser({ done }: { readonly done: () => Promise<void> }) {
  const [user, password] = [useSignal(''), useSignal('')];
  const role = useSignal<string>('technician');
  const deed = useDeed();
  const add = async () => {
    const body = { user: user.value.trim(), role: role.value, password: password.value };
    if ((await deed.runWith(() => ask('/api/users', body))) === undefined) return;
    user.value = '';
    password.value = '';
    await done();
  };
  return (
    <Form onSubmit={add} label={t('user_new')}>
      <h3>{t('user_new')}</h3>
      <Text
        label={t('user')}
        value={user.value}
        onValue={(text) => {
          user.value = text;
        }}
        required
      />
      <Choice
        label={t('role')}
        value={role.value}
        options={roleOptions()}
        onValue={(one) => {
          role.value = one;
        }}
        help={t('role_help')}
      />
      <Text
        label={t('password')}
        type="password"
        value={password.value}
        onValue={(text) => {
          password.value = text;
        }}
        required
        complete="new-password"
        help={t('password_help', { least: 10 })}
      />
      <Refused error={deed.error.value} />
      <div class="actions">
        <Button type="submit" busy={deed.busy.value}>
          {t('add')}
        </Button>
      </div>
    </Form>
  );
}

function TokenList() {
  const asked = useAsked(() => ask<{ tokens: readonly Token[] }>('/api/tokens'), 'tokens');
  const deed = useDeed();
  const name = useSignal('');
  const role = useSignal<string>('viewer');
  const fresh = useSignal('');
  const create = async () => {
    const body = { name: name.value.trim(), role: role.value };
    const made = await deed.runWith(() => ask<{ token: string }>('/api/tokens', body));
    if (made === undefined) return;
    fresh.value = made.token;
    name.value = '';
    await asked.again();
  };
  const revoke = async (id: string) => {
    const path = `/api/tokens/${encodeURIComponent(id)}`;
    if ((await deed.runWith(() => ask(path, undefined, 'DELETE'))) !== undefined)
      await asked.again();
  };
  return (
    <>
      <Refused error={asked.error.value ?? deed.error.value} />
      <ul class="rows">
        {asked.data.value?.tokens.map((token) => (
          <li key={token.id}>
            <strong>{token.name}</strong> · {t(`role_${token.role}`)}
            <div class="actions">
              <Button kind="danger" busy={deed.busy.value} onClick={() => revoke(token.id)}>
                {t('remove_named', { name: token.name })}
              </Button>
            </div>
          </li>
        ))}
      </ul>
      {fresh.value === '' ? null : (
        <Notice state="warn">
          <p>{t('token_once')}</p>
          <p>
            <code>{fresh.value}</code>
          </p>
        </Notice>
      )}
      <Form onSubmit={create} label={t('token_new')}>
        <h3>{t('token_new')}</h3>
        <Text
          label={t('token_name')}
          value={name.value}
          onValue={(text) => {
            name.value = text;
          }}
          required
        />
        <Choice
          label={t('role')}
          value={role.value}
          options={roleOptions()}
          onValue={(one) => {
            role.value = one;
          }}
        />
        <div class="actions">
          <Button type="submit" busy={deed.busy.value}>
            {t('token_create')}
          </Button>
        </div>
      </Form>
    </>
  );
}
