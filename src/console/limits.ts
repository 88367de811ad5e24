// Every limit of the console, with its reason; those of sockets are in the adapter that holds them.

/** A command is a few names and times; a settings file as text is the largest thing that is sent. */
export const BODY_BYTES_MAX = 64 * 1024;
/** A session that nobody uses for so long is over: the phone lies in the pit. */
export const IDLE_MS = 30 * 60_000;
/** A working day; then the password is asked for again. */
export const SESSION_MS = 12 * 3_600_000;
/** That a session is used is written down so often: the file lies on a flash card. A restart may end one so much early. */
export const SESSION_NOTED_MS = 5 * 60_000;
/** Sessions at once, all told and of one user; beyond it the one unused for longest is over. */
export const SESSIONS_MAX = 64;
export const SESSIONS_OF_ONE_MAX = 8;
/** Accounts and tokens in the file, which is read whole. */
export const USERS_MAX = 64;
export const TOKENS_MAX = 64;
/** One-time codes that wait at once; the oldest goes. */
export const CODES_MAX = 16;
/** How long a code waits for whoever installs the collector, and for who is at the collector with a phone. */
export const FIRST_RUN_CODE_MS = 24 * 3_600_000;
export const SIGN_IN_CODE_MS = 15 * 60_000;
/** Streams of live events at once: a stream is a connection that stays. */
export const STREAMS_MAX = 16;
export const STREAMS_OF_ONE_MAX = 4;
/** Between two looks at what is told live, and the share of the thread that the looking may take. */
export const LIVE_MS = 1_000;
export const LIVE_SHARE = 0.05;
/** A sign of life so often keeps proxies from closing a quiet stream, and finds out that its reader is gone. */
export const HEARTBEAT_MS = 15_000;
/** Commands of one user under way at once, and what they change in a minute: commands, accounts, wishes, sign-ins. */
export const COMMANDS_AT_ONCE = 8;
export const ACTS_PER_MINUTE = 60;
/** Files of one user under way at once: each holds all hours of a meter in memory for as long as its reader takes. */
export const FILES_AT_ONCE = 2;
/** The slowest command (reading the whole journal) is waited for so long; it goes on behind. */
export const COMMAND_MS = 120_000;
/** Passwords are scrambled one after the other: each takes 32 MB and a thread of the pool that the journal writes through. */
export const SCRAMBLES_WAITING_MAX = 8;
/** Failed sign-ins a minute, of one address; after them it waits, each time twice as long. */
export const FAILURES_MAX = 10;
export const FAILURES_AGAIN_MAX = 3;
export const FAILURES_WINDOW_MS = 60_000;
export const LOCK_MS = 60_000;
export const LOCK_MAX_MS = 15 * 60_000;
/** An address that has behaved for so long begins anew. */
export const FORGIVEN_MS = 3_600_000;
/** Failed sign-ins a minute of one account from all addresses together, those not counted from which its owner came before. */
export const ACCOUNT_FAILURES_MAX = 30;
/** Addresses, accounts and pairs of both remembered; the longest unheard goes. */
export const REMEMBERED_MAX = 4_096;
/** A failed sign-in is told at once, and then once in so long with how many there were: an attack fills no journal. */
export const TELL_FAILURES_MS = 60_000;
/** The use of a token is written down so often: the file lies on a flash card. */
export const TOKEN_USE_MS = 3_600_000;
/** Lines of a file are given out in pieces of so many. */
export const LINES_AT_ONCE = 500;
