// What a checked settings file says, in the collector's own terms: every default filled in, every profile found.

import type { AlertSettings, AlertWishes } from '../domain/alert-rules.ts';
import type { Framing, HandProfile, Profile } from '../domain/profile.ts';
import type { Dial, EpochMs } from '../domain/units.ts';

export type { Profile } from '../domain/profile.ts';

export interface Settings {
  readonly utility: string;
  readonly collector: string;
  /** Folder of the journal. */
  readonly data: string;
  /** Unix socket on which the command line reaches the running daemon. */
  readonly control: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** The local web console; absent: none. */
  readonly console?: ConsoleSettings;
  readonly time: TimeSettings;
  readonly upstream: UpstreamSettings;
  readonly journal: {
    readonly commitS: number;
    /** Room held on the disk for the day it is full. */
    readonly ballastMb: number;
    /** How long and in how much room records are kept; whichever is less. */
    readonly incrementDays: number;
    readonly hourDays: number;
    readonly eventDays: number;
    readonly maxMb: number;
    readonly minFreeMb: number;
    /** What the flash card may be worn by in a day; more is told in `journal stats`. */
    readonly writeMbPerDay: number;
  };
  readonly buses: readonly BusSettings[];
  readonly meters: readonly MeterSettings[];
  /** Alerts of every meter; absent: leaks alone are told. */
  readonly alerts?: AlertSettings;
}

export interface ConsoleSettings {
  readonly host: string;
  readonly port: number;
  /** PEM files; absent: HTTP. `isOwn`: the collector makes them where they are not there. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly isOwn?: true };
  /** Host names under which it may be called, beside its addresses, localhost and the machine's own name. */
  readonly allowedHosts: readonly string[];
}

/** The schedule's time: `simulated` + (system time - `real`) x `speed`. Speed 1 with equal origins is the system's clock. */
export interface TimeSettings {
  readonly speed: number;
  readonly real: EpochMs;
  readonly simulated: EpochMs;
  /** `assumed`: the wall clock is believed; `timesyncd`: only while systemd-timesyncd says it is synchronised. */
  readonly sync: 'assumed' | 'timesyncd';
}

export interface UpstreamSettings {
  /** mqtt://, mqtts:// with host and port. */
  readonly url: string;
  readonly protocol: 'auto' | '5' | '3.1.1';
  readonly username?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly keepaliveS: number;
  /** Without a PUBACK for so long the link is taken for dead and made anew. */
  readonly ackTimeoutS: number;
  /** What settles a row: the head-end's acknowledgement, the broker's PUBACK, or what the head-end asks for. */
  readonly ack: 'auto' | 'required' | 'none';
  /** What a head-end may do beside asking. */
  readonly commands: { readonly operate: boolean; readonly configure: boolean };
  /** Messages of backlog a second. */
  readonly backlogPerS: number;
  /** Whether the latest reading of each meter is published too; absent: not. */
  readonly last?: boolean;
  /** The hourly send is spread over so many seconds by a hash of the collector's id. */
  readonly smearS: number;
  /** Ceiling of the pause between two tries to connect. */
  readonly reconnectMaxS: number;
}

export interface SerialSettings {
  readonly path: string;
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

export interface PeerSettings {
  readonly host: string;
  readonly port: number;
}

export type BusSettings = {
  readonly bus: string;
  /** How long one meter may stay silent before its turn is over, in milliseconds of the wire. */
  readonly timeoutMs: number;
  /** Ceiling of the pause between two tries to open a lost port or peer, in milliseconds of the wire. */
  readonly reopenMaxMs: number;
  /** Where frames begin and end, as the profiles of a line's meters say; absent: CR. */
  readonly framing?: Framing;
} & (
  | { readonly type: 'line-serial'; readonly serial: SerialSettings }
  | { readonly type: 'line-tcp'; readonly peer: PeerSettings }
  | { readonly type: 'modbus-rtu'; readonly serial: SerialSettings }
  | {
      /** RTU frames through a server of a serial line, which says nothing of that line: its `baud` is ours to know. */
      readonly type: 'modbus-rtu-tcp';
      readonly peer: PeerSettings;
      readonly baud: number;
    }
  | {
      readonly type: 'modbus-tcp';
      readonly peer: PeerSettings;
      /** How many questions may be under way at once; absent: 16. */
      readonly inFlight?: number;
    }
);

/** Where to look for devices: any way of speaking is tried there, but on a bus, which says its own. */
export type ScanTarget =
  | { readonly port: string }
  | { readonly peer: PeerSettings }
  | { readonly bus: BusSettings };

export interface MeterSettings {
  /** The stable key of the place. */
  readonly meter: string;
  /** Null for a dial that only people read. */
  readonly bus: string | null;
  readonly profile: Profile | HandProfile;
  /** The profile's dial unless this meter's own settings say otherwise. */
  readonly dial: Dial;
  /** Modbus unit (1 to 247; over TCP also 0 and 255, the device itself), or the text that takes the place of `{address}` in a line's request. */
  readonly address: string;
  /** Identification the encoder sends; a reading with another is not this meter's. */
  readonly registerId?: string;
  readonly bodySerial?: string;
  readonly servicePoint?: string;
  readonly route?: string;
  readonly service: 'active' | 'inactive';
  readonly size?: string;
  readonly pollS: number;
  readonly toleranceS: number;
  /** Counts an hour at the meter's safe maximum; what passes faster is not believed. */
  readonly maxFlowPerH: number;
  /** Counts the dial may rock back without any water. */
  readonly jitter: number;
  /** Days without a count after which a dial that used to move is told to be stuck. */
  readonly stuckDays: number;
  /** Alerts of this meter where they differ from those of every meter. */
  readonly alerts?: AlertWishes;
}
