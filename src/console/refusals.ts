// What the console says when it does not do what was asked: a status, and `{"error":{code,message,hint}}`.

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Seconds after which asking again may help. */
  readonly retryAfterS?: number;
}

export const refusal = (
  status: number,
  code: string,
  message: string,
  hint = '',
  retryAfterS?: number,
): Refusal => ({
  ...{ status, code, message, hint },
  ...(retryAfterS !== undefined && { retryAfterS }),
});

export const BROKEN = refusal(500, 'internal', 'The console failed here.', 'The log says more.');

export function json(data: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(data), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
}

/** The refusal as an answer. Where the body was not read to its end, nothing more can be asked on this connection. */
export function refuse({ status, code, message, hint, retryAfterS }: Refusal): Response {
  const unread: Record<string, string> = status === 413 ? { connection: 'close' } : {};
  const again: Record<string, string> =
    retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  return json({ error: { code, message, hint } }, status, { ...unread, ...again });
}

/** The HTTP status for a code of the command handlers (C1). */
export function statusOf(code: string): number {
  const known: Readonly<Record<string, number>> = {
    ...{
      bad_request: 400,
      unauthorized: 401,
      unknown_command: 404,
      unknown_meter: 404,
      forbidden: 403,
      busy: 409,
    },
    ...{ conflict: 409, verify_failed: 422, no_answer: 422, internal: 500, 'daemon.absent': 503 },
  };
  return Object.hasOwn(known, code) ? (known[code] ?? 422) : 422;
}
