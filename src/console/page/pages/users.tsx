// Who may sign in, and the tokens of scripts; for admins.

import { useSignal } from '@preact/signals';
import { ask, session } from '../api.ts';
import { time } from '../format.ts';
import { useAsked, useDeed } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Choice, Form, Send, Sure, Text } from '../parts/field.tsx';
import { Notice, Refused } from '../parts/notice.tsx';
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
  /** Null: its owner's account is gone, and it may do nothing. */
  readonly role: string | null;
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

interface Handed {
  readonly user: string;
  readonly code: string;
  readonly minutes: number;
}

function UserList() {
  const asked = useAsked(() => ask<{ users: readonly User[] }>('/api/users'), 'users');
  const deed = useDeed();
  const handed = useSignal<Handed | null>(null);
  const change = async <T,>(user: string, rest: string, body?: object, method?: string) => {
    const path = `/api/users/${encodeURIComponent(user)}${rest}`;
    const done = await deed.runWith(() => ask<T>(path, body, method));
    await asked.again();
    return done;
  };
  const reset = async (user: string) => {
    handed.value = (await change<Handed>(user, '/reset', {}, 'POST')) ?? null;
  };
  return (
    <>
      <Awaited asked={asked}>
        {({ users }) => (
          <ul class="rows">
            {users.map((one) => (
              <li key={one.user}>
                <strong>{one.user}</strong> · {t(`role_${one.role}`)}
                {one.created === undefined ? null : (
                  <small class="help"> · {time(one.created)}</small>
                )}
                {one.user === session.value?.user ? null : (
                  <OneUser
                    user={one}
                    busy={deed.busy.value}
                    setRole={(role) => change(one.user, '', { role }, 'PUT')}
                    reset={() => reset(one.user)}
                    remove={() => change(one.user, '', undefined, 'DELETE')}
                  />
                )}
                {handed.value?.user === one.user ? <HandOver handed={handed.value} /> : null}
              </li>
            ))}
          </ul>
        )}
      </Awaited>
      <Refused error={deed.error.value} />
      <NewUser done={asked.again} />
    </>
  );
}

interface OneUserProps {
  readonly user: User;
  readonly busy: boolean;
  readonly setRole: (role: string) => unknown;
  readonly reset: () => unknown;
  readonly remove: () => unknown;
}

/** What an admin does to another's account; one's own is seen to by another admin, so that one stays. */
function OneUser({ user: { user, role }, busy, setRole, reset, remove }: OneUserProps) {
  return (
    <details>
      <summary>
        {t('change')}
        <span class="hidden"> {user}</span>
      </summary>
      <Choice
        label={t('role_of', { name: user })}
        value={role}
        options={roleOptions()}
        onValue={(one) => void setRole(one)}
      />
      <div class="actions">
        <Sure what={t('reset_named', { name: user })} busy={busy} onSure={reset} />
        <Sure what={t('remove_named', { name: user })} busy={busy} onSure={remove} />
      </div>
    </details>
  );
}

/** A one-time way in for who forgot a password: shown here, and nowhere else. */
function HandOver({ handed: { user, code, minutes } }: { readonly handed: Handed }) {
  return (
    <Notice state="warn">
      <p>{t('reset_done', { name: user, minutes })}</p>
      <p>
        <code>{`${location.origin}/sign-in#code=${code}`}</code>
      </p>
    </Notice>
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
      <Send kind="plain" busy={deed.busy.value}>
        {t('add')}
      </Send>
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
      <Refused error={deed.error.value} />
      <Awaited asked={asked}>
        {({ tokens }) => (
          <ul class="rows">
            {tokens.map((token) => (
              <li key={token.id}>
                <strong>{token.name}</strong> ·{' '}
                {token.role === null ? '–' : t(`role_${token.role}`)}
                <div class="actions">
                  <Sure
                    what={t('remove_named', { name: token.name })}
                    busy={deed.busy.value}
                    onSure={() => revoke(token.id)}
                  />
                </div>
              </li>
            ))}
          </ul>
        )}
      </Awaited>
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
        <Send kind="plain" busy={deed.busy.value}>
          {t('token_create')}
        </Send>
      </Form>
    </>
  );
}
