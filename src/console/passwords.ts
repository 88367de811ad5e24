// Which passwords are taken: long enough, and none of those that everybody tries first.

/** NIST SP 800-63B asks for 8 and for no rules of characters; an account that can change settings takes a little more. */
export const PASSWORD_MIN = 10;
/** Longer text is no better, and scrambling it costs. */
export const PASSWORD_MAX = 128;

/** Long enough to pass, and first in every list. */
const COMMON = [
  ...['1234567890', '12345678910', '0123456789', '9876543210', '1q2w3e4r5t', 'qwertyuiop'],
  ...['password', 'contrasena', 'watermeter', 'metercollector', 'administrator', 'technician'],
  ...['letmein', 'iloveyou', 'changeme', 'welcome', 'qwerty', 'medidor', 'agua'],
];

/** What is wrong with a password, or null. Codes: password_short, password_long, password_common. */
export function passwordProblem(password: string, user: string): string | null {
  if ([...password].length < PASSWORD_MIN) return 'password_short';
  if (password.length > PASSWORD_MAX) return 'password_long';
  const plain = password
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]/g, '');
  const bare = plain.replaceAll(/^\d+|\d+$/g, '');
  const isCommon = COMMON.includes(plain) || (bare !== '' && COMMON.includes(bare));
  const isUser = bare !== '' && bare === user.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const isOne = new Set(password).size < 4;
  return isCommon || isUser || isOne ? 'password_common' : null;
}

/** The same in English, for who has no catalogue. */
export const PASSWORD_SENTENCES: Readonly<Record<string, string>> = {
  password_short: `A password has at least ${PASSWORD_MIN} characters.`,
  password_long: `A password has at most ${PASSWORD_MAX} characters.`,
  password_common: 'That password is one of those that everybody tries first.',
};
