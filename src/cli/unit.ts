// The systemd unit of a collector, and the user it runs as: text, for `install`.

/** The service's name, and that of its user, group and folders. */
export const SERVICE = 'meter-collector';

/** systemd restarts a collector that has given no sign for so long: its loops come round every five minutes. */
const WATCHDOG = '20min';

/**
 * Node's flags for a program that runs for years. 2 MiB for new objects in place of 1 are collected half as often, which at 100 readings a
 * second saves a third of all processor time. Collected by one thread: what there is takes it 4 ms, and four that share it take a
 * fifth more of all processor time at 1,000 readings a second, for a millisecond. One thread makes machine code, in place of four
 * that each keep 2 MiB for it. Only who starts a process can say so.
 */
export const NODE_FLAGS: readonly string[] = [
  '--min-semi-space-size=2',
  '--single-threaded-gc',
  '--v8-pool-size=1',
];

export interface UnitPaths {
  /** Node's program, and the collector's. Absolute. */
  readonly node: string;
  readonly program: string;
  /** The settings file. Absolute. */
  readonly config: string;
}

/** A user of its own that may open serial ports (sysusers.d(5)). */
export const SYSUSERS = `u ${SERVICE} - "Water meter collector" /var/lib/${SERVICE}
m ${SERVICE} dialout
`;

/**
 * The unit (systemd.exec(5)). It may read the system, write its own folder, open serial ports and talk to networks; all
 * else is closed. MemoryDenyWriteExecute stays off: V8 writes the code that it runs.
 */
export function unitText({ node, program, config }: UnitPaths): string {
  return `[Unit]
Description=Water meter collector
After=network.target time-sync.target
# It never waits for either: meters are read without a network, and without a clock.
StartLimitIntervalSec=0

[Service]
Type=notify
# Its signs of life come from systemd-notify, a child.
NotifyAccess=all
ExecStart=${quoted(node)} ${NODE_FLAGS.join(' ')} ${quoted(program)} run --config ${quoted(config)}
ExecReload=/bin/kill -HUP $MAINPID
User=${SERVICE}
Group=${SERVICE}
SupplementaryGroups=dialout
Restart=always
RestartSec=5
# Repairing a damaged journal takes its time.
TimeoutStartSec=300
TimeoutStopSec=30
WatchdogSec=${WATCHDOG}
StateDirectory=${SERVICE}
StateDirectoryMode=0700
RuntimeDirectory=${SERVICE}
RuntimeDirectoryMode=0750
ConfigurationDirectory=${SERVICE}
ConfigurationDirectoryMode=0750
UMask=0077
LimitNOFILE=4096
MemoryMax=512M
TasksMax=64

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyAMA rw
DeviceAllow=char-ttyS rw
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# What it may talk to, where that is known: systemctl edit ${SERVICE}
# IPAddressDeny=any
# IPAddressAllow=localhost 10.20.0.0/16

[Install]
WantedBy=multi-user.target
`;
}

/** As ExecStart= reads it: a space separates, % begins a specifier, $ a variable. */
function quoted(path: string): string {
  const text = path.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"']/.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text;
}
