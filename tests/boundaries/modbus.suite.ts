// What every Modbus link promises, in memory, on a serial line or over TCP.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModbusLink, ModbusQuestion } from '../../src/boundaries.ts';
import type { FaultCode, Result } from '../../src/domain/fault.ts';
import type { ModbusScript } from '../fakes/scripted-modbus.ts';
import { until } from '../fakes/until.ts';

export interface ModbusRig {
  readonly link: ModbusLink;
  /** What opening says while the other end is unplugged. */
  readonly absence: FaultCode;
  /** From now on the devices answer by this script. */
  answer(script: ModbusScript): void;
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  dispose(): Promise<void>;
}

/** Long enough for every part to answer, short enough to wait out. */
export const SHORT_MS = 150;
/** Ample for an answer on a busy machine, and waited out once where an answer was owed. */
export const FAIR_MS = 500;
/** Never waited out by a link that keeps its promises. */
const LONG_MS = 10_000;

export function ask(changes: Partial<ModbusQuestion> = {}): ModbusQuestion {
  return { unit: 1, table: 'holding', address: 0, quantity: 2, timeoutMs: LONG_MS, ...changes };
}

/** The words, or the fault's code. */
export function told(result: Result<unknown>): unknown {
  return result.ok ? result.value : result.fault.code;
}

/** Words that say which question they answer. */
export const itsAddress: ModbusScript = ({ unit, address }) => ({ words: [unit, address] });

export function modbusSuite(name: string, create: () => Promise<ModbusRig>): void {
  describe(`${name} as a Modbus link`, () => {
    let rig: ModbusRig;
    let link: ModbusLink;
    /** One question on a link that is opened again where a fault has closed it. */
    const read = async (changes: Partial<ModbusQuestion> = {}) => {
      await link.open();
      return told(await link.read(ask(changes)));
    };
    /** The first words told; a busy machine may spoil a try or two by coming late itself. */
    const readAtLast = async (changes: Partial<ModbusQuestion>) => {
      let words: unknown;
      await until(
        'words are told',
        async () => {
          words = await read({ ...changes, timeoutMs: FAIR_MS });
          return typeof words !== 'string';
        },
        25_000,
      );
      return words;
    };
    beforeEach(async () => {
      rig = await create();
      link = rig.link;
      rig.answer(itsAddress);
      expect(link.isOpen()).toBe(false);
      expect(told(await link.read(ask()))).toBe('port.absent');
      expect(await link.open()).toEqual({ ok: true, value: undefined });
    });
    afterEach(async () => {
      await link.close();
      await rig.dispose();
    });

    it('words come in address order from the unit, table and address asked', async () => {
      const asked: unknown[] = [];
      rig.answer((question) => {
        asked.push([question.unit, question.table, question.address, question.quantity]);
        return { words: [0x00bc, 0x614e, 0xffff].slice(0, question.quantity) };
      });
      expect(await read()).toEqual([0x00bc, 0x614e]);
      expect(await read({ unit: 247, table: 'input', address: 36, quantity: 3 })).toEqual([
        0x00bc, 0x614e, 0xffff,
      ]);
      expect(await read({ quantity: 1, address: 0xffff })).toEqual([0x00bc]);
      expect(asked).toEqual([
        [1, 'holding', 0, 2],
        [247, 'input', 36, 3],
        [1, 'holding', 0xffff, 1],
      ]);
    });

    it('many questions one after the other each get their own answer', async () => {
      for (let address = 0; address < 300; address += 1) {
        expect(await read({ address, unit: 1 + (address % 5) })).toEqual([
          1 + (address % 5),
          address,
        ]);
      }
    });

    it('an exception is told with its number, and the next question is answered', async () => {
      for (const exception of [1, 2, 3, 4, 5, 6, 10, 11]) {
        rig.answer(() => ({ exception }));
        const answer = await link.read(ask());
        expect(answer).toMatchObject({ fault: { code: 'modbus.exception' } });
        expect(answer.ok || answer.fault.detail).toMatch(new RegExp(`^${exception}\\b`));
      }
      rig.answer(itsAddress);
      expect(await read({ address: 7 })).toEqual([1, 7]);
    });

    it('a silent unit costs its time-out, and the next unit is answered', async () => {
      rig.answer((question) => (question.unit === 1 ? 'silence' : itsAddress(question)));
      const began = performance.now();
      expect(await read({ timeoutMs: SHORT_MS })).toBe('line.silent');
      expect(performance.now() - began).toBeGreaterThanOrEqual(SHORT_MS - 1);
      const next = performance.now();
      expect(await read({ unit: 2, address: 9 })).toEqual([2, 9]);
      expect(performance.now() - next).toBeLessThan(LONG_MS / 2);
    });

    it('a late answer is never taken for the answer to the next question', async () => {
      rig.answer((question) => ({ words: [1, question.address], afterMs: SHORT_MS * 1.5 }));
      expect(await read({ address: 10, timeoutMs: SHORT_MS })).toBe('line.silent');
      rig.answer(itsAddress);
      for (let address = 20; address < 25; address += 1) {
        expect(await readAtLast({ address })).toEqual([1, address]);
      }
    });

    it('a device that is always a little late never answers for another question', async () => {
      rig.answer((question) => ({ words: [1, question.address], afterMs: SHORT_MS * 1.3 }));
      for (let address = 10; address < 16; address += 1) {
        const answer = await read({ address, timeoutMs: SHORT_MS });
        expect(typeof answer === 'string' || answer).not.toEqual([1, address - 1]);
      }
      rig.answer(itsAddress);
      expect(await readAtLast({ address: 99 })).toEqual([1, 99]);
    });

    it('the answer of another unit is refused', async () => {
      rig.answer(({ address }) => ({ words: [1, address], unit: 5 }));
      const answer = await read({ timeoutMs: SHORT_MS });
      expect(['line.silent', 'line.torn', 'modbus.unexpected']).toContain(answer);
      rig.answer(itsAddress);
      expect(await read({ address: 3, timeoutMs: FAIR_MS })).toEqual([1, 3]);
    });

    it('an answer of more or fewer words than asked for is refused', async () => {
      for (const words of [[1], [1, 2, 3], []]) {
        rig.answer(() => ({ words }));
        expect(typeof (await read({ timeoutMs: SHORT_MS }))).toBe('string');
      }
      rig.answer(itsAddress);
      expect(await read({ address: 3, timeoutMs: FAIR_MS })).toEqual([1, 3]);
    });

    it('whoever waits hears at once that the link is lost', async () => {
      rig.answer(() => 'silence');
      const began = performance.now();
      const answer = link.read(ask());
      await rig.unplug();
      expect(told(await answer)).toBe('port.absent');
      expect(performance.now() - began).toBeLessThan(LONG_MS / 2);
      expect(link.isOpen()).toBe(false);
      expect(told(await link.read(ask()))).toBe('port.absent');
    });

    it('the loss of the link is noticed while nothing is asked, and it opens once it is back', async () => {
      await rig.unplug();
      await until('the link is lost', () => !link.isOpen());
      expect(told(await link.open())).toBe(rig.absence);
      expect(link.isOpen()).toBe(false);
      await rig.plugIn();
      expect(await link.open()).toEqual({ ok: true, value: undefined });
      expect(await read({ address: 5 })).toEqual([1, 5]);
    });

    it('closing settles who waits, may be repeated, and the link opens again', async () => {
      rig.answer(() => 'silence');
      const answer = link.read(ask());
      await link.close();
      expect(told(await answer)).toBe('port.absent');
      await link.close();
      expect(link.isOpen()).toBe(false);
      rig.answer(itsAddress);
      expect(await read({ address: 6, timeoutMs: FAIR_MS })).toEqual([1, 6]);
    });

    it('who gives up is let go, and the answer is not taken for the next question', async () => {
      const giveUp = new AbortController();
      rig.answer(({ address }) => ({ words: [1, address], afterMs: SHORT_MS / 2 }));
      const answer = link.read(ask({ address: 1, timeoutMs: SHORT_MS }), giveUp.signal);
      giveUp.abort();
      expect(told(await answer)).toBe('aborted');
      rig.answer(itsAddress);
      expect(await read({ address: 2, timeoutMs: FAIR_MS })).toEqual([1, 2]);
    });

    it('as many questions at once as it bears get their own answers, and one more is a bug', async () => {
      rig.answer(({ address }) => ({ words: [1, address], afterMs: 20 }));
      const addresses = Array.from({ length: link.atOnce }, (_, i) => 100 + i);
      const answers = addresses.map((address) => link.read(ask({ address })));
      await expect(link.read(ask({ address: 2 }))).rejects.toThrow();
      for (const [i, answer] of answers.entries()) {
        expect(told(await answer)).toEqual([1, addresses[i]]);
      }
    });
  });
}
