// What a person says of a meter while it is commissioned: how its dial counts, and what is written on it.

import type { Commissioning, Session } from './commission-steps.ts';
import { chosen, type Question, wanted } from './questions.ts';

type Result = Readonly<Record<string, unknown>>;

/** What the collector takes the dial for; Enter means that it is so. */
export async function resolutionArgs(
  session: Session,
  again: boolean,
  { request, settings, desk }: Commissioning,
) {
  const known = settings.meters.find(({ meter }) => meter === session.meter)?.dial;
  const told = session.steps.find(({ step }) => step === 'device')?.result ?? {};
  const usual = (key: 'digits' | 'unit' | 'pow10') => {
    const one = (told['dial'] as Result | undefined)?.[key] ?? told[key] ?? known?.[key];
    return one === undefined ? undefined : String(one);
  };
  const question = (key: 'digits' | 'unit' | 'pow10', wrong: string, shape: RegExp): Question => ({
    ...{ key: `q_${key}`, flag: `--${key}`, usual: usual(key) },
    check: (one) => (shape.test(one) ? null : wrong),
  });
  const digits = await wanted(
    desk,
    request.digits,
    question('digits', 'q_bad_number', /^\d{1,2}$/),
  );
  const unit = await wanted(desk, request.unit, question('unit', 'q_bad_unit', /^(ft3|gal|m3|L)$/));
  const pow10 = await wanted(desk, request.pow10, question('pow10', 'q_bad_number', /^-?\d$/));
  const typed = { digits: Number(digits), unit, pow10: Number(pow10) };
  if (request.accept === true) return { ...typed, accept: true };
  if (!again || !desk.manner.asks) return typed;
  const answers = ['yes', 'no'] as const;
  const rows = answers.map((one) => desk.manner.say(`cli.answer_${one}`));
  const answer = await chosen(desk, undefined, answers, {
    key: 'q_accept',
    flag: '--accept',
    rows,
  });
  return { ...typed, accept: answer === 'yes' };
}

/** Serial numbers and place; the register's id is proposed as the encoder sent it, to be held against the label. */
export async function bindArgs({ request, desk, foundId }: Commissioning) {
  const ask = (given: string | undefined, key: string, flag: string, usual = '') =>
    wanted(desk, given, { key, flag, usual });
  const bound = {
    body_serial: await ask(request.bodySerial, 'q_body_serial', '--body-serial'),
    register_id: await ask(request.registerId, 'q_register_id', '--register-id', foundId ?? ''),
    service_point: await ask(request.servicePoint, 'q_service_point', '--service-point'),
    route: await ask(request.route, 'q_route', '--route'),
  };
  return Object.fromEntries(Object.entries(bound).filter(([, text]) => text !== ''));
}
