// `GET /api/live`: a stream for as long as who opened it may watch.

import { roleOfToken } from './book.ts';
import type { Asked, Desk, Person } from './parts.ts';
import { refusal, refuse } from './refusals.ts';

export function openLive({ desk, person, request }: Asked): Response {
  if (!person) return refuse(refusal(401, 'unauthorized', 'Sign in first.'));
  const seen = request.headers.get('last-event-id');
  const stream = desk.live.open(person.name, seen, () => isWelcome(desk, person));
  return stream ?? refuse(refusal(503, 'busy', 'Too many watch at once.', 'Close a page.', 10));
}

/** A page that is open and that nobody looks at does not keep its session. */
async function isWelcome(
  { accounts, sessions }: Desk,
  { name, token, session }: Person,
): Promise<boolean> {
  const book = await accounts.book();
  if (!book.ok) return false;
  if (!session) {
    const kept = book.data.tokens.find(({ id }) => id === token);
    return kept !== undefined && roleOfToken(kept, book.data) !== undefined;
  }
  const account = book.data.users.find(({ user }) => user === name);
  if (!account || !sessions.isAlive(session.session)) return false;
  return sessions.stampOf(account) === session.session.stamp;
}
