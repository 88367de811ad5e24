// A commissioning report as one printable page that needs nothing else: for a binder, a customer, an auditor.

import type { Session, Step, StepResult } from '../domain/commission.ts';
import type { Language, Say } from '../domain/words.ts';

/** What a report says; its canonical JSON is what the hash is over. */
export interface ReportContent {
  readonly v: 1;
  readonly type: 'commission';
  readonly id: string;
  readonly collector: string;
  readonly utility: string;
  readonly version: string;
  readonly meter: string;
  readonly bus: string | null;
  readonly by: string;
  readonly began: string;
  readonly at: string;
  readonly clock: unknown;
  readonly installation: Readonly<Record<string, unknown>> | null;
  readonly settings: object | null;
  readonly steps: Session['steps'];
}

interface PageParts {
  readonly sha256: string;
  /** SVG, as an adapter made it. */
  readonly qr: string;
  readonly say: Say;
  readonly language: Language;
}

const STYLE = `
:root { color-scheme: light }
body { font: 11pt/1.45 system-ui, sans-serif; color: #000; background: #fff; max-width: 45rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 0 .5rem } h2 { font-size: 1.1rem; margin: 1.4rem 0 .4rem }
header { display: flex; gap: 1rem; justify-content: space-between; align-items: flex-start }
.qr { flex: none; width: 8.5rem } .qr svg { width: 100%; height: auto; display: block }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid #bbb }
th { font-weight: 600; width: 32% } code { font: .85em/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
.mark { font-weight: 600; white-space: nowrap } tr { break-inside: avoid }
.sign { display: flex; gap: 2rem; margin-top: 3rem } .sign div { flex: 1; border-top: 1px solid #000; padding-top: .3rem }
@media print {
  @page { margin: 18mm }
  body { margin: 0; padding: 0; max-width: none; font-size: 9pt; line-height: 1.35 }
  h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin: .8rem 0 .2rem } p { margin: .3rem 0 }
  .qr { width: 6.5rem } th, td { padding: .1rem .5rem .1rem 0 } .sign { margin-top: 2.2rem }
}`;

/** The page, in HTML. Everything that people typed is escaped. */
export function reportPage(content: ReportContent, parts: PageParts): string {
  const { say, language, sha256, qr } = parts;
  const title = say('site.report_title', { meter: content.meter });
  const facts = factsOf(content, say);
  const digits = Number(knownOf(content)['digits'] ?? 0);
  const steps = content.steps.map((step) => stepRow(step, digits, say)).join('\n');
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(content.id)}</title>
<style>${STYLE}
</style>
</head>
<body>
<header>
<div>
<h1>${html(title)}</h1>
<p>${html(say('site.report_by', { by: content.by, at: time(content.at) }))}</p>
</div>
<div class="qr" role="img" aria-label="${html(say('site.report_qr', { collector: content.collector }))}">${qr}</div>
</header>
<main>
<h2>${html(say('site.report_meter'))}</h2>
<table><tbody>
${facts.map(([name, told]) => row(name, html(told))).join('\n')}
</tbody></table>
<h2>${html(say('site.report_steps'))}</h2>
<table><tbody>
${steps}
</tbody></table>
<h2>${html(say('site.report_hash'))}</h2>
<p>${html(say('site.report_hash_says', { file: `${content.id}.json` }))}</p>
<p><code>${html(sha256)}</code></p>
<div class="sign"><div>${html(say('site.report_signed'))}</div><div>${html(say('site.report_date'))}</div></div>
</main>
</body>
</html>
`;
}

/** What is known of the meter: what the settings said, what is installed, and what was read off it. */
function knownOf({ installation, steps }: ReportContent): Readonly<Record<string, unknown>> {
  const bound = steps.find(({ step }) => step === 'bind')?.result ?? {};
  const device = steps.find(({ step }) => step === 'device')?.result ?? {};
  return { ...device, ...installation, ...notNull(bound) };
}

function factsOf(content: ReportContent, say: Say): readonly (readonly [string, string])[] {
  const all = knownOf(content);
  const named = (key: string): readonly [string, string][] => {
    const told = textOf(all[key]);
    return told === '' ? [] : [[say(`site.report_${key}`), told]];
  };
  const resolution =
    typeof all['pow10'] === 'number' ? `${10 ** all['pow10']} ${say(`unit.${all['unit']}`)}` : '';
  return [
    [say('site.report_place'), content.meter],
    [say('site.report_collector'), `${content.collector} (${content.utility})`],
    ...named('bus'),
    ...named('address'),
    ...named('profile'),
    ...named('digits'),
    [say('site.report_resolution'), resolution],
    ...['body_serial', 'register_id', 'service_point', 'route'].flatMap(named),
    [say('site.report_began'), time(content.began)],
    [say('site.report_version'), content.version],
  ];
}

const notNull = (result: StepResult) =>
  Object.fromEntries(Object.entries(result).filter(([, one]) => one !== null));

/** What a step proved, in one line or a few. */
function stepRow({ step, state, at, result }: Step, digits: number, say: Say): string {
  const mark = say(`site.state_${state}`);
  const told =
    state === 'skipped'
      ? [textOf(result?.['reason'])]
      : state === 'done'
        ? tellingOf(step, result ?? {}, digits, say)
        : [];
  const lines = told.filter((line) => line !== '').map(html);
  const when = at === null ? '' : `, ${html(time(at))}`;
  const cell = `<span class="mark">${html(mark)}</span>${when}${lines.map((line) => `<br>${line}`).join('')}`;
  return row(say(`site.step_${step}`), cell);
}

function tellingOf(
  step: Step['step'],
  result: StepResult,
  digits: number,
  say: Say,
): readonly string[] {
  const text = (key: string) => textOf(result[key]);
  // As it stands on the meter, to be compared with it.
  const face = (key: string) => text(key).padStart(digits, '0');
  switch (step) {
    case 'reads':
      return listOf(result['reads']).map(
        (one) => `${textOf(one['dial'])} (${time(textOf(one['at']))})`,
      );
    case 'dial':
      return [
        say('site.report_typed', { dial: text('dial'), register: text('register') }),
        say('site.report_verdict', { verdict: say(`site.verdict_${text('verdict')}`) }),
        ...listOf(result['tries'])
          .slice(0, -1)
          .map((one) =>
            say('site.report_tried', { dial: textOf(one['dial']), at: time(textOf(one['at'])) }),
          ),
      ];
    case 'tap':
      return [
        say(`site.tap_${text('verdict')}`, { counts: text('counts'), meters: namesOf(result) }),
        say('site.report_tap_time', {
          from: face('from_read'),
          to: face('read'),
          s: text('elapsed_s'),
        }),
      ];
    case 'polls':
      return [
        say('site.report_polls', {
          ...{ ok: text('ok'), asked: text('asked'), success: text('success') },
          ...{ p95: text('p95_ms') || '-', s: text('seconds') },
        }),
      ];
    case 'upstream':
      return [
        say(`site.report_acked_${text('acknowledged_by').replace('-', '_') || 'nobody'}`, {
          at: time(text('published_at')),
        }),
      ];
    case 'port':
      return [text('path') || text('bus')];
    default:
      return [];
  }
}

const namesOf = (result: StepResult) =>
  Array.isArray(result['suspects']) ? result['suspects'].join(', ') : '';

const listOf = (list: unknown): readonly StepResult[] => (Array.isArray(list) ? list : []);

/** ISO 8601 in UTC as people read it on paper, to the second. */
const time = (iso: string): string => iso.replace(/^([\d-]+)T([\d:]+)(?:\.\d+)?Z$/, '$1 $2 UTC');

const textOf = (told: unknown): string =>
  typeof told === 'string' || typeof told === 'number' ? String(told) : '';

const row = (name: string, cell: string) =>
  `<tr><th scope="row">${html(name)}</th><td>${cell}</td></tr>`;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
};

const html = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '');
