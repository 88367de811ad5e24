// A chart of bars with its sentence and, on demand, the same as a table; drawn after the page stands.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../words.ts';
import { Button } from './field.tsx';
import type { Bar, Drawing } from './plot.ts';
import { Table } from './section.tsx';

interface Props {
  readonly label: string;
  readonly bars: readonly Bar[];
  readonly drawing: Drawing;
  readonly summary: string;
  readonly heads: readonly string[];
  readonly rows: () => readonly (readonly ComponentChildren[])[];
}

export function Bars({ label, bars, drawing, summary, heads, rows }: Props) {
  const at = useRef<HTMLDivElement>(null);
  const asTable = useSignal(false);
  const key = JSON.stringify(bars) + drawing.unit;
  useEffect(() => {
    const element = at.current;
    if (element === null || asTable.value) return;
    let isGone = false;
    let erase = () => {};
    const draw = async () => {
      const { drawBars } = await import('./plot.ts');
      if (isGone) return;
      erase = await drawBars(element, bars, drawing);
      if (isGone) erase();
    };
    // Without its chart the page still has its sentence and its table.
    draw().catch(() => {
      asTable.value = true;
    });
    return () => {
      isGone = true;
      erase();
    };
  }, [key, asTable.value]);
  return (
    <figure class="figure">
      <figcaption>{summary}</figcaption>
      {asTable.value ? (
        <Table label={label} heads={heads} rows={rows()} />
      ) : (
        <div ref={at} class="chart" role="img" aria-label={`${label}. ${summary}`} />
      )}
      <div class="actions">
        <Button
          pressed={asTable.value}
          onClick={() => {
            asTable.value = !asTable.value;
          }}
        >
          {t('as_table')}
        </Button>
      </div>
    </figure>
  );
}
