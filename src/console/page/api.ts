// Asking the collector: commands by POST, and who is signed in. A refusal is a value with a code.

import { signal } from '@preact/signals';

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type Answer<T> =
  | { readonly ok: true; readonly data: T }
  | { readonly ok: false; readonly error: Refusal };

export type Role = 'viewer' | 'technician' | 'admin';

export interface Session {
  readonly user: string;
  readonly role: Role;
  readonly csrf?: string;
  readonly language?: string;
  readonly collector?: string;
  readonly version?: string;
  readonly timezone?: string;
  /** A one-time sign-in: a password is to be chosen. */
  readonly first_run?: boolean;
}

/** Undefined until the collector has said; null for nobody. */
export const session = signal<Session | null | undefined>(undefined);
/** No user exists yet. */
export const isFirstRun = signal(false);

const RANK: readonly Role[] = ['viewer', 'technician', 'admin'];
/** Whether who is signed in may do what needs `role`. */
export const may = (role: Role): boolean =>
  RANK.indexOf(session.value?.role ?? 'viewer') >= RANK.indexOf(role);

const AWAY: Refusal = { code: 'network', message: '', hint: '' };

/** Asks `path`; a JSON body makes it a POST unless `method` says otherwise. Never rejects. */
export async function ask<T>(path: string, body?: object, method?: string): Promise<Answer<T>> {
  const csrf = session.value?.csrf;
  try {
    const response = await fetch(path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(csrf === undefined ? {} : { 'x-csrf-token': csrf }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
    });
    return await answerOf<T>(response);
  } catch {
    return { ok: false, error: AWAY };
  }
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const said: unknown = text === '' ? {} : JSON.parse(text);
  if (response.ok) return { ok: true, data: said as T };
  const { error } = said as { error?: Partial<Refusal> & { first_run?: boolean } };
  const { code = `http_${response.status}`, message = '', hint = '' } = error ?? {};
  return { ok: false, error: { code, message, hint } };
}

/** Runs a command of the collector. Who is not signed in any more is asked to. */
export async function command<T>(name: string, args: object = {}): Promise<Answer<T>> {
  const answer = await ask<{ data: T }>(`/api/commands/${name}`, args);
  if (answer.ok) return { ok: true, data: answer.data.data };
  if (answer.error.code === 'unauthorized' || answer.error.code === 'http_401') {
    session.value = null;
  }
  return answer;
}

/** Finds out who is signed in. */
export async function whoAmI(): Promise<void> {
  const answer = await ask<Session & { first_run?: boolean }>('/api/session');
  if (answer.ok) {
    const { first_run, user } = answer.data;
    isFirstRun.value = first_run === true && !user;
    session.value = user ? answer.data : null;
    return;
  }
  isFirstRun.value = answer.error.code === 'first_run';
  if (answer.error.code !== 'network') session.value = null;
}
