// A register drawn as on the meter's face: a window for each wheel, leading zeros dim, the wheels below one unit in another tone.

import { say, t } from '../words.ts';

interface Shown {
  readonly read: number | string | null;
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
}

/** The wheels from the left: what each shows, and in which tone. */
function wheelsOf({ read, digits, pow10 }: Shown) {
  const text = read === null ? '-'.repeat(digits) : String(read).padStart(digits, '0');
  const first = text.search(/[1-9]/);
  const below = Math.max(0, -pow10);
  return [...text].map((digit, i) => {
    if (i >= text.length - below) return { digit, tone: 'fine' };
    return { digit, tone: first === -1 || i < first ? 'lead' : 'whole' };
  });
}

export function DialFace(props: Shown & { readonly small?: boolean }) {
  const { read, unit, pow10, small = false } = props;
  const wheels = wheelsOf(props);
  const label =
    read === null
      ? t('dial_unread')
      : t('dial_label', { digits: wheels.map((w) => w.digit).join('') });
  return (
    <div class={small ? 'dial small' : 'dial'}>
      <span class="face" role="img" aria-label={label}>
        {wheels.map(({ digit, tone }, i) => (
          <span key={i} class={`wheel ${tone}`} aria-hidden="true">
            {digit}
          </span>
        ))}
        {'0'
          .repeat(Math.max(0, pow10))
          .split('')
          .map((zero, i) => (
            <span key={`p${i}`} class="wheel painted" aria-hidden="true">
              {zero}
            </span>
          ))}
      </span>
      <span class="dial-unit">{say(`unit.${unit}`)}</span>
    </div>
  );
}
