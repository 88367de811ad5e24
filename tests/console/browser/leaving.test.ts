// Pages whose person leaves, loses a role, or looks for what lies beyond a small screen.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openBrowser, PASSWORD, Stage, signIn, stand, visit } from './stage.ts';

/** What the focus is on, if what sticks to the lower edge lies over it. */
const COVERED = `(() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return at === null || !(one.contains(at) || at.contains(one)) ? one.outerHTML.slice(0, 80) : null;
})()`;

describe.skipIf(!hasChromium)('who leaves the pages or may less (needs chromium)', () => {
  let stage: Stage;
  let browser: Browser;

  beforeAll(async () => {
    stage = await Stage.open({ seed: 31, speed: 240 });
    browser = await openBrowser();
    await stage.begin('en');
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  const statusOf = async (page: Page) =>
    (await page.request.get(`${stage.url}/api/session`)).status();

  it('a sign-out that the collector did not hear is no sign-out, and says so', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'desk' });
    await signIn(page, stage.url, '/about');
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Not signed out').waitFor();
    await context.setOffline(false);
    expect(await statusOf(page)).toBe(200);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('input[name=password]').waitFor();
    expect(await statusOf(page)).toBe(401);
    await context.close();
  }, 60_000);

  it('whose role was changed under an open page is shown what is theirs, and who was removed the way in', async () => {
    const admin = await visit(browser, stage.url, { size: 'desk' });
    await signIn(admin.page, stage.url);
    const { request } = admin.page;
    const users = `${stage.url}/api/users`;
    await request.post(users, { data: { user: 'bob', role: 'admin', password: PASSWORD } });
    const { page, context } = await visit(browser, stage.url, { size: 'desk' });
    await page.goto(stage.url);
    await page.locator('input[name=username]').fill('bob');
    await page.locator('input[name=password]').fill(PASSWORD);
    await page.locator('button[type=submit]').click();
    await page.getByRole('link', { name: 'Users' }).waitFor();
    await request.put(`${users}/bob`, { data: { role: 'viewer' } });
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByText('bob (viewer)').waitFor();
    expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
    expect(await page.locator('#page form').count()).toBe(0);
    await request.delete(`${users}/bob`);
    await page.locator('input[name=password]').waitFor();
    for (const one of [context, admin.context]) await one.close();
  }, 60_000);

  it('at a desk of 800 pixels signing out is in sight, and hides nothing that has the focus', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'desk' });
    await signIn(page, stage.url);
    const box = await page.getByRole('button', { name: 'Sign out' }).boundingBox();
    expect((box?.y ?? 9_999) + (box?.height ?? 0)).toBeLessThanOrEqual(800);
    const covered: unknown[] = [];
    await page.locator('.pages a').first().focus();
    for (let stops = 0; stops < 20; stops += 1) {
      covered.push(await page.evaluate(COVERED));
      await page.keyboard.press('Tab');
    }
    expect(covered.filter((one) => one !== null)).toEqual([]);
    await context.close();
  }, 60_000);

  it('what each meter of a bus answers is seen whole on a phone, in both languages', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url);
    for (const [language, table] of [
      ['English', 'Meter by meter'],
      ['Español', 'Medidor por medidor'],
    ] as const) {
      await page.locator('.menu').click();
      await page.getByRole('button', { name: language }).click();
      await page.goto(`${stage.url}/bus`);
      const group = page.getByRole('group', { name: table });
      await group.waitFor();
      await group
        .getByText(/\d\s?%/)
        .first()
        .waitFor();
      const beyond = await group.evaluate(
        (element) =>
          (element as unknown as Sized).scrollWidth - (element as unknown as Sized).clientWidth,
      );
      expect([language, beyond]).toEqual([language, 0]);
    }
    await context.close();
  }, 60_000);

  it('a language whose file went with an upgrade is spoken when the page has begun anew', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'desk' });
    await signIn(page, stage.url, '/about');
    const [other, says] =
      (await page.locator('h1').textContent()) === 'About'
        ? (['Español', 'Acerca de'] as const)
        : (['English', 'About'] as const);
    const gone = { status: 404, contentType: 'application/json', body: '{}' };
    await page.route(/assets\/e[ns]-/, (route) => route.fulfill(gone), { times: 1 });
    await page.getByRole('button', { name: other }).click();
    await page.getByRole('heading', { name: says, level: 1 }).waitFor();
    await context.close();
  }, 60_000);

  it('hours up to a day are taken with that day', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url);
    await page.getByRole('button', { name: 'Menu' }).or(page.locator('.menu')).first().click();
    await page.getByRole('button', { name: 'English' }).click();
    await stand(page, `${stage.url}/reports`);
    await page.getByLabel('From').fill('2026-06-01');
    await page.getByLabel('To').fill('2026-06-30');
    const href = (await page.getByRole('link', { name: 'As CSV' }).getAttribute('href')) ?? '';
    const wishes = new URL(href, stage.url).searchParams;
    expect([wishes.get('from'), wishes.get('to')]).toEqual([
      '2026-06-01T00:00:00Z',
      '2026-07-01T00:00:00.000Z',
    ]);
    await context.close();
  }, 60_000);
});

interface Sized {
  readonly scrollWidth: number;
  readonly clientWidth: number;
}
