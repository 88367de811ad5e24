// How the console's pages are built: into dist/console, each file beside its .gz and .br, for a server that compresses nothing.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const OUT = join(import.meta.dirname, '..', '..', '..', 'dist', 'console');
/** Below this a compressed copy saves no packet. */
const WORTH_BYTES = 512;

function compressed(): Plugin {
  return {
    name: 'compressed-copies',
    closeBundle() {
      for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' })) {
        const file = join(OUT, name);
        if (/\.(?:gz|br)$/.test(name) || !statSync(file).isFile()) continue;
        const bytes = readFileSync(file);
        if (bytes.length < WORTH_BYTES) continue;
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
      }
    },
  };
}

/** Sections of the catalogues that the pages say; the others are for the command line and for reports. */
const SECTIONS = ['unit', 'site', 'doctor', 'console'];

function ownSentences(): Plugin {
  return {
    name: 'own-sentences',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/config\/locales\/[a-z]+\.json$/.test(id)) return null;
      const all = Object.entries(JSON.parse(code) as Record<string, unknown>);
      return JSON.stringify(Object.fromEntries(all.filter(([name]) => SECTIONS.includes(name))));
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  publicDir: false,
  logLevel: 'warn',
  // Nothing is written into the code: the policy of the pages allows no inline script, style or data: address.
  build: {
    outDir: OUT,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [ownSentences(), compressed()],
});
