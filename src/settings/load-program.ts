// The program that `loadApart` starts: loads one settings file, sends what came of it, and ends.

import { argv } from 'node:process';
import { loadSettings } from './load-settings.ts';

const [, , file = '', root = ''] = argv;
process.send?.(await loadSettings({ file, root }), () => process.disconnect());
