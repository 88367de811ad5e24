// Which page is shown to whom: nobody's sign-in, the first run, or the page of the path.

import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { isFirstRun, may, type Role, session } from './api.ts';
import { ChangeOut } from './changeout/change-out.tsx';
import { Install } from './install/install.tsx';
import { About } from './pages/about.tsx';
import { Account } from './pages/account.tsx';
import { Alarms } from './pages/alarms.tsx';
import { Backup } from './pages/backup.tsx';
import { BusPage } from './pages/bus.tsx';
import { FirstRun } from './pages/first-run.tsx';
import { MeterPage } from './pages/meter.tsx';
import { Meters } from './pages/meters.tsx';
import { Overview } from './pages/overview.tsx';
import { Reports } from './pages/reports.tsx';
import { SettingsPage } from './pages/settings.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Upstream } from './pages/upstream.tsx';
import { Users } from './pages/users.tsx';
import { Frame, Threshold } from './parts/frame.tsx';
import { Busy, Notice } from './parts/notice.tsx';
import { Title } from './parts/section.tsx';
import { go, path } from './router.ts';
import { t } from './words.ts';

const PAGES: Readonly<Record<string, readonly [page: ComponentType, role: Role]>> = {
  '/': [Overview, 'viewer'],
  '/meters': [Meters, 'viewer'],
  '/alarms': [Alarms, 'viewer'],
  '/install': [Install, 'technician'],
  '/changeout': [ChangeOut, 'technician'],
  '/bus': [BusPage, 'viewer'],
  '/upstream': [Upstream, 'viewer'],
  '/reports': [Reports, 'viewer'],
  '/settings': [SettingsPage, 'admin'],
  '/settings/users': [Users, 'admin'],
  '/backup': [Backup, 'admin'],
  '/account': [Account, 'viewer'],
  '/about': [About, 'viewer'],
};

export function App() {
  const who = session.value;
  if (who === undefined) return <Away />;
  if (who?.first_run === true) return <FirstRun />;
  if (who === null && (isFirstRun.value || path() === '/first-run')) return <FirstRun />;
  if (who === null) return <SignIn />;
  return (
    <Frame>
      <Page />
    </Frame>
  );
}

/** The collector does not answer yet; it is asked again by the stream of events. */
function Away() {
  return (
    <Threshold>
      <Busy says={t('connecting')} />
    </Threshold>
  );
}

function Page() {
  const here = path();
  useEffect(() => {
    if (here === '/sign-in' || here === '/first-run') go('/', true);
  }, [here]);
  const [, meter] = /^\/meters\/([A-Za-z0-9_-]+)$/.exec(here) ?? [];
  if (meter !== undefined) return <MeterPage key={meter} meter={meter} />;
  const found = PAGES[here];
  if (found === undefined) return <Barred says={t('no_page')} />;
  const [Shown, role] = found;
  if (!may(role)) return <Barred says={t('error_forbidden')} />;
  return <Shown key={here} />;
}

function Barred({ says }: { readonly says: string }) {
  return (
    <>
      <Title>{t('name')}</Title>
      <Notice state="warn">{says}</Notice>
    </>
  );
}
