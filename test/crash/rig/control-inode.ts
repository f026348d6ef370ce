import { CONTROL_RECORD_SIZE, decodeControlRecord } from '../../../src/storage/control-record.js';

/** Where `klog.end` has the two slots of S (control-file.ts). */
const SAFE_SLOTS = [1024, 1536];

/**
 * What told `klog.end` from other files when S was written, as S says: its inode, where nothing is known of its birth.
 */
export function inodeInside(bytes: Buffer): number | undefined {
  for (const at of SAFE_SLOTS) {
    const record = at + CONTROL_RECORD_SIZE <= bytes.length ? decodeControlRecord(bytes, at) : undefined;
    if (record !== undefined) return record.identity;
  }
  return undefined;
}
