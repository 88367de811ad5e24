// Whether a text can be the host of a peer, and the host within one that cannot.

/** Letters of any script: the system's resolver knows names of its own. */
const LABEL = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?$/u;
const OCTET = /^(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;

/** A host name or an IP address, IPv6 without brackets. */
export function isHost(host: string): boolean {
  if (host.includes(':')) return URL.canParse(`http://[${host.replace(/%[\w.-]+$/, '')}]`);
  const labels = host.replace(/\.$/, '').split('.');
  // 10.0.0 and 256.1.1.1 are addresses gone wrong: no name ends in a number (RFC 3696, 2).
  if (/^\d+$/.test(labels.at(-1) ?? '')) {
    return labels.length === 4 && !host.endsWith('.') && labels.every((one) => OCTET.test(one));
  }
  return host.length <= 253 && labels.every((one) => LABEL.test(one));
}

/** The host in what stands there: "tcp://10.0.0.5:502/" means 10.0.0.5. Undefined where there is none. */
export function hostIn(written: string): string | undefined {
  const [, bracketed, plain] =
    /^\s*(?:[A-Za-z][\w+.-]*:\/\/)?(?:\[([^\]]*)\]|([^:/\s]+))(?::\d*)?(?:\/.*)?\s*$/.exec(
      written,
    ) ?? [];
  const host = bracketed ?? plain;
  return host !== undefined && isHost(host) ? host : undefined;
}
