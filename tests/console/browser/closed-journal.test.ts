// The pages of a collector whose journal cannot be opened: what is not known is never said to be none.

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../daemon.ts';
import { axe, hasChromium, openBrowser, PASSWORD, shot, signIn, visit } from './stage.ts';

const METER = 'SP-00001';

describe.skipIf(!hasChromium)('a journal that cannot be opened (needs chromium)', () => {
  let daemon: Daemon;
  let browser: Browser;

  beforeAll(async () => {
    daemon = await Daemon.open({ listen: '127.0.0.1:0' });
    const link = new URL(String((await daemon.logged('has no user yet'))['first_run']));
    const body = { code: link.hash.replace('#code=', ''), user: 'ana', password: PASSWORD };
    const made = await fetch(new URL('/api/first-run', link), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(made.status).toBe(200);
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.ended;
    const store = join(daemon.folder, 'journal', 'store');
    await rename(store, `${store}-aside`);
    await writeFile(store, 'no folder');
    daemon.start();
    browser = await openBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await daemon?.close();
  });

  it('is told on every page; no count, no meter and no reading is denied for it', async () => {
    const url = (await daemon.url()).origin;
    const { page, context } = await visit(browser, url, { size: 'phone' });
    await signIn(page, url);
    const main = page.locator('#page');
    for (const path of ['/', `/meters/${METER}`, '/upstream', '/backup']) {
      await page.goto(url + path);
      await main.getByText('The journal cannot be read or written now').waitFor();
      expect([path, await axe(page)]).toEqual([path, []]);
    }
    await page.goto(url);
    await main.getByText('How many hours wait is not known now').waitFor();
    expect(await main.textContent()).not.toContain('0 rows');
    await page.goto(`${url}/meters/${METER}`);
    await main.getByText('Not known now.').waitFor();
    await main.getByText('The collector failed at this.').first().waitFor();
    expect(await main.textContent()).not.toMatch(/no such meter|has not been read/);
    await shot(page, 'phone-journal-closed');
    for (const wish of ['', `?meter=${METER}`]) {
      const file = await page.request.get(`${url}/api/export.csv${wish}`);
      expect([wish, file.status()]).toEqual([wish, 500]);
    }
    await context.close();
  }, 60_000);
});
