// The hash by which a report is known: SHA-256 over its text, in hexadecimal.

import { createHash } from 'node:crypto';

export const sha256 = (text: string): string =>
  createHash('sha256').update(text, 'utf8').digest('hex');
