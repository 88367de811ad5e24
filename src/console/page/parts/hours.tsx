// The hours of a meter as bars, with their quality and flags in words.

import type { ComponentChildren } from 'preact';
import { hour, inUnit, number, shownUnit, time, volumeIn, volumeOf } from '../format.ts';
import type { DialFacts, HourLine, Intervals } from '../shapes.ts';
import { known, say, t } from '../words.ts';
import { Bars } from './bars.tsx';
import { Empty } from './notice.tsx';
import type { Bar } from './plot.ts';

interface Props {
  readonly label: string;
  readonly found: Intervals;
}

export const flagSays = (flag: string): string => known(`flag_${flag}`) ?? flag;

export function Hours({ label, found }: Props) {
  const { intervals, installations } = found;
  if (intervals.length === 0) return <Empty says={t('hours_none')} />;
  const dialOf = (inst: number) =>
    installations.find((one) => one.inst === inst) ?? installations[0];
  const unit = shownUnit.value;
  const volume = ({ inst, use }: HourLine): number | null => {
    const dial = dialOf(inst);
    return use === null || dial === undefined ? null : inUnit(volumeOf(use, dial), dial.unit, unit);
  };
  const bars: Bar[] = intervals.map((one) => ({
    ...{ at: Date.parse(one.start), volume: volume(one), soft: one.q !== 'A' && one.q !== 'T' },
  }));
  return (
    <>
      <Bars
        label={label}
        bars={bars}
        drawing={{
          unit: say(`unit.${unit}`),
          lengthS: 3600,
          time: hour,
          number: (n) => number(n, n < 10 && n % 1 !== 0 ? 1 : 0),
        }}
        summary={summaryOf(intervals, volume)}
        heads={[t('hour'), t('use'), t('reading'), t('quality')]}
        rows={() => [...intervals].reverse().map((one) => rowOf(one, dialOf(one.inst)))}
      />
      <p class="legend">
        <span>
          <i />
          {t('legend_actual')}
        </span>
        <span>
          <i class="soft" />
          {t('legend_partial')}
        </span>
      </p>
    </>
  );
}

function summaryOf(hours: readonly HourLine[], volume: (hour: HourLine) => number | null): string {
  const unit = shownUnit.value;
  const measured = hours.flatMap((one) => volume(one) ?? []);
  const sum = measured.reduce((all, one) => all + one, 0);
  const most = hours.reduce<HourLine | undefined>(
    (best, one) => ((volume(one) ?? -1) > (best ? (volume(best) ?? -1) : -1) ? one : best),
    undefined,
  );
  const said = {
    ...{ count: hours.length, sum: volumeIn(sum, unit, unit) },
    missing: hours.length - measured.length,
  };
  if (most === undefined) return t('hours_summary_none', said);
  const peak = { most: volumeIn(volume(most) ?? 0, unit, unit), at: hour(most.start) };
  return t('hours_summary', { ...said, ...peak });
}

function rowOf(one: HourLine, dial: DialFacts | undefined): readonly ComponentChildren[] {
  const use =
    one.use === null || dial === undefined
      ? t('not_known')
      : volumeIn(volumeOf(one.use, dial), dial.unit, shownUnit.value, Math.max(0, -dial.pow10));
  const read = one.read === null ? '' : String(one.read).padStart(dial?.digits ?? 0, '0');
  const flags = one.flags.map(flagSays).join('; ');
  return [
    <time key="t" dateTime={one.start} title={one.start}>
      {time(one.start)}
    </time>,
    use,
    <span key="r" class="mono">
      {read}
    </span>,
    flags === '' ? t(`quality_${one.q}`) : `${t(`quality_${one.q}`)}: ${flags}`,
  ];
}
