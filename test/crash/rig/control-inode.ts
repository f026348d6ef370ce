import { CONTROL_RECORD_SIZE, decodeControlRecord } from '../../../src/storage/control-record.js';

/** Where `klog.end` has the two slots of S (control-file.ts). */
const SAFE_SLOTS = [1024, 1536];

/** The inode that `klog.end` had when S was written, as S says. */
export function inodeInside(bytes: Buffer): number | undefined {
  for (const at of SAFE_SLOTS) {
    const record = at + CONTROL_RECORD_SIZE <= bytes.length ? decodeControlRecord(bytes, at) : undefined;
    if (record !== undefined) return record.inode;
  }
  return undefined;
}
