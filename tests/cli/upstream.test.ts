// `upstream enroll` and `upstream test`: what is written where, what is said, and the exit codes.

import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { fakeParts, typed } from './fake-parts.ts';

const REQUEST = '-----BEGIN CERTIFICATE REQUEST-----\n';

function enrolling() {
  const written = new Map<string, string>();
  const asked: unknown[] = [];
  const parts = fakeParts({
    requestCertificate: async (settings, isNew) => {
      asked.push([settings.collector, isNew]);
      return { ok: true, data: { request: REQUEST, key_file: '/k', made: true } };
    },
    takeCertificate: async (_, text) => {
      asked.push(text);
      return { ok: true, data: { cert_file: '/c', until: '2027-01-01T00:00:00Z' } };
    },
    readText: async function* () {
      yield 'CERT';
      yield 'IFICATE';
    },
    createFile: async (path) => ({
      write: async (text) => void written.set(path, text),
      close: async () => undefined,
    }),
  });
  return { parts, written, asked };
}

describe('upstream enroll', () => {
  it('gives the request on standard output, and what is to be done with it beside', async () => {
    const { parts, asked } = enrolling();
    const { exit, out, err } = await typed('upstream enroll --config good.yaml', parts);
    expect([exit, out]).toEqual([EXIT.ok, REQUEST]);
    expect(err).toContain('/k');
    expect(asked).toEqual([['COL-1', false]]);
  });

  it('writes it to a file, with a new key where that is wanted', async () => {
    const { parts, asked, written } = enrolling();
    const line = 'upstream enroll --config good.yaml --csr out.csr --new-key --json';
    const { exit, out } = await typed(line, parts);
    expect(exit).toBe(EXIT.ok);
    expect(written.get('out.csr')).toBe(REQUEST);
    expect(JSON.parse(out)).toMatchObject({ csr: 'out.csr', key_file: '/k' });
    expect(asked).toEqual([['COL-1', true]]);
  });

  it('takes a certificate in, whole', async () => {
    const { parts, asked } = enrolling();
    const { exit, out } = await typed(
      'upstream enroll --config good.yaml --certificate c.pem',
      parts,
    );
    expect(exit).toBe(EXIT.ok);
    expect(out).toContain('2027-01-01');
    expect(asked).toEqual(['CERTIFICATE']);
  });

  it('a certificate that is not this collector’s ends as a mismatch', async () => {
    const takeCertificate = async () =>
      ({ ok: false, code: 'verify_failed', message: 'Not yours.', hint: '' }) as const;
    const parts = { ...enrolling().parts, takeCertificate };
    const { exit, out } = await typed(
      'upstream enroll --config good.yaml --certificate c.pem',
      parts,
    );
    expect([exit, out]).toEqual([EXIT.mismatch, '']);
  });
});

describe('upstream test', () => {
  const tried = (publish: string) =>
    fakeParts({ tryUpstream: async () => ({ ok: true, data: { link: 'connected', publish } }) });

  it('says whether the broker takes what is published, or that it cannot tell', async () => {
    const sure = await typed('upstream test --config good.yaml', tried('accepted'));
    expect([sure.exit, sure.out.includes('not confirmed')]).toEqual([EXIT.ok, false]);
    const unsure = await typed('upstream test --config good.yaml', tried('not_confirmed'));
    expect([unsure.exit, unsure.out.includes('not confirmed')]).toEqual([EXIT.ok, true]);
  });

  it.each(['upstream.offline', 'upstream.refused', 'upstream.untrusted'])(
    '%s ends with the exit code of the way up',
    async (code) => {
      const tryUpstream = async () => ({ ok: false, code, message: 'No.', hint: '' }) as const;
      const { exit, out } = await typed(
        'upstream test --config good.yaml --json',
        fakeParts({ tryUpstream }),
      );
      expect(exit).toBe(EXIT.upstream);
      expect(JSON.parse(out)).toMatchObject({ error: { code } });
    },
  );
});
