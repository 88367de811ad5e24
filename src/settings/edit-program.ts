// The program that `editApart` starts: edits one settings file as it is told, sends what came of it, and ends.

import { editSettings } from './edit-settings.ts';

process.once('message', (options) => {
  void editSettings(options as Parameters<typeof editSettings>[0]).then((edited) => {
    process.send?.(edited, () => process.disconnect());
  });
});
