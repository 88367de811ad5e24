// What stands on the pages while a bus is down, for names as long as they may be, and where nothing is set up yet.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { until } from '../../fakes/until.ts';
import { hasChromium, openBrowser, Stage, signIn, visit } from './stage.ts';

/** As long as a name may be, without a place to break it at. */
const LONG = 'Calle_de_los_Milagros_1234_apto_9B_pisoX';

const beyond = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describe.skipIf(!hasChromium)('the sights of trouble (needs chromium)', () => {
  let stage: Stage;
  let browser: Browser;

  beforeAll(async () => {
    stage = await Stage.open({
      ...{ seed: 5, speed: 7_200 },
      faults: [{ kind: 'unplug', bus: 'bus-4', from: 0, to: 10_000 }],
      rewrite: (settings) => settings.replace('meter: SP-00001', `meter: ${LONG}`),
    });
    browser = await openBrowser();
    await stage.begin('en');
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  it('a bus that is down is named, and nobody is asked to acknowledge what nothing keeps', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url, '/alarms');
    const alarm = page.getByRole('article', { name: 'Nobody is heard on a bus bus-4' });
    const isTold = async () => {
      await page.reload();
      await page.getByText('Nobody is on vacation').waitFor();
      return (await alarm.count()) > 0;
    };
    await until('the bus is told to be down', isTold, 45_000);
    expect(await alarm.locator('strong').first().textContent()).toBe('Nobody is heard on a bus');
    expect(await alarm.textContent()).toContain('· bus-4');
    expect(await alarm.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
    const own = page.getByRole('list', { name: 'The collector itself, this week' });
    expect(await own.textContent()).toMatch(/signed in · ana/);
    await context.close();
  }, 60_000);

  it('the longest name breaks, and its two days begin with a whole hour', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url, `/meters/${LONG}`);
    await page.getByRole('heading', { name: LONG }).waitFor();
    expect(await beyond(page)).toBe(0);
    const [asked] = await Promise.all([
      page.waitForRequest((request) => request.url().endsWith('/api/commands/intervals')),
      page.reload(),
    ]);
    const { from } = asked.postDataJSON() as { from: string };
    expect(from).toMatch(/T\d\d:00:00\.000Z$/);
    await context.close();
  }, 60_000);
});

describe.skipIf(!hasChromium)('the sights of nothing (needs chromium)', () => {
  let stage: Stage;
  let browser: Browser;

  beforeAll(async () => {
    const nothing = (settings: string) => {
      const document = parseDocument(settings);
      document.set('buses', []);
      document.set('meters', []);
      return String(document);
    };
    stage = await Stage.open({ seed: 5, speed: 60, rewrite: nothing });
    browser = await openBrowser();
    await stage.begin('en');
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  it('no empty list is offered to choose from, and no event is called an hour', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url);
    const says = [
      ['/meters', 'No meter is set up yet.'],
      ['/changeout', 'No meter is set up yet.'],
      ['/install', 'No bus is set up.'],
      ['/', 'Everything is kept: hours, gaps and events'],
    ] as const;
    for (const [path, said] of says) {
      await page.goto(stage.url + path);
      await page.locator('#page').getByText(said).first().waitFor();
      if (path !== '/meters')
        expect([path, await page.locator('select').count()]).toEqual([path, 0]);
    }
    await context.close();
  }, 60_000);
});
