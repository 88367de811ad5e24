// What a device says of itself beside its dial: the flags a profile can raise, each as the makers name it.

/** Meaning of every flag, in one line for people. Only what a published protocol names stands here. */
export const DEVICE_FLAGS = {
  leak: 'water ran without a pause for the whole of the device’s own window',
  leak_intermittent: 'water ran in most, but not all, parts of the device’s own window',
  backflow_minor: 'a little water ran backwards within the device’s own window',
  backflow_major: 'much water ran backwards within the device’s own window',
  reverse_flow: 'water is running backwards now',
  no_use: 'no water ran for days',
  low_battery: 'a battery of the device or of its module is low',
  power_lost: 'the device was without power',
  empty_pipe: 'the pipe is not full',
  tamper: 'somebody interfered with the device',
  cut_wire: 'the wire between register and reader is cut',
  sensor_error: 'the device’s own measurement fails or is in doubt',
  flow_over_range: 'the flow is above what the device can measure',
  totalizer_overflow: 'a totalizer of the device has overflowed',
  totalizer_held: 'a totalizer of the device is held: water passes uncounted',
  error_pending: 'the device has an error pending; its own display says which',
  config_error: 'the device says that it is set up wrongly',
  comms_error: 'the module cannot talk to its meter',
  rebooted: 'the device has started anew',
  rollover_counted: 'the device counts how often its dial passed zero, and it has',
  unit_unknown:
    'the device states a unit whose code is not published; the settings’ unit is believed',
} as const satisfies Record<string, string>;

export type DeviceFlag = keyof typeof DEVICE_FLAGS;
