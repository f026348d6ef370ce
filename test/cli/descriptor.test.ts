import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeDescriptor, openAgain } from '../../src/cli/descriptor.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

it.each([
  ['/dev/null', 'device'],
  ['/dev/zero', 'device'],
  ['.', 'directory'],
  ['file', 'file'],
])('%s is a %s', (path, kind) =>
  inTemporaryDirectory(async (directory) => {
    writeFileSync(join(directory, 'file'), '');
    const fd = openSync(path.startsWith('/') ? path : join(directory, path), 'r');
    try {
      expect(describeDescriptor(fd)).toBe(kind);
    } finally {
      closeSync(fd);
    }
  }),
);

it.runIf(process.platform === 'linux')('the end of a new terminal is a terminal', () => {
  // The controlling side is one as well, and its number is not that of the terminals in windows.
  const fd = openSync('/dev/ptmx', 'r+');
  try {
    expect(describeDescriptor(fd)).toBe('terminal');
  } finally {
    closeSync(fd);
  }
});

it('what is closed is not opened again', () => {
  expect(openAgain(987_654, 'read')).toBeUndefined();
});
