// Two hundred and fifty meters on one page: what does not change is not touched.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPageFiles } from '../../../src/adapters/page-files.ts';
import { until } from '../../fakes/until.ts';
import { PASSWORDS, Served } from '../served.ts';
import { axe, hasChromium, openBrowser, shot, visit } from './stage.ts';

const METERS = 250;
/** So many dials turn with each event. */
const TURNING = 5;
const NAMES = Array.from({ length: METERS }, (_, i) => `SP-${String(i + 1).padStart(5, '0')}`);

/** A status in which some dials have turned `turns` times. */
function statusAfter(turns: number): object {
  const fault = { code: 'line.silent', detail: 'x', since: '2026-06-01T00:00:00Z' };
  const meters = NAMES.map((meter, i) => ({
    ...{ meter, inst: 1, digits: 8, unit: 'ft3', pow10: -1, bus: `bus-${1 + (i % 4)}` },
    ...{ read: 1_000_000 + i * 1_000 + (i < TURNING ? turns : 0), at: '2026-06-01T00:59:00Z' },
    ...{ use_this_hour: 3, last_hour: null, fault: i === METERS - 1 ? fault : null },
  }));
  return {
    ...{ collector: 'COL-1', utility: 'u', version: '1', now: '2026-06-01T01:00:00Z', epoch: 'e' },
    upstream: { connected: true, detail: 'connected', refused: 0 },
    journal: { pending: 0, rows: 9, oldest_pending: null, detail: 'sound' },
    ...{ clock: { synced: true, speed: 1 }, buses: [], meters },
  };
}

describe.skipIf(!hasChromium)('a page with 250 meters (needs chromium)', () => {
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    const folder = fileURLToPath(new URL('../../../dist/console', import.meta.url));
    served = await Served.open({ pages: await readPageFiles(join(folder)) });
    served.commands.scripted.set('status', { ok: true, data: statusAfter(0) });
    await served.accounts.add({ user: 'ana', role: 'admin', password: PASSWORDS.admin });
    browser = await openBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  it('each event changes the dials that have turned and nothing else; the filter finds one of them', async () => {
    const url = `http://127.0.0.1:${served.port}`;
    const { page, sins, context } = await visit(browser, url, { size: 'phone' });
    await page.goto(`${url}/meters`);
    await page.locator('input[name=username]').fill('ana');
    await page.locator('input[name=password]').fill(PASSWORDS.admin);
    await page.locator('button[type=submit]').click();
    await page.getByText('250 meters').waitFor();
    expect(await page.locator('.meters > li').count()).toBe(METERS);
    await page.evaluate(`
      globalThis.touched = new Set();
      new MutationObserver((all) => {
        for (const { target } of all) {
          const row = (target.nodeType === 1 ? target : target.parentElement).closest('li');
          globalThis.touched.add(row?.querySelector('strong')?.textContent ?? 'elsewhere');
        }
      }).observe(document.querySelector('.meters'), { subtree: true, childList: true, characterData: true, attributes: true });
    `);
    const first = page.locator('.meters > li').first().locator('.face');
    const dial = async () => (await first.getAttribute('aria-label')) ?? '';
    for (const turns of [1, 2, 3]) {
      served.commands.scripted.set('status', { ok: true, data: statusAfter(turns) });
      await until(`turn ${turns}`, async () => (await dial()).endsWith(String(turns)));
    }
    const touched = (await page.evaluate('[...globalThis.touched].sort()')) as string[];
    expect(touched).toEqual(NAMES.slice(0, TURNING));
    await page.getByLabel('Show', { exact: true }).selectOption('trouble');
    await page.getByText('One meter', { exact: true }).waitFor();
    await page.getByText('The meter does not answer').waitFor();
    await page.getByLabel('Show', { exact: true }).selectOption('all');
    await page.getByLabel('Filter').fill('00137');
    await page.getByText('One meter', { exact: true }).waitFor();
    expect(await page.locator('.meters strong').textContent()).toBe('SP-00137');
    expect(await axe(page)).toEqual([]);
    await shot(page, 'phone-en-meters-filtered');
    expect(sins).toEqual({ errors: [], strays: [] });
    await context.close();
  }, 60_000);
});
