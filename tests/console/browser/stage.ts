// A street with its collector, broker and head-end, a console on a port of its own, and a browser that looks at it.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { parseDocument } from 'yaml';
import { consoleUrl } from '../../../simulator/demo-console.ts';
import type { FaultPlan } from '../../../simulator/world.ts';
import { Street } from '../../end-to-end/street.ts';
import { aedes, type RealBroker } from '../../fakes/real-brokers.ts';
import { until } from '../../fakes/until.ts';

const CHROMIUM = '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SHOTS = join(ROOT, 'dist', 'screenshots');

export const PASSWORD = 'a dial in a pit';

/** A phone in the hand, and a desk. */
export const SIZES = {
  phone: { width: 360, height: 740 },
  desk: { width: 1280, height: 800 },
} as const;
export type Size = keyof typeof SIZES;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

export interface StageOptions {
  readonly seed: number;
  readonly speed: number;
  readonly faults?: readonly FaultPlan[];
  /** Meters that hang on their bus and are not in the settings. */
  readonly unknown?: readonly string[];
  /** Absent: aedes. */
  readonly broker?: RealBroker;
  /** The settings file as it is written in the end, comments and all. */
  readonly rewrite?: (settings: string) => string;
}

/** Lives from `open` to `close`. */
export class Stage {
  readonly street: Street;
  readonly url: string;
  /** The link of the first run. */
  readonly firstRun: string;

  private constructor(street: Street, url: string, firstRun: string) {
    this.street = street;
    this.url = url;
    this.firstRun = firstRun;
  }

  /** Resolves when the console is open and nobody has an account. */
  static async open(options: StageOptions): Promise<Stage> {
    const street = await Street.open({ ...options, broker: options.broker ?? (await aedes()) });
    const settings = parseDocument(readFileSync(street.config, 'utf8'));
    settings.setIn(['console'], { listen: `127.0.0.1:${await freePort()}` });
    settings.setIn(['journal', 'commit_s'], 1);
    const { meters } = settings.toJS() as { meters: { meter: string }[] };
    const unknown = options.unknown ?? [];
    for (const i of [...meters.keys()].reverse()) {
      if (unknown.includes(meters[i]?.meter ?? '')) settings.deleteIn(['meters', i]);
    }
    const { rewrite = (text: string) => text } = options;
    await writeFile(street.config, rewrite(String(settings)));
    street.start();
    const log = join(street.folder, 'collector.log');
    const linked = () =>
      /"first_run":"([^"]+)"/.exec(existsSync(log) ? readFileSync(log, 'utf8') : '');
    await until('the console is open', () => linked() !== null, 20_000).catch((cause: unknown) => {
      throw new Error(`${String(cause)}\n${street.lastLines()}`);
    });
    return new Stage(street, consoleUrl(log) ?? '', linked()?.[1] ?? '');
  }

  /** Makes the first account without a browser. */
  async begin(language: 'en' | 'es' = 'en'): Promise<void> {
    const code = new URL(this.firstRun).hash.replace('#code=', '');
    await this.post('/api/first-run', { code, user: 'ana', password: PASSWORD, language });
  }

  /** Another account, by the admin. */
  async post(path: string, body: object, cookie = ''): Promise<Response> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** What the dial of a place shows now, as somebody there would type it. */
  dialOf(meter: string): string {
    const { world } = this.street;
    const swaps = world.truth.swaps(meter);
    const first = world.truth.meters.find((one) => one.meter === meter);
    const digits = swaps.at(-1)?.digits ?? first?.digits ?? 8;
    const { register } = world.registerAt(meter, world.now());
    return String(register).padStart(digits, '0');
  }

  close(): Promise<void> {
    return this.street.close();
  }
}

/** What a browser did that it must not do. */
export interface Sins {
  readonly errors: string[];
  readonly strays: string[];
}

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly sins: Sins;
}

/** A page of a person of its own, watched for errors and for requests to anywhere else. */
export async function visit(
  browser: Browser,
  url: string,
  { size = 'phone', locale = 'en-US' }: { size?: Size; locale?: string } = {},
): Promise<Visit> {
  const context = await browser.newContext({
    ...{ viewport: SIZES[size], locale, reducedMotion: 'reduce' },
    timezoneId: 'America/Denver',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const sins: Sins = { errors: [], strays: [] };
  const own = new URL(url).origin;
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      sins.errors.push(message.text());
  });
  page.on('pageerror', (error) => sins.errors.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== own) sins.strays.push(request.url());
  });
  return { page, context, sins };
}

/** A picture for people to look at. */
export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  // The bar stays on top of what is looked at: of the whole page that is its beginning.
  await page.evaluate('scrollTo(0, 0)');
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

const AXE = readFileSync(join(ROOT, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** WCAG 2.2 AA and axe's own advice; and 7:1 for text, for the console is read in the sun. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong with the page as it stands, in words. Injected from outside: the page's own policy stays as it is. */
export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const options = { runOnly: TAGS, rules: { 'color-contrast-enhanced': { enabled: true } } };
  const { violations } = (await page.evaluate(
    `axe.run(document, ${JSON.stringify(options)})`,
  )) as AxeResult;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
  );
}

/** Goes to a page; resolves when it is live and all that it asked for has come. */
export async function stand(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('#page h1').waitFor();
  await page.locator('.liveness').getByText('Live', { exact: true }).waitFor();
  const isAsking = async () => (await page.locator('.busy').count()) > 0;
  await until(`all answers of ${url}`, async () => !(await isAsking()), 15_000);
}

/** Signs in by the form. */
export async function signIn(page: Page, url: string, path = '/'): Promise<void> {
  await page.goto(url + path);
  await page.locator('input[name=username]').fill('ana');
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('button[type=submit]').click();
  await page.locator('#page h1').waitFor();
}
