// A volume in the wished unit, with the others beside it as help.

import type { VolumeUnit } from '../../../domain/units.ts';
import { told, volumeOf } from '../format.ts';

interface Props {
  readonly counts: number;
  readonly unit: VolumeUnit;
  readonly pow10: number;
  readonly plain?: boolean;
}

export function Volume({ counts, unit, pow10, plain = false }: Props) {
  const { main, help } = told(volumeOf(counts, { pow10 }), unit, Math.max(0, -pow10));
  return (
    <span class="volume">
      {main}
      {plain ? null : <small class="help"> {help}</small>}
    </span>
  );
}
