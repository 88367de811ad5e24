// Asking the collector: commands by POST, and who is signed in. A refusal is a value with a code.

import { signal } from '@preact/signals';
import { read, write } from './kept.ts';

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
  readonly language?: string | null;
  readonly units?: string | null;
  readonly collector?: string;
  readonly version?: string;
  readonly timezone?: string;
  /** Came in by a one-time code and has no password: one is to be chosen. */
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
  try {
    const response = await fetch(path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      // A wish outlives the page on which it was made.
      keepalive: method === 'PUT',
    });
    const answer = await answerOf<T>(response);
    if (!answer.ok) learnFrom(answer.error);
    return answer;
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

/** Runs a command of the collector. */
export async function command<T>(name: string, args: object = {}): Promise<Answer<T>> {
  const answer = await ask<{ data: T }>(`/api/commands/${name}`, args);
  if (answer.ok) return { ok: true, data: answer.data.data };
  return answer;
}

/** Who is not signed in any more is asked to; whose role was changed under an open page is shown what is theirs. */
function learnFrom({ code }: Refusal): void {
  if (code === 'unauthorized') session.value = null;
  else if (code === 'forbidden') void whoAmI();
}

/** Set in a browser in which somebody signed in: without it nobody is, and the collector need not be asked. */
const SIGNED = 'signed';

/** Finds out who is signed in. Where the collector does not answer, what was known stays. */
export async function whoAmI(): Promise<void> {
  if (read(SIGNED) === null && session.value === undefined) {
    session.value = null;
    return;
  }
  const answer = await ask<Session>('/api/session');
  if (answer.ok) {
    write(SIGNED, 'yes');
    isFirstRun.value = false;
    session.value = answer.data;
    return;
  }
  if (answer.error.code !== 'network') write(SIGNED, null);
  const { code } = answer.error;
  isFirstRun.value = code === 'setup_required';
  if (code === 'setup_required' || code === 'unauthorized') session.value = null;
}
