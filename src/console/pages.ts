// The pages: built files by their exact path, `index.html` for the paths that the pages themselves know.

import type { PageFile, PageFiles } from '../boundaries.ts';

/** Paths of pages; each may have one more part, as in /meters/SP-1. */
const PAGES = [
  ...['', 'meters', 'install', 'changeout', 'alarms', 'bus', 'upstream', 'reports', 'settings'],
  ...['backup', 'about', 'account', 'sign-in', 'first-run'],
];
const PATH = /^\/([a-z-]*)(?:\/[A-Za-z0-9._~%-]{1,80})?\/?$/;

const NOT_BUILT = `<!doctype html>
<html lang="en">
<title>Meter collector</title>
<p>The console's pages are not built. Run <code>npm run build</code>.</p>
</html>
`;

/** The file of a path, or nothing. */
export function pageAt(path: string, pages: PageFiles): PageFile | undefined {
  const file = pages.get(path);
  if (file) return file;
  const [, first] = PATH.exec(path) ?? [];
  return first !== undefined && PAGES.includes(first) ? pages.get('/index.html') : undefined;
}

export function pageResponse(request: Request, path: string, pages: PageFiles): Response | null {
  const file = pageAt(path, pages);
  if (!file) return pages.size === 0 && path === '/' ? notBuilt() : null;
  const headers: Record<string, string> = {
    'content-type': file.type,
    etag: `"${file.etag}"`,
    vary: 'accept-encoding',
    'cache-control': file.lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  const known = request.headers.get('if-none-match') ?? '';
  if (known.split(',').some((one) => one.trim().replace(/^W\//, '') === headers['etag'])) {
    return new Response(null, { status: 304, headers });
  }
  const wanted = (request.headers.get('accept-encoding') ?? '').toLowerCase();
  const encoding = (['br', 'gzip'] as const).find(
    (one) => file.packed[one] && new RegExp(`(^|[ ,])${one}($|[ ,;])(?!q=0)`).test(wanted),
  );
  const body = (encoding && file.packed[encoding]) || file.plain;
  if (encoding) headers['content-encoding'] = encoding;
  return new Response(body as Uint8Array<ArrayBuffer>, { headers });
}

function notBuilt(): Response {
  return new Response(NOT_BUILT, { headers: { 'content-type': 'text/html; charset=utf-8' } });
}
