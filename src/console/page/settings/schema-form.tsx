// Fields made from the settings' schema: one for each key, groups within groups, and lists whose entries have names.

import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Choice, Text } from '../parts/field.tsx';
import { t } from '../words.ts';
import { followed, isOnlyHere, kindOf, type Schema, typedOf, wantedOf } from './schema.ts';

/** Changes by path; undefined as a value takes the key out. */
export type Changes = Signal<ReadonlyMap<string, unknown>>;

interface Props {
  readonly schema: Schema;
  readonly root: Schema;
  readonly said: unknown;
  readonly path: string;
  readonly changes: Changes;
}

const isRecord = (one: unknown): one is Readonly<Record<string, unknown>> =>
  typeof one === 'object' && one !== null && !Array.isArray(one);

export function Fields({ schema, root, said, path, changes }: Props) {
  const own = isRecord(said) ? said : {};
  return (
    <>
      {Object.entries(schema.properties ?? {}).map(([key, one]) => (
        <Field
          key={key}
          name={key}
          schema={followed(one, root)}
          root={root}
          said={own[key]}
          path={`${path}/${key}`}
          changes={changes}
        />
      ))}
    </>
  );
}

function Field(props: Props & { readonly name: string }) {
  const { name, schema, root, said, path } = props;
  const kind = kindOf(schema, root);
  if (kind === 'named') return <Named {...props} />;
  if (kind === 'group' && !isOnlyHere(path)) {
    return (
      <Group name={name}>
        <Fields {...props} />
      </Group>
    );
  }
  if (kind === 'other' || kind === 'group' || isOnlyHere(path) || schema.const !== undefined) {
    return <Shown name={name} said={said} />;
  }
  return <One {...props} />;
}

function Shown({ name, said }: { readonly name: string; readonly said: unknown }) {
  if (said === undefined) return null;
  return (
    <p>
      <code>{name}</code>:{' '}
      <code>{typeof said === 'object' ? JSON.stringify(said) : String(said)}</code>{' '}
      <small class="help">{t('set_here_only')}</small>
    </p>
  );
}

function One({ name, schema, root, said, path, changes }: Props & { readonly name: string }) {
  const kind = kindOf(schema, root);
  const value = changes.value.has(path) ? changes.value.get(path) : said;
  const usual = schema.default === undefined ? '' : typedOf(schema.default);
  const change = (typed: string) => {
    const next = new Map(changes.value);
    const wanted = wantedOf(typed, kind, schema);
    if (typedOf(wanted) === typedOf(said)) next.delete(path);
    else next.set(path, wanted);
    changes.value = next;
  };
  const help = usual === '' ? undefined : t('usual', { usual });
  if (kind === 'choice' || kind === 'switch') {
    const all = kind === 'switch' ? ['true', 'false'] : (schema.enum ?? []).map(String);
    const named = (one: string) => (kind === 'switch' ? t(`is_${one}`) : one);
    const options = [['', t('as_usual')] as const, ...all.map((one) => [one, named(one)] as const)];
    return (
      <Choice label={name} value={typedOf(value)} options={options} onValue={change} help={help} />
    );
  }
  return (
    <Text
      label={name}
      value={typedOf(value)}
      onValue={change}
      numeric={kind === 'number' ? 'decimal' : false}
      help={help}
      required
    />
  );
}

/** A list whose entries are found by the key named like its singular: `buses` by `bus`. */
function Named({ name, schema, root, said, path, changes }: Props & { readonly name: string }) {
  const chosen = useSignal('');
  const entries = Array.isArray(said) ? (said as Readonly<Record<string, unknown>>[]) : [];
  const key = name === 'buses' ? 'bus' : name.replace(/s$/, '');
  const one = entries.find((entry) => String(entry[key]) === chosen.value);
  return (
    <Group name={name}>
      <Choice
        label={t('entry')}
        value={chosen.value}
        options={[
          ['', t('choose')],
          ...entries.map((entry) => [String(entry[key]), String(entry[key])] as const),
        ]}
        onValue={(wanted) => {
          chosen.value = wanted;
        }}
      />
      {one === undefined ? null : (
        <Fields
          key={chosen.value}
          schema={followed(schema.items ?? {}, root)}
          root={root}
          said={one}
          path={`${path}/${chosen.value}`}
          changes={changes}
        />
      )}
    </Group>
  );
}

/** Folded, so that a phone shows all sections at once. */
function Group({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  return (
    <details class="group">
      <summary>
        <code>{name}</code>
      </summary>
      {children}
    </details>
  );
}
