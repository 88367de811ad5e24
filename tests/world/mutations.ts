// Bugs to be planted, one at a time, in a copy of the compiled code: what a test of the whole has to find.

export interface Mutation {
  readonly name: string;
  /** Below src/, as compiled. */
  readonly file: string;
  /** Text that stands there exactly once, and what is put in its place. */
  readonly text: string;
  readonly instead: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a group is taken for durable before it is written',
    file: 'journal/books.js',
    text: 'const written = await this.store.write(changes);',
    instead:
      'this.#durableNow(group); const written = await this.store.write(changes); if (written.ok) return good(undefined);',
  },
  {
    name: 'a row is settled before it is sent',
    file: 'jobs/forward.js',
    text: 'journal.claim(rows); // They',
    instead: 'journal.claim(rows); journal.settle(rows); // They',
  },
  {
    name: 'a rollover is taken for reverse flow',
    file: 'domain/register.js',
    text: 'if (forward <= limit) {',
    instead:
      "if (forward <= limit && seen < before) return { kind: 'reverse', counts: seen - before, rollover: false }; if (forward <= limit) {",
  },
  {
    name: 'a late answer is taken for whatever question is under way',
    file: 'bus/mbap-client.js',
    text: 'const asking = this.#find(transaction);',
    instead:
      'const asking = this.#find(transaction) ?? this.#asking[0]; if (asking && asking.transaction !== transaction) asking.unit = bytes[at + MBAP_HEAD_BYTES];',
  },
  {
    name: 'an answer of any encoder is taken',
    file: 'bus/line-bus.js',
    text: 'if (message.ok && !this.#isOwn(message.value.id, target.meter, expected)) {',
    instead: 'if (false) {',
  },
  {
    name: 'a changed reading without a check sum is believed at once',
    file: 'domain/register-life.js',
    text: 'if (seen.checked)',
    instead: 'if (true)',
  },
  {
    name: 'an hour is closed twice: its state is not kept with it',
    file: 'journal/books.js',
    text: `        states.set(meter, state);
        this.group.states.add(meter);`,
    instead: '        states.set(meter, state);',
  },
  {
    name: 'the beginning of an alarm is lost when it goes on',
    file: 'domain/alarms.js',
    text: "this.#tell({ alarm, message, code, severity, phase: 'clear', at, since, data: evidence });",
    instead:
      "this.#tell({ alarm, message, code, severity, phase: 'clear', at, since: at, data: evidence });",
  },
  {
    name: 'the clock is read directly',
    file: 'pipeline.js',
    text: 'at: clock.now(),',
    instead: 'at: Date.now(),',
  },
  {
    name: 'what the head-end misses is not sent again',
    file: 'journal/pending-rows.js',
    text: 'for (const range of [...ack.missing, ...after])',
    instead: 'for (const range of after)',
  },
  {
    name: 'rows asked for again are searched for before they are on the medium',
    file: 'journal/books.js',
    text: 'this.cursors.delete(pendingOf(key).meter);',
    instead: '',
  },
  {
    name: 'a gap tells nothing of what passed',
    file: 'domain/hours.js',
    text: 'use: ended.to.total - ended.from.total,',
    instead: 'use: 0,',
  },
  {
    name: 'a broker that acknowledges nothing is waited for for ever',
    file: 'adapters/in-flight.js',
    text: 'this.#onSilent();',
    instead: '',
  },
  {
    name: 'memory that ran ahead of a failed write is kept',
    file: 'journal/books.js',
    text: `            sometimes('journal: a group could not be written');
            this.#becomeUnsound();`,
    instead: '',
  },
  {
    name: 'a jump beyond what can flow is water',
    file: 'domain/register-life.js',
    text: 'return this.#quarantine(register, movement, identified);',
    instead:
      "return this.#accept(register, { kind: 'forward', counts: movement.forward, rollover: false, ambiguous: false }, clock);",
  },
  {
    name: 'the number of a row is not kept with it',
    file: 'journal/books.js',
    text: 'group.changes.set(keys.nextRow, seal(keys.nextRow, this.nextRow));',
    instead: '',
  },
  {
    name: 'a clock that has lost the time is believed after a quarter of an hour',
    file: 'domain/moment.js',
    text: `    if (isLost(clock, moment))
        return lostClock(clock, moment);`,
    instead: '',
  },
  {
    name: 'things grow old by the wall clock',
    file: 'journal/thinning.js',
    text: 'this.#thinner.byAge(this.#aged(now, livedMs), limits, rest)',
    instead: 'this.#thinner.byAge(now, limits, rest)',
  },
  {
    name: 'a stop waits for a broker that answers nothing',
    file: 'collector.js',
    text: 'await Promise.race([ended, wire.sleep(STOP_SENDING_MS, late.signal)]);',
    instead: 'await ended;',
  },
];
