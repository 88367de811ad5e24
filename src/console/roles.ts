// Who may do what: three roles, each of which may do all that the one before it may.

/** Looks; works on the meters; changes the collector itself. */
export const ROLES = ['viewer', 'technician', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a route or command asks for. `anyone` needs no sign-in; `nobody` is not done through the console at all. */
export type Access = 'anyone' | Role | 'nobody';

/** Whether somebody of this role (undefined: nobody signed in) may pass where `access` is asked for. */
export function mayPass(role: Role | undefined, access: Access): boolean {
  if (access === 'anyone') return true;
  if (access === 'nobody' || role === undefined) return false;
  return ROLES.indexOf(role) >= ROLES.indexOf(access);
}

/** The one of two roles that may do less. */
export const lesserOf = (one: Role, other: Role): Role => (mayPass(one, other) ? other : one);

export const isRole = (text: unknown): text is Role => ROLES.some((role) => role === text);
