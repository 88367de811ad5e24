// The one-time code of an address such as `/sign-in#code=...`: it never leaves this browser but to the collector.

function taken(): string {
  const found = new URLSearchParams(location.hash.slice(1)).get('code') ?? '';
  // Neither the history nor who looks over a shoulder needs it any more.
  if (found !== '') history.replaceState(null, '', location.pathname);
  return found;
}

/** Empty where the address has none. */
export const oneTimeCode = taken();
