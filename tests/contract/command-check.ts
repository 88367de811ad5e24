// The daemon's own check of commands, over the schema files of the package; compiled beforehand, for virtual time waits for no file.

import { join } from 'node:path';
import { commandCheck } from '../../src/adapters/command-schema.ts';
import { CONTRACT } from './schemas.ts';

const check = await commandCheck(join(CONTRACT, '..', '..'))();

export const COMMAND_CHECK = () => Promise.resolve(check);
