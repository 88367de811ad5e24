// What is done at the pages of a running collector: hours sent again, a wire followed, settings changed, people let in, files taken home.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { START } from '../../end-to-end/street.ts';
import { typed } from '../../end-to-end/typed.ts';
import { hasMosquitto, mosquitto } from '../../fakes/real-brokers.ts';
import { until } from '../../fakes/until.ts';
import { axe, hasChromium, openBrowser, Stage, shot, signIn, type Visit, visit } from './stage.ts';

/** Above 180 settings are applied at once; an hour passes in fifteen seconds. */
const SPEED = 240;
const METER = 'SP-00002';
const HOUR_MS = 3_600_000;
const NOTE = '# the pump house is behind the school';
const OTHER = 'another dial in a pit';

describe.skipIf(!hasChromium || !hasMosquitto)(
  'work at the pages (needs chromium, mosquitto)',
  () => {
    let stage: Stage;
    let browser: Browser;
    let here: Visit;
    let page: Page;
    let folder: string;
    const section = (name: string) =>
      page
        .locator('section.card')
        .filter({ has: page.getByRole('heading', { name, exact: true }) });
    const go = async (path: string, says: string) => {
      await page.goto(stage.url + path);
      await page.getByRole('heading', { name: says, level: 1 }).waitFor();
    };
    /** Follows a link to a file; where it lies now. */
    const fetched = async (name: string) => {
      const waiting = page.waitForEvent('download');
      await page.getByRole('link', { name }).click();
      const download = await waiting;
      const at = join(folder, download.suggestedFilename());
      await download.saveAs(at);
      return at;
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'work-'));
      const broker = await mosquitto({ acl: 'topic readwrite #', limits: '' });
      const rewrite = (text: string) => text.replace(/^buses:/m, `${NOTE}\nbuses:`);
      stage = await Stage.open({ seed: 21, speed: SPEED, broker, rewrite });
      browser = await openBrowser();
      await stage.begin('en');
      here = await visit(browser, stage.url, { size: 'phone' });
      page = here.page;
      // Settings are checked in processes of their own, one after the other: on a busy machine that takes its time.
      page.setDefaultTimeout(60_000);
      await signIn(page, stage.url);
    }, 60_000);

    afterAll(async () => {
      await browser?.close();
      await stage?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('a past hour is sent again, in the times that are shown; the head-end knows it as a resend', async () => {
      await until('two hours arrived', () => stage.street.hoursOf(METER).length > 1, 60_000);
      const resends = () => stage.street.headEnd.counts().resends;
      const before = resends();
      await go('/upstream', 'Head-end');
      const form = page.getByRole('form', { name: 'Send again' });
      const send = async (hoursFromUtc: number) => {
        const at = (hours: number) =>
          new Date(START + (hours + hoursFromUtc) * HOUR_MS).toISOString().slice(0, 16);
        await form.getByLabel('Meter').selectOption(METER);
        await form.getByLabel('From').fill(at(0));
        await form.getByLabel('To').fill(at(1));
        await form.getByRole('button', { name: 'Send again' }).click();
        await form.getByText('One row is sent again.').waitFor();
      };
      // Denver is six hours behind in June.
      await send(-6);
      await until('it came again', () => resends() > before);
      await shot(page, 'phone-upstream-replay');
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('button', { name: 'UTC' }).click();
      await form.getByText('Times are UTC.').waitFor();
      await send(0);
      await until('and again', () => resends() > before + 1);
      await page.getByRole('button', { name: 'Local' }).click();
      await page.getByRole('button', { name: 'Menu' }).click();
    }, 180_000);

    it('the way to the head-end is checked step by step, up to the broker’s answer', async () => {
      await section('Checks').getByRole('button', { name: 'Check now' }).click();
      await section('Checks').getByText('The broker lets this collector in.').waitFor();
      await shot(page, 'phone-upstream-checks');
      expect(await axe(page)).toEqual([]);
    }, 180_000);

    it('the frames of a bus are shown as they pass, questions and answers, and end when told', async () => {
      await go('/bus', 'Bus');
      await page.getByRole('button', { name: 'bus-4' }).click();
      const trace = section('Frames on the wire');
      await trace.getByRole('button', { name: 'Follow the wire' }).click();
      await trace.locator('li', { hasText: 'asked' }).first().waitFor();
      await trace.locator('li', { hasText: 'heard' }).first().waitFor();
      await shot(page, 'phone-bus-trace');
      expect(await axe(page)).toEqual([]);
      await trace.getByRole('button', { name: 'Stop' }).click();
      await trace.getByRole('button', { name: 'Follow the wire' }).waitFor();
      expect(await trace.getByText('Following').count()).toBe(0);
    }, 180_000);

    it('a setting is changed: the difference first, then the file, with its comments', async () => {
      await go('/settings', 'Settings');
      const meters = page.locator('#page details.group', { hasText: 'meters' });
      await meters.locator('summary').first().click();
      await meters.getByLabel('Entry').selectOption(METER);
      await meters.getByLabel('poll_s').fill('90');
      const changes = section('Changes');
      await changes.getByText('One setting was changed.').waitFor();
      await changes.getByRole('button', { name: 'See the changes' }).click();
      await changes.getByText(`/meters/${METER}/poll_s`).waitFor();
      expect(await changes.locator('li').textContent()).toContain('Before: 900 → After: 90');
      expect(await readFile(stage.street.config, 'utf8')).toContain('poll_s: 900');
      expect(await axe(page)).toEqual([]);
      await shot(page, 'phone-settings-changes');
      await changes.getByRole('button', { name: 'Save' }).click();
      await changes.getByText('Saved.').waitFor();
      const text = await readFile(stage.street.config, 'utf8');
      expect(text).toContain(NOTE);
      const said = parse(text) as { meters: { meter: string; poll_s: number }[] };
      expect(said.meters.find(({ meter }) => meter === METER)?.poll_s).toBe(90);
      const shown = await typed(stage.street.config, 'meter', 'show', METER);
      expect(JSON.parse(shown.out).settings.poll_s).toBe(90);
    }, 180_000);

    it('a value that is no good is refused in words, and nothing is written', async () => {
      await go('/settings', 'Settings');
      const meters = page.locator('#page details.group', { hasText: 'meters' });
      await meters.locator('summary').first().click();
      await meters.getByLabel('Entry').selectOption(METER);
      await meters.getByLabel('poll_s').fill('-5');
      const before = await readFile(stage.street.config, 'utf8');
      const changes = section('Changes');
      await changes.getByRole('button', { name: 'See the changes' }).click();
      await changes.getByRole('alert').waitFor();
      expect(await changes.getByRole('button', { name: 'Save' }).count()).toBe(0);
      expect(await readFile(stage.street.config, 'utf8')).toBe(before);
      await shot(page, 'phone-settings-refused');
      // Chromium itself reports the refusal (422).
      expect(here.sins.errors.splice(0)).toHaveLength(1);
    }, 180_000);

    it('what the use of a meter is watched for is set at its page, and a vacation too', async () => {
      await go(`/meters/${METER}`, METER);
      const alerts = section('Usage alerts');
      await alerts.getByRole('button', { name: 'Change' }).click();
      await alerts.getByLabel('Use of a day').fill('500');
      await alerts.getByLabel('Days without use that are told').fill('14');
      await shot(page, 'phone-alerts-form');
      await alerts.getByRole('button', { name: 'Save' }).click();
      await alerts.getByText('500 gal').waitFor();
      const vacation = section('Vacations');
      await vacation.getByRole('button', { name: 'New vacation' }).click();
      const from = vacation.getByRole('textbox', { name: 'From', exact: true });
      await from.fill('2026-06-10');
      await vacation.getByRole('textbox', { name: 'To', exact: true }).fill('2026-06-20');
      await vacation.getByRole('button', { name: 'Save' }).click();
      await vacation.getByText(/Jun 10, 2026 to Jun 20, 2026/).waitFor();
      expect(await axe(page)).toEqual([]);
      await shot(page, 'phone-vacation-set');
      const told = await typed(stage.street.config, 'alert', 'list', METER);
      const [rules] = JSON.parse(told.out).meters;
      expect(rules.alerts.daily).toMatchObject({ amount: 500, unit: 'gal' });
      expect(rules.alerts).toMatchObject({ no_use_days: 14, vacation: { from: '2026-06-10' } });
      await vacation.getByRole('button', { name: 'End the vacation' }).click();
      await vacation.getByText('Nobody is on vacation.').waitFor();
      await alerts.getByRole('button', { name: 'Change' }).click();
      await alerts.getByLabel('Use of a day').fill('');
      await alerts.getByRole('button', { name: 'Save' }).click();
      await alerts.getByText('500 gal').waitFor({ state: 'detached' });
      await alerts.getByText('14 days').waitFor();
    }, 180_000);

    it('an admin makes users and a token, gives another role, and resets a password', async () => {
      await go('/settings/users', 'Users');
      for (const [user, role] of [
        ['vera', 'viewer'],
        ['tomas', 'viewer'],
      ] as const) {
        const form = page.getByRole('form', { name: 'New user' });
        await form.getByLabel('User name').fill(user);
        await form.getByLabel('Role').selectOption(role);
        await form.getByLabel('Password').fill(OTHER);
        await form.getByRole('button', { name: 'Add' }).click();
        await page.locator('.rows > li', { hasText: user }).waitFor();
      }
      const tomas = page.locator('.rows > li', { hasText: 'tomas' });
      await tomas.locator('summary').click();
      await tomas.getByLabel('Role of tomas').selectOption('technician');
      await tomas.getByText('tomas · technician').waitFor();
      await tomas.getByRole('button', { name: 'Reset the password of tomas' }).click();
      await tomas.getByRole('button', { name: 'Yes, Reset the password of tomas' }).click();
      const link = (await tomas.locator('code').textContent()) ?? '';
      expect(link).toMatch(/\/sign-in#code=/);
      const tokens = page.getByRole('form', { name: 'New token' });
      await tokens.getByLabel('Name of the token').fill('billing');
      await tokens.getByRole('button', { name: 'Make the token' }).click();
      const token = (await page.getByText(/^mct_/).textContent()) ?? '';
      await shot(page, 'phone-users');
      expect(await axe(page)).toEqual([]);
      const ask = (name: string) =>
        fetch(`${stage.url}/api/commands/${name}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: '{}',
        });
      expect((await ask('status')).status).toBe(200);
      expect((await ask('config.get')).status).toBe(403);
      await page.getByRole('button', { name: 'Remove billing' }).click();
      await page.getByRole('button', { name: 'No, go back' }).click();
      expect((await ask('status')).status).toBe(200);
      await page.getByRole('button', { name: 'Remove billing' }).click();
      await page.getByRole('button', { name: 'Yes, Remove billing' }).click();
      await page.getByText('billing', { exact: true }).waitFor({ state: 'detached' });
      expect((await ask('status')).status).toBe(401);
      const visitor = await visit(browser, stage.url, { size: 'phone' });
      await visitor.page.goto(link);
      await visitor.page.getByRole('heading', { name: 'A password of your own' }).waitFor();
      await visitor.page.getByLabel('Password', { exact: true }).fill('a third dial in a pit');
      await visitor.page.getByLabel('Password again').fill('a third dial in a pit');
      await visitor.page.getByRole('button', { name: 'Begin' }).click();
      await visitor.page.getByRole('heading', { name: 'Overview' }).waitFor();
      await visitor.context.close();
    }, 180_000);

    it('a viewer looks, in Spanish at a desk, and is given nothing that works', async () => {
      const { page: own, context, sins } = await visit(browser, stage.url, { size: 'desk' });
      await own.goto(stage.url);
      await own.locator('input[name=username]').fill('vera');
      await own.locator('input[name=password]').fill(OTHER);
      await own.locator('button[type=submit]').click();
      await own.locator('#page h1').waitFor();
      await own.getByRole('button', { name: 'Español' }).click();
      await own.getByRole('heading', { name: 'Resumen' }).waitFor();
      const menu = (await own.locator('nav a').allTextContents()).join();
      for (const word of ['Instalar', 'Cambio de medidor', 'Configuración', 'Usuarios', 'Respaldo'])
        expect(menu).not.toContain(word);
      await own.goto(`${stage.url}/meters/${METER}`);
      await own.getByRole('heading', { name: 'Sucesos' }).waitFor();
      await own.locator('canvas').waitFor();
      const buttons = await own.locator('#page button').allTextContents();
      expect(buttons).toEqual(['Como tabla']);
      await shot(own, 'desk-viewer-meter-es');
      for (const path of ['/bus', '/upstream']) {
        await own.goto(stage.url + path);
        await own.locator('#page .facts').first().waitFor();
        expect([path, await own.locator('#page form').count()]).toEqual([path, 0]);
      }
      for (const path of ['/install', '/changeout', '/settings', '/settings/users', '/backup']) {
        await own.goto(stage.url + path);
        await own.getByText('Su función no permite esto.').waitFor();
        expect([path, await own.locator('#page button').count()]).toEqual([path, 0]);
      }
      expect(await axe(own)).toEqual([]);
      expect(sins).toEqual({ errors: [], strays: [] });
      await context.close();
    }, 180_000);

    it('what a person prefers follows their account to another phone; so does a new password', async () => {
      const enter = async (password: string) => {
        const one = await visit(browser, stage.url, { size: 'phone' });
        await one.page.goto(stage.url);
        await one.page.locator('input[name=username]').fill('vera');
        await one.page.locator('input[name=password]').fill(password);
        await one.page.locator('button[type=submit]').click();
        return one;
      };
      const first = await enter(OTHER);
      await first.page.getByRole('heading', { name: 'Resumen' }).waitFor();
      await first.page.goto(`${stage.url}/account`);
      await first.page.getByLabel('Contraseña actual').fill('not this one at all');
      await first.page.getByLabel('Contraseña', { exact: true }).fill('a fourth dial in a pit');
      await first.page.getByLabel(/otra vez|de nuevo|Repita/i).fill('a fourth dial in a pit');
      await first.page.getByRole('button', { name: 'Guardar' }).click();
      await first.page.getByRole('alert').waitFor();
      await first.page.getByLabel('Contraseña actual').fill(OTHER);
      await first.page.getByRole('button', { name: 'Guardar' }).click();
      await first.page.getByText(/La contraseña cambió/).waitFor();
      expect(await axe(first.page)).toEqual([]);
      await shot(first.page, 'phone-es-account');
      const old = await enter(OTHER);
      await old.page.getByRole('alert').waitFor();
      await old.context.close();
      const next = await enter('a fourth dial in a pit');
      await next.page.getByRole('heading', { name: 'Resumen' }).waitFor();
      await next.context.close();
      await first.context.close();
    }, 180_000);

    it('the backup that is taken home is good to be restored; the hours come as a table', async () => {
      await go('/backup', 'Backup');
      const bundle = JSON.parse(await readFile(await fetched('Get the bundle'), 'utf8'));
      expect(bundle.status.meters).toHaveLength(8);
      expect(JSON.stringify(bundle)).not.toMatch(/scrypt\$/);
      const backup = await fetched('Get the backup');
      await go('/reports', 'Reports');
      await section('Export').getByLabel('Meter').selectOption(METER);
      const csv = (await readFile(await fetched('As CSV'), 'utf8')).trim().split('\n');
      expect(csv[0]).toMatch(/^meter,inst,kind,from,to,q,use,read/);
      const hours = csv.slice(1).map((line) => line.split(','));
      const heard = stage.street.hoursOf(METER);
      for (const [, , kind, from, , q, use] of hours.slice(0, 2)) {
        const same = heard.find(({ start }) => start === Date.parse(from ?? ''));
        expect([kind, q, use]).toEqual(['hour', same?.q, String(same?.use)]);
      }
      expect(here.sins).toEqual({ errors: [], strays: [] });
      await stage.street.stop();
      // An hour may have ended since: without --force the newer journal is not given up for the backup.
      const restored = await typed(stage.street.config, 'restore', backup, '--force');
      expect([restored.exit, restored.out]).toEqual([0, restored.out]);
      const proved = await typed(stage.street.config, 'audit');
      expect([proved.exit, proved.out]).toEqual([0, proved.out]);
    }, 90_000);
  },
);
