// How long what one message speaks of may stay away before it counts as never sent.

/** A row or message still away so long after what speaks of it is none (contract, A2: 15 minutes without an ack). */
export const GRACE_MS = 15 * 60_000;

/** Messages of one link overtake each other by so much at most, as brokers bring what they kept and what is new. */
export const CROSSING_MS = 60_000;
