// The settings: a form from their schema, what would change before it is saved, and what takes effect at once.

import { type Signal, useSignal } from '@preact/signals';
import { type Answer, command } from '../api.ts';
import { useAsked, useDeed } from '../parts/asked.ts';
import { Awaited } from '../parts/awaited.tsx';
import { Button, Form } from '../parts/field.tsx';
import { Notice, Refused } from '../parts/notice.tsx';
import { Section, Title } from '../parts/section.tsx';
import type { Schema } from '../settings/schema.ts';
import { type Changes, Fields } from '../settings/schema-form.tsx';
import { t } from '../words.ts';

interface Said {
  readonly rev: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

interface Change {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly restart: boolean;
}

interface Applied {
  readonly applied?: readonly unknown[];
  readonly restart_required?: readonly unknown[];
}

export function SettingsPage() {
  const schema = useAsked(() => command<Schema>('config.schema'), 'schema');
  const said = useAsked(readSettings, 'settings');
  // Outlives the form, which begins anew with what is in the file now.
  const outcome = useSignal<Applied | null>(null);
  return (
    <>
      <Title>{t('nav_settings')}</Title>
      <Awaited asked={schema}>
        {(root) => (
          <Awaited asked={said}>
            {(found) => (
              <Edit key={found.rev} root={root} said={found} again={said.again} outcome={outcome} />
            )}
          </Awaited>
        )}
      </Awaited>
    </>
  );
}

/** The whole, or section by section where the whole is too much for one answer. */
async function readSettings(): Promise<Answer<Said>> {
  const whole = await command<Said>('config.get');
  if (whole.ok || whole.error.code !== 'bad_request') return whole;
  const parts: Record<string, unknown> = {};
  let rev = '';
  for (const section of SECTIONS) {
    const answer = await command<{ rev: string; settings: unknown }>('config.get', { section });
    if (!answer.ok) continue;
    rev = answer.data.rev;
    parts[section] = answer.data.settings;
  }
  return { ok: true, data: { rev, settings: parts } };
}

const SECTIONS = ['log', 'time', 'upstream', 'journal', 'alerts', 'console', 'buses', 'meters'];

interface EditProps {
  readonly root: Schema;
  readonly said: Said;
  readonly again: () => Promise<void>;
  readonly outcome: Signal<Applied | null>;
}

function Edit({ root, said, again, outcome }: EditProps) {
  const changes: Changes = useSignal(new Map());
  const differences = useSignal<readonly Change[] | null>(null);
  const deed = useDeed();
  const steps = () =>
    [...changes.value].map(([path, value]) => ({
      path,
      ...(value === undefined ? {} : { value }),
    }));
  const compare = async () => {
    outcome.value = null;
    const wish = { changes: steps() };
    const answer = await deed.run<{ changes: readonly Change[] }>('config.diff', wish);
    differences.value = answer?.changes ?? null;
  };
  const save = async () => {
    const wish = { changes: steps(), if_rev: said.rev };
    if ((await deed.run('config.set', wish)) === undefined) return;
    outcome.value = (await deed.run<Applied>('config.apply')) ?? {};
    differences.value = null;
    changes.value = new Map();
    await again();
  };
  return (
    <>
      <Form onSubmit={compare} label={t('nav_settings')}>
        <Section title={t('nav_settings')}>
          <p class="help">{t('settings_help')}</p>
          <Fields schema={root} root={root} said={said.settings} path="" changes={changes} />
        </Section>
      </Form>
      <div class={changes.value.size === 0 ? 'standing' : 'standing held'}>
        <Section title={t('changes')}>
          <p role="status">{t('changes_count', { count: changes.value.size })}</p>
          {changes.value.size === 0 ? null : (
            <div class="actions">
              <Button kind="main" onClick={compare} busy={deed.busy.value}>
                {t('see_changes')}
              </Button>
            </div>
          )}
          <Refused
            error={deed.error.value}
            says={{ verify_failed: t('settings_bad'), conflict: t('settings_moved') }}
          />
          {differences.value === null ? null : (
            <Differences all={differences.value} save={save} busy={deed.busy.value} />
          )}
          {outcome.value === null ? null : <Outcome outcome={outcome.value} />}
        </Section>
      </div>
    </>
  );
}

const shown = (one: unknown): string =>
  one === undefined || one === null
    ? '-'
    : typeof one === 'object'
      ? JSON.stringify(one)
      : String(one);

interface DifferencesProps {
  readonly all: readonly Change[];
  readonly save: () => Promise<void>;
  readonly busy: boolean;
}

function Differences({ all, save, busy }: DifferencesProps) {
  return (
    <>
      <ul class="rows">
        {all.map(({ path, before, after, restart }) => (
          <li key={path}>
            <code>{path}</code>
            <br />
            <span class="hidden">{t('before')}: </span>
            <del>{shown(before)}</del> → <span class="hidden">{t('after')}: </span>
            <ins>{shown(after)}</ins>{' '}
            <small class="help">({t(restart ? 'at_restart' : 'at_once')})</small>
          </li>
        ))}
      </ul>
      <div class="actions">
        <Button kind="main" onClick={save} busy={busy}>
          {t('save')}
        </Button>
      </div>
    </>
  );
}

function Outcome({ outcome }: { readonly outcome: Applied }) {
  const restart = outcome.restart_required ?? [];
  return (
    <Notice state={restart.length === 0 ? 'ok' : 'warn'}>
      <p>{t('saved')}</p>
      {restart.length === 0 ? null : (
        <p>{t('restart_needed', { keys: restart.map(shown).join(', ') })}</p>
      )}
    </Notice>
  );
}
