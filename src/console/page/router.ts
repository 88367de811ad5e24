// Which page is shown: the address bar's path, changed without loading anything.

import { signal } from '@preact/signals';

/** The path with its query, as in `/meters/SP-1?from=x`. */
export const place = signal(location.pathname + location.search);

/** Shows another page. `replace`: the present one is not gone back to. */
export function go(path: string, replace = false): void {
  if (path !== place.value) {
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
  }
  place.value = path;
  scrollTo(0, 0);
}

/** The query of the present place. */
export const query = (): URLSearchParams => new URLSearchParams(place.value.split('?')[1] ?? '');

export const path = (): string => place.value.split('?')[0] ?? '/';

/** Links to our own pages change the page; the browser does the rest (new tabs, downloads, other hosts). */
export function followLinks(): void {
  addEventListener('popstate', () => {
    place.value = location.pathname + location.search;
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || !isPlain(event) || !isOwn(link)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

const isPlain = (event: MouseEvent): boolean =>
  event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

const isOwn = (link: HTMLAnchorElement): boolean =>
  link.origin === location.origin &&
  !link.pathname.startsWith('/api/') &&
  link.target === '' &&
  !link.hasAttribute('download') &&
  link.hash === '';
