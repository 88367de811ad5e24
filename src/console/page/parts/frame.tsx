// What stands around every page: the bar, the ways to the other pages, whether what is shown is live.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { LANGUAGES } from '../../../domain/words.ts';
import { ask, may, type Role, session } from '../api.ts';
import { clockTime, SHOWN_UNITS, shownUnit, shownZone, showUnit, showZone } from '../format.ts';
import { faults, isJournalOpen, lostSince, status } from '../live.ts';
import { path } from '../router.ts';
import { choose, language, say, t } from '../words.ts';
import { useDeed } from './asked.ts';
import { Notice, Refused } from './notice.tsx';
import { Sign } from './sign.tsx';

const PAGES: readonly (readonly [path: string, key: string, role: Role])[] = [
  ['/', 'nav_overview', 'viewer'],
  ['/meters', 'nav_meters', 'viewer'],
  ['/alarms', 'nav_alarms', 'viewer'],
  ['/install', 'nav_install', 'technician'],
  ['/changeout', 'nav_changeout', 'technician'],
  ['/bus', 'nav_bus', 'viewer'],
  ['/upstream', 'nav_upstream', 'viewer'],
  ['/reports', 'nav_reports', 'viewer'],
  ['/settings', 'nav_settings', 'admin'],
  ['/settings/users', 'nav_users', 'admin'],
  ['/backup', 'nav_backup', 'admin'],
  ['/about', 'nav_about', 'viewer'],
];

export function Frame({ children }: { readonly children: ComponentChildren }) {
  const isOpen = useSignal(false);
  const here = path();
  return (
    <>
      <a class="skip" href="#page">
        {t('skip')}
      </a>
      <header class="bar">
        <span class="brand">{status.value?.collector ?? t('name')}</span>
        <Liveness />
        <button
          type="button"
          class="menu"
          aria-expanded={isOpen.value}
          aria-controls="pages"
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          {t('menu')}
        </button>
      </header>
      <div class="columns">
        <nav id="pages" class={isOpen.value ? 'pages open' : 'pages'} aria-label={t('pages')}>
          <ul
            onClick={() => {
              isOpen.value = false;
            }}
            onKeyDown={() => {}}
          >
            {PAGES.filter(([, , role]) => may(role)).map(([to, key]) => (
              <li key={to}>
                <a href={to} aria-current={isAt(here, to) ? 'page' : undefined}>
                  {t(key)}
                  {to === '/meters' && faults.value.length > 0 ? (
                    <span class="count">{faults.value.length}</span>
                  ) : null}
                </a>
              </li>
            ))}
          </ul>
          <Wishes />
          <SignedIn />
        </nav>
        <main id="page">
          {isJournalOpen.value ? null : <Notice state="bad">{t('journal_closed')}</Notice>}
          {children}
        </main>
      </div>
    </>
  );
}

/** What stands above a page for who is not signed in. */
export function Threshold({ children }: { readonly children: ComponentChildren }) {
  return (
    <>
      <header class="bar">
        <span class="brand">{t('name')}</span>
      </header>
      <main class="sign-in">{children}</main>
    </>
  );
}

const isAt = (here: string, to: string): boolean =>
  here === to || (to === '/meters' && here.startsWith('/meters/'));

/** Whether what is shown is what is; told aloud when it changes. */
function Liveness() {
  const lost = lostSince.value;
  const says =
    lost !== null ? t('lost', { at: clockTime(lost) }) : status.value ? t('live') : t('connecting');
  return (
    <span class={lost === null ? 'liveness' : 'liveness lost'} role="status" aria-live="polite">
      <Sign state={lost !== null ? 'bad' : status.value ? 'ok' : 'unknown'} />
      {says}
    </span>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly options: readonly (readonly [string, string, string?])[];
  readonly value: string;
  readonly onValue: (one: string) => void;
}

/** A few choices side by side, of which one is pressed. */
export function Switch({ label, options, value, onValue }: SwitchProps) {
  return (
    <fieldset class="switch">
      <legend>{label}</legend>
      {options.map(([one, said, lang]) => (
        <button
          key={one}
          type="button"
          lang={lang}
          aria-pressed={one === value}
          onClick={() => onValue(one)}
        >
          {said}
        </button>
      ))}
    </fieldset>
  );
}

/** What somebody prefers is kept with their account too: another phone begins with it. */
function tellWishes(wishes: object): void {
  if (session.peek()?.first_run === false) void ask('/api/session', wishes, 'PUT');
}

/** Each language by its own name. */
const OWN_NAMES = { en: 'English', es: 'Español' } as const;

export function LanguageSwitch() {
  return (
    <Switch
      label={t('language')}
      value={language.value}
      options={LANGUAGES.map((one) => [one, OWN_NAMES[one], one])}
      onValue={(one) => {
        void choose(LANGUAGES.find((known) => known === one) ?? 'en');
        tellWishes({ language: one });
      }}
    />
  );
}

function Wishes() {
  return (
    <div class="wishes">
      <LanguageSwitch />
      <Switch
        label={t('unit')}
        value={shownUnit.value}
        options={SHOWN_UNITS.map((one) => [one, say(`unit.${one}`)])}
        onValue={(one) => {
          showUnit(SHOWN_UNITS.find((known) => known === one) ?? 'ft3');
          tellWishes({ units: one });
        }}
      />
      <Switch
        label={t('times')}
        value={shownZone.value}
        options={[
          ['local', t('times_local')],
          ['utc', t('times_utc')],
        ]}
        onValue={(one) => showZone(one === 'utc' ? 'utc' : 'local')}
      />
    </div>
  );
}

function SignedIn() {
  const deed = useDeed();
  const who = session.value;
  if (!who) return null;
  // Where nobody hears it, the cookie still lets in who takes this phone next.
  const leave = async () => {
    if ((await deed.runWith(() => ask('/api/sign-out', {}))) !== undefined) session.value = null;
  };
  return (
    <div class="who">
      <a href="/account" aria-current={path() === '/account' ? 'page' : undefined}>
        {t('signed_in', { user: who.user, role: t(`role_${who.role}`) })}
        <span class="hidden">: {t('nav_account')}</span>
      </a>
      <button type="button" class="button plain" onClick={() => void leave()}>
        {t('sign_out')}
      </button>
      <Refused error={deed.error.value} says={{ network: t('sign_out_unheard') }} />
    </div>
  );
}
