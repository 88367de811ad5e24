// What runs here: versions and licences.

import { session } from '../api.ts';
import { time } from '../format.ts';
import { status } from '../live.ts';
import { Facts, Section, Title } from '../parts/section.tsx';
import { t } from '../words.ts';

/** What these pages are made of; the collector's own parts stand in its package. */
const PARTS: readonly (readonly [name: string, licence: string])[] = [
  ['Preact', 'MIT'],
  ['Preact Signals', 'MIT'],
  ['uPlot', 'MIT'],
  ['Hono', 'MIT'],
  ['Node.js', 'MIT'],
  ['LevelDB (level)', 'MIT'],
  ['MQTT.js', 'MIT'],
  ['serialport', 'MIT'],
  ['Ajv', 'MIT'],
  ['pino', 'MIT'],
  ['commander', 'MIT'],
  ['uqr', 'MIT'],
  ['yaml', 'ISC'],
];

export function About() {
  const whole = status.value;
  return (
    <>
      <Title>{t('nav_about')}</Title>
      <Section title={t('name')}>
        <Facts
          facts={[
            [t('version'), whole?.version ?? session.value?.version],
            [t('collector'), whole?.collector],
            [t('utility'), whole?.utility],
            [t('epoch'), whole?.epoch],
            [t('collector_time'), whole === null ? null : time(whole.now)],
            [t('licence'), 'Apache-2.0'],
          ]}
        />
        <p>{t('about_says')}</p>
      </Section>
      <Section title={t('licences')}>
        <Facts facts={PARTS} />
      </Section>
    </>
  );
}
