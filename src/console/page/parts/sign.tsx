// How something stands, as a shape and a colour: never as a colour alone.

export type State = 'ok' | 'warn' | 'bad' | 'unknown';

const SHAPES: Readonly<Record<State, string>> = {
  ok: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.5 14.5-4-4 1.6-1.6 2.4 2.4 5.4-5.4 1.6 1.6z',
  warn: 'M12 2 23 21H1zm-1.2 7v6h2.4V9zm0 7.5v2.3h2.4v-2.3z',
  bad: 'M7.5 2h9L22 7.5v9L16.5 22h-9L2 16.5v-9zm1.2 5.1L7.1 8.7l3.3 3.3-3.3 3.3 1.6 1.6 3.3-3.3 3.3 3.3 1.6-1.6-3.3-3.3 3.3-3.3-1.6-1.6-3.3 3.3z',
  unknown:
    'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zm-4 6v2h8v-2z',
};

export function Sign({ state }: { readonly state: State }) {
  return (
    <svg class={`sign ${state}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path fill-rule="evenodd" d={SHAPES[state]} />
    </svg>
  );
}
