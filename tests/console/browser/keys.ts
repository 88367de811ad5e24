// A person without a mouse: everything is reached by Tab and worked by keys.

import type { Locator, Page } from 'playwright-core';

// What runs inside the browser.
declare const document: { readonly activeElement: unknown };
declare const getComputedStyle: (element: unknown) => { readonly outlineStyle: string };

/** More stops than any page has. */
const STOPS_MAX = 150;

/** Presses Tab until `target` has the focus, which must be seen. Throws where Tab never gets there. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const isThere = () => target.evaluate((element) => element === document.activeElement);
  for (let stops = 0; stops < STOPS_MAX; stops += 1) {
    if (await isThere()) {
      const outline = await target.evaluate((element) => getComputedStyle(element).outlineStyle);
      if (outline === 'none') throw new Error(`the focus is not seen on ${target.toString()}`);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never came to ${target.toString()}`);
}

/** Goes to a field and types over what stands in it. */
export async function type(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

/** Goes to a button or link and presses Enter. */
export async function press(page: Page, button: Locator): Promise<void> {
  await tabTo(page, button);
  await page.keyboard.press('Enter');
}
