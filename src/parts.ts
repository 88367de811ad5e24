// What a collector is given, lends and is: its outside in types.

import type { Bus, Clock, Commands, HeadEnd, Log, Supervisor, Vault } from './boundaries.ts';
import type { CommandCheck } from './codec/command-message.ts';
import type { CommissionParts } from './commands/commission.ts';
import type { Configuring } from './commands/config.ts';
import type { DoctorParts, PortSeen } from './commands/doctor.ts';
import type { LocalParts } from './commands/local.ts';
import type { Evidence } from './domain/alarms.ts';
import type { ScanWish } from './domain/scan.ts';
import type { Polled } from './jobs/poll-bus.ts';
import type { CertificateParts } from './jobs/watch-certificates.ts';
import type { OpenedScan } from './scanning.ts';
import type { BusSettings, Settings } from './settings/settings.ts';

/** Everything outside the collector. The daemon gets real parts, simulations get others; the root is the same. */
export interface Parts {
  /** The schedule's clock. */
  readonly clock: Clock;
  /** The wire's clock, at speed 1. */
  readonly wire: Clock;
  readonly log: Log;
  readonly headEnd: HeadEnd;
  /** Another way to it, after a change of settings; absent where they never change. */
  readonly nextHeadEnd?: (settings: Settings) => HeadEnd;
  /** Where the journal's store lies. */
  readonly vault: Vault;
  readonly openBus: (settings: BusSettings) => Bus;
  /** Prepares a scan of a bus; absent where nobody can. */
  readonly openScan?: (
    settings: BusSettings,
    wish: ScanWish,
  ) => Promise<OpenedScan | { readonly problem: string }>;
  /** Opens the door for the command line, or none. */
  readonly serve: ((commands: Commands) => Promise<Door>) | null;
  /** Opens the web console over what the collector lends it; absent: none. */
  readonly openConsole?: (lent: LentToConsole) => Promise<Door>;
  /** Writes a file for a person at the command line. */
  readonly writeFile: LocalParts['writeFile'];
  /** The settings file and the log's level, where they can be changed. */
  readonly configuring?: Configuring;
  /** The certificates that the settings name, and when each is over. */
  readonly expiries: (settings: Settings) => ReturnType<CertificateParts['expiries']>;
  /** What holds commands against the published schema. */
  readonly commandCheck: () => Promise<CommandCheck>;
  /** Text never given before, for epochs and sessions. */
  readonly newName: () => string;
  /** Told of every read, where somebody watches. */
  readonly watch?: (polled: Polled) => void;
  readonly supervisor?: Supervisor;
  readonly version: string;
  /** What commissionings and their reports are made with; absent where there are none. */
  readonly site?: SiteParts;
}

/** Tools for work on site. */
export interface SiteParts extends Pick<CommissionParts, 'sha256' | 'qrSvg' | 'sayIn'> {
  /** Looks at the port of a bus from outside. */
  readonly lookAtPort?: (bus: BusSettings) => Promise<PortSeen>;
  /** One connection to the broker, beside the collector's. */
  readonly tryUpstream?: (
    settings: Settings,
  ) => ReturnType<NonNullable<DoctorParts['tryUpstream']>>;
}

/** The way in for the command line; `problem` says in words why there is none. */
export interface Door {
  readonly problem: string | null;
  close(): Promise<void>;
}

/** What the web console works with. */
export interface LentToConsole {
  readonly collector: string;
  readonly version: string;
  readonly commands: Commands;
  /** Tells an event of the collector itself (C4), and has it written. */
  readonly tell: (event: {
    readonly code: 'command.executed' | 'login.failed';
    readonly severity: 'info' | 'minor';
    readonly data: Evidence;
  }) => Promise<void>;
  readonly backup: () => AsyncIterable<string>;
}

export interface RunningCollector {
  readonly commands: Commands;
  /** Resolves when it has ended, asked for or because a job failed. */
  readonly stopped: Promise<void>;
  /** Stops polling, writes what is staged, says goodbye to the head-end. Idempotent. */
  stop(): Promise<void>;
  /**
   * Goes on with other settings over the journal that is open, away from the hour's edge; resolves when it does. Whose journal
   * it is, where it lies and what the time is stay as they are.
   */
  reload(settings: Settings): Promise<void>;
  /** Milliseconds of the schedule until a reload would disturb no read for an hour's edge. */
  reloadInMs(): number;
}
