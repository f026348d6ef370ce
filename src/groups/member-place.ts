/**
 * Where a member can be looked for: the user data of its subscription, as JSON, so that `klog consume
 * __consumer_offsets` can show it. The lock of the file with this inode, in the group's directory, is held for as long
 * as the member lives.
 */
export interface MemberPlace {
  readonly pid: number;
  /** Hex. What held a lock in another boot is gone. */
  readonly bootId: string;
  /**
   * Device and identity (`identityOf`) of the log directory: in a copy, also one in its place, nobody who is named here
   * lives.
   */
  readonly directory: string;
  readonly inode: number;
}

const FORMAT = 1;

export function encodeMemberPlace({ pid, bootId, directory, inode }: MemberPlace): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.stringify({ klog: FORMAT, pid, bootId, directory, inode })));
}

/** `undefined`: not a member of klog's. */
export function decodeMemberPlace(userData: Uint8Array | null): MemberPlace | undefined {
  if (userData === null) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(userData).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { klog, pid, bootId, directory, inode } = value as Record<string, unknown>;
  const isPlace =
    klog === FORMAT &&
    typeof pid === 'number' &&
    typeof bootId === 'string' &&
    typeof directory === 'string' &&
    typeof inode === 'number';
  return isPlace ? { pid, bootId, directory, inode } : undefined;
}
