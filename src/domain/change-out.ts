// A change-out under way, as the collector keeps it for whoever goes on with it.

/** What is done next: the swap itself, the new meter found, the change told, the new dial proved. */
export const CHANGE_STEPS = ['swap', 'scan', 'told', 'initial'] as const;
export type ChangeStep = (typeof CHANGE_STEPS)[number];

/** What is known of a change-out so far. */
export interface KeptChange {
  readonly meter: string;
  readonly step: ChangeStep;
  /** The installation that stands there: the old one until the change is told, then the new one. */
  readonly inst: number;
  readonly by: string;
  readonly began: string;
  /** The old dial as typed, or as its encoder said it last (then `by_encoder` is true). */
  readonly final: string | null;
  readonly by_encoder: boolean;
  readonly profile: string | null;
  readonly address: string | null;
  readonly register_id: string | null;
}
