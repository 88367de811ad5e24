// The pages as they are held in a hand: large enough for a thumb, nothing under the bar, numbers on a keyboard of numbers, quiet, and on paper.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openBrowser, Stage, shot, signIn, stand, visit } from './stage.ts';

const METER = 'SP-00002';
const PATHS = [
  ...['/', '/meters', `/meters/${METER}`, '/alarms', '/install', '/changeout', '/bus', '/upstream'],
  ...['/reports', '/settings', '/settings/users', '/backup', '/account', '/about'],
];
/** Opened on each page before it is looked at: forms and folded parts. */
const OPENERS = '#page button[aria-expanded=false], #page details:not([open]) > summary';

/** A thumb in a glove (pixels). */
const TARGET = 44;

/** What can be pressed and is smaller than a thumb; links within a sentence are as high as it (WCAG 2.5.8). */
const SMALL = `[...document.querySelectorAll('a, button, input, select, summary')].flatMap((one) => {
  const box = one.getBoundingClientRect();
  const isSeen = box.width > 0 && box.height > 0 && getComputedStyle(one).visibility === 'visible';
  const isSkip = one.classList.contains('skip');
  const label = one.matches('[type=checkbox], [type=radio]') ? one.closest('label, .check') : null;
  const height = (label ?? one).getBoundingClientRect().height;
  const inText = one.tagName === 'A' && getComputedStyle(one).display === 'inline';
  return !isSeen || isSkip || inText || height >= ${TARGET} - 0.5
    ? [] : [one.tagName + ' ' + (one.textContent || one.id).trim().slice(0, 30) + ' ' + height];
})`;

/** What has the focus, if the bar lies over its upper edge or it is out of sight. */
const HIDDEN = `(() => {
  const one = document.activeElement;
  if (one === document.body || one.closest('.bar') || one.classList.contains('skip')) return null;
  const box = one.getBoundingClientRect();
  const bar = document.querySelector('.bar').getBoundingClientRect();
  const under = box.top < bar.bottom - 1 && box.bottom > bar.top + 1 && !one.closest('.pages');
  const gone = box.bottom < 0 || box.top > innerHeight;
  return under || gone ? one.outerHTML.slice(0, 80) + ' at ' + Math.round(box.top) : null;
})()`;

describe.skipIf(!hasChromium)('the pages in a hand (needs chromium)', () => {
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

  const goTo = (page: Page, path: string) => stand(page, stage.url + path);
  const open = async (page: Page) => {
    const closed = page.locator(OPENERS).filter({ visible: true });
    for (let left = 60; left > 0 && (await closed.count()) > 0; left -= 1)
      await closed.first().click();
  };

  it('whatever is pressed is as high as a thumb, on every page, with its forms open', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url);
    for (const path of PATHS) {
      await goTo(page, path);
      await open(page);
      expect([path, await page.evaluate(SMALL)]).toEqual([path, []]);
    }
    await context.close();
  }, 120_000);

  it.each([
    ['upright', { width: 360, height: 740 }],
    ['on its side', { width: 740, height: 360 }],
  ])(
    '%s, what gets the focus by keyboard is in sight, forwards and back',
    async (how, viewport) => {
      const { page, context } = await visit(browser, stage.url, { size: 'phone' });
      await page.setViewportSize(viewport);
      await signIn(page, stage.url);
      for (const path of [`/meters/${METER}`, '/settings', '/settings/users', '/upstream']) {
        await goTo(page, path);
        await open(page);
        const hidden: string[] = [];
        for (const key of ['Tab', 'Shift+Tab']) {
          for (let i = 0; i < 45; i += 1) {
            await page.keyboard.press(key);
            const found = (await page.evaluate(HIDDEN)) as string | null;
            if (found !== null) hidden.push(`${key} ${found}`);
          }
        }
        expect([path, hidden]).toEqual([path, []]);
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
      }
      await shot(page, `phone-${how === 'upright' ? 'upright' : 'landscape'}-upstream`);
      await context.close();
    },
    120_000,
  );

  it('what is a number is typed on a keyboard of numbers, and autocorrected by nobody', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url);
    await goTo(page, `/meters/${METER}`);
    await open(page);
    const dial = page.getByLabel('What the dial shows');
    expect(await dial.getAttribute('inputmode')).toBe('numeric');
    expect(await dial.getAttribute('autocomplete')).toBe('off');
    for (const name of [
      'Use of a day',
      'Days without use that are told',
      'Tell from this use on',
    ]) {
      if (name.startsWith('Tell')) await page.getByRole('button', { name: 'New vacation' }).click();
      const mode = await page.getByLabel(name).getAttribute('inputmode');
      expect([name, mode]).toEqual([name, name.startsWith('Days') ? 'numeric' : 'decimal']);
    }
    await context.close();
  }, 60_000);

  it('who wants no motion sees none that goes on, and nothing scrolls by itself', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'phone' });
    await signIn(page, stage.url);
    await goTo(page, `/meters/${METER}`);
    const moving = `document.getAnimations().filter((one) => one.playState === 'running').length`;
    expect(await page.evaluate(moving)).toBe(0);
    const spinner = `(() => {
      const one = document.createElement('span');
      one.className = 'spinner';
      document.body.append(one);
      const { animationName } = getComputedStyle(one);
      one.remove();
      return animationName;
    })()`;
    expect(await page.evaluate(spinner)).toBe('none');
    expect(await page.evaluate('getComputedStyle(document.documentElement).scrollBehavior')).toBe(
      'auto',
    );
    await context.close();
  }, 60_000);

  it('on paper a meter is what is known of it, without bar, menu or buttons', async () => {
    const { page, context } = await visit(browser, stage.url, { size: 'desk' });
    await signIn(page, stage.url);
    await goTo(page, `/meters/${METER}`);
    await page.emulateMedia({ media: 'print' });
    expect(
      await page.locator('.bar, .pages, .button, form').filter({ visible: true }).count(),
    ).toBe(0);
    expect(await page.getByRole('heading', { name: 'About this meter' }).isVisible()).toBe(true);
    await shot(page, 'print-meter');
    await context.close();
  }, 60_000);
});
