// A meter of four digits is swapped for one of eight, at a desk and in Spanish.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../fakes/until.ts';
import { axe, hasChromium, openBrowser, Stage, shot, signIn, type Visit, visit } from './stage.ts';

const SPEED = 600;
const METER = 'SP-00005';
/** When the new meter hangs there, hours after the beginning: time enough to read the old one. */
const SWAPPED_H = 5;
const NEW_ID = '55501234';

describe.skipIf(!hasChromium)('a change-out at a desk, in Spanish (needs chromium)', () => {
  let stage: Stage;
  let browser: Browser;
  let here: Visit;
  let page: Page;
  const step = () => page.locator('.step.now');
  const button = (name: string) => step().getByRole('button', { name, exact: true });

  beforeAll(async () => {
    const swap = { kind: 'swapped' as const, meter: METER, digits: 8, id: NEW_ID };
    const faults = [{ ...swap, from: SWAPPED_H, to: Number.POSITIVE_INFINITY }];
    stage = await Stage.open({ seed: 12, speed: SPEED, faults });
    browser = await openBrowser();
    await stage.begin('es');
    here = await visit(browser, stage.url, { size: 'desk' });
    page = here.page;
    await signIn(page, stage.url);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  it('who prefers Spanish is spoken to in Spanish', async () => {
    await page.getByRole('heading', { name: 'Resumen' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('es');
  });

  it('the old dial is read before the new meter can be told of', async () => {
    await page.goto(`${stage.url}/changeout?meter=${METER}`);
    await page.getByRole('button', { name: 'Empezar' }).click();
    await step().getByRole('heading', { name: 'Lectura final del medidor viejo' }).waitFor();
    expect(await page.getByRole('button', { name: 'Cambiar el medidor' }).count()).toBe(0);
    await button('Leer ahora').click();
    await step().locator('.face').waitFor();
    expect(await step().locator('.face .wheel:not(.painted)').count()).toBe(4);
    await button('Tomar esta lectura').click();
    await step().getByRole('heading', { name: 'Cambiar el medidor' }).waitFor();
  }, 60_000);

  it('a phone that dies loses nothing of a change-out: another one, after a restart, goes on at its step', async () => {
    await here.context.close();
    await stage.street.kill();
    stage.street.start();
    here = await visit(browser, stage.url, { size: 'desk', locale: 'es-MX' });
    page = here.page;
    await until(
      'it answers again',
      () =>
        fetch(stage.url).then(
          () => true,
          () => false,
        ),
      20_000,
    );
    await signIn(page, stage.url);
    await page.goto(`${stage.url}/changeout`);
    const open = page.locator('section', { hasText: 'Empezados sin terminar' });
    await open.getByText(METER).first().waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(page, 'desk-changeout-open-es');
    await open.getByRole('link', { name: 'Seguir' }).click();
    await step().getByRole('heading', { name: 'Cambiar el medidor' }).waitFor();
    await page.reload();
    await step().getByRole('heading', { name: 'Cambiar el medidor' }).waitFor();
    await stage.street.reach(SWAPPED_H + 0.1);
    await button('El medidor nuevo está puesto').click();
    await step().getByRole('heading', { name: 'Encontrar el medidor nuevo' }).waitFor();
    expect(await axe(page)).toEqual([]);
    await button('Misma dirección, mismo tipo').click();
  }, 60_000);

  it('the new dial of eight digits counts from its own first reading', async () => {
    await step().getByLabel('Dígitos del registro nuevo').fill('8');
    await step().getByLabel('Un paso, en unidades').selectOption('-1');
    await step().getByLabel('Número del registro').fill(NEW_ID);
    await step().getByLabel('Primera lectura del registro nuevo').fill('00000000');
    expect(await axe(page)).toEqual([]);
    await shot(page, 'desk-changeout-es');
    await button('Cambiar el medidor').click();
    await step().getByRole('heading', { name: 'Comprobar el registro nuevo' }).waitFor();
    const { world } = stage.street;
    await until('the new meter was read', () => world.truth.served(METER, 2).length > 0);
    await step().getByLabel('Lo que marca el registro').fill(stage.dialOf(METER));
    await button('Comparar').click();
    await step().locator('.notice.ok').waitFor();
    expect(await step().locator('.notice.ok').textContent()).toContain('codificador');
    await button('Listo').click();
    await page.getByRole('button', { name: 'Otro cambio de medidor' }).click();
    await page.getByRole('button', { name: 'Empezar' }).waitFor();
    expect(await page.getByText('Empezados sin terminar').count()).toBe(0);
  }, 60_000);

  it('the meter’s page shows the new dial and the new installation', async () => {
    await page.goto(`${stage.url}/meters/${METER}`);
    await page.locator('.card .face').first().waitFor();
    const wheels = () =>
      page.locator('.card .dial').first().locator('.wheel:not(.painted)').count();
    await until('the dial has eight wheels', async () => (await wheels()) === 8);
    await page.getByRole('heading', { name: 'Sucesos' }).waitFor();
    await page.getByText('Cambio de medidor', { exact: true }).last().waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(page, 'desk-changeout-meter-es');
    expect(here.sins).toEqual({ errors: [], strays: [] });
  }, 60_000);
});
