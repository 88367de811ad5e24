// Where the pages begin: the language and who is signed in are asked for at once, then everything is shown.

import { render } from 'preact';
import { session, whoAmI } from './api.ts';
import { App } from './app.tsx';
import { pause } from './clock.ts';
import { preferUnit } from './format.ts';
import { listen } from './live.ts';
import { followLinks } from './router.ts';
import { language, prefer, speak } from './words.ts';

const RETRY_MS = 2_000;
const root = document.getElementById('app');

async function begin(at: HTMLElement): Promise<void> {
  await Promise.all([speak(language.value), whoAmI()]);
  at.replaceChildren();
  render(<App />, at);
  session.subscribe((who) => {
    void prefer(who?.language);
    preferUnit(who?.units);
  });
  followLinks();
  listen();
  // A collector that is just starting answers soon.
  while (session.value === undefined) {
    await pause(RETRY_MS);
    await whoAmI();
  }
}

if (root !== null) void begin(root);
