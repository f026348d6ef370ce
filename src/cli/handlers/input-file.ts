import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HandlerInput } from '../../handlers/process-group.js';

/** Linux: a file without a name in this directory. Not among Node's constants. */
const O_TMPFILE = 0o20200000;

/**
 * A value as a file that has no name: all of it is there before the handler begins. Through a pipe it would come piece
 * by piece, and if klog were killed meanwhile the handler would take what had come by then for the whole.
 */
export function inputFile(bytes: Uint8Array): HandlerInput {
  const fd = openUnnamed();
  const close = () => closeSync(fd);
  try {
    // At positions: the handler reads from the beginning.
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, done);
  } catch (error) {
    close();
    throw error;
  }
  return { fd, close };
}

function openUnnamed(): number {
  const directory = tmpdir();
  try {
    return openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch {
    // A file system that has none without names.
    const path = join(directory, `klog-${randomUUID()}`);
    const fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    unlinkSync(path);
    return fd;
  }
}
