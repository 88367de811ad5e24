// The program that `apart` starts: does one task as it is told, sends what came of it, and ends.

import type { Asked } from './apart.ts';
import { tasks } from './apart-tasks.ts';

process.once('message', (message) => {
  const { task, options } = message as Asked;
  const doing = tasks[task] as (options: unknown) => Promise<object>;
  void doing(options).then((said) => process.send?.(said, () => process.disconnect()));
});
