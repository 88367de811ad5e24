// Chance, SHA-256 and scrypt from node:crypto: what the console's passwords, sessions and tokens stand on.

import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../boundaries.ts';

/** OWASP's costs for scrypt with 32 MB: N = 2^15, r = 8, p = 3 in short; on the pole's processor p = 1 takes as long as people wait. */
const COST = 2 ** 15;
const BLOCK = 8;
const PARALLEL = 1;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** 128 x N x r bytes are needed, and OpenSSL wants a little more. */
const MEMORY_MAX = 256 * COST * BLOCK;

/** `scrypt$N$r$p$salt$key`, the last two in base64url. */
const FORM =
  /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{16,64})\$([A-Za-z0-9_-]{43})$/;

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

export function createSecrets(): Secrets {
  return {
    random: (bytes) => randomBytes(bytes).toString('base64url'),
    digest: (secret) => createHash('sha256').update(secret).digest('base64url'),
    async scramble(password) {
      const salt = randomBytes(SALT_BYTES);
      const options = { N: COST, r: BLOCK, p: PARALLEL, maxmem: MEMORY_MAX };
      const key = await derive(password, salt, options);
      const costs = `scrypt$${COST}$${BLOCK}$${PARALLEL}`;
      return `${costs}$${salt.toString('base64url')}$${key.toString('base64url')}`;
    },
    async matches(password, scrambled) {
      const [, N, r, p, salt, key] = FORM.exec(scrambled) ?? [];
      if (salt === undefined || key === undefined) return false;
      const costs = { N: Number(N), r: Number(r), p: Number(p) };
      // What somebody wrote into the file must not take all memory there is.
      if (costs.N * costs.r * costs.p > COST * BLOCK * 4) return false;
      const options = { ...costs, maxmem: MEMORY_MAX * 4 };
      const found = await derive(password, Buffer.from(salt, 'base64url'), options).catch(
        () => null,
      );
      return found !== null && timingSafeEqual(found, Buffer.from(key, 'base64url'));
    },
  };
}
