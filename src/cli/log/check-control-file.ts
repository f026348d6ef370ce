import { join } from 'node:path';
import { CONTROL_FILE_NAME, CONTROL_FILE_SIZE, identityOf } from '../../storage/control-file.js';
import { CONTROL_RECORD_SIZE, type ControlRecord, decodeControlRecord } from '../../storage/control-record.js';
import type { FileSystem, OpenFile } from '../../storage/file-system.js';
import { isOdd } from '../../storage/log-context.js';
import { systemErrorCode } from '../../store/system-error.js';
import type { Problems } from './check-report.js';

/** What `klog.end` says, as far as it can be relied on. */
export interface CheckedControl {
  readonly safe: ControlRecord;
  /** `undefined`: neither of its slots is whole. */
  readonly appended: ControlRecord | undefined;
  /** Written for another copy of the directory. */
  readonly isCopy: boolean;
  /** Written in this boot, for this very file. */
  readonly isOfThisBoot: boolean;
}

const SLOTS = [
  { record: 'A', at: 0 },
  { record: 'A', at: 512 },
  { record: 'S', at: 1024 },
  { record: 'S', at: 1536 },
] as const;
const SYNCING_AT = 2048;
/** A writer may be at a slot just now: it is damaged only if it stays so. */
const LOOKS = 20;
/** A write of a slot takes microseconds. */
const PAUSE_MS = 2;

/** `undefined`: there is no control file, or nothing in it says what is safe. */
export async function checkControlFile(
  fs: FileSystem,
  directory: string,
  shown: string,
  problems: Problems,
): Promise<CheckedControl | undefined> {
  const file = join(shown, CONTROL_FILE_NAME);
  let open: OpenFile;
  try {
    open = await fs.open(join(directory, CONTROL_FILE_NAME), 'read');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stat = await open.stat();
    const { size } = stat;
    if (size < CONTROL_FILE_SIZE) problems.note(file, `has ${size} bytes instead of ${CONTROL_FILE_SIZE}`);
    const { slots, bytes } = await readSlots(open);
    const broken = SLOTS.filter((_, i) => slots[i] === 'broken');
    const appended = newest(slots[0], slots[1]);
    const safe = newest(slots[2], slots[3]);
    for (const { record, at } of broken) {
      const other = (record === 'A' ? appended : safe) === undefined ? 'and no other is left' : 'the other one counts';
      problems.damage(file, `a record of ${record} is damaged, ${other}`, { position: at });
    }
    if (bytes[SYNCING_AT] !== 0) {
      const reason = 'a sync is under way, or has failed: the next writer settles the log';
      problems.torn(file, reason, { position: SYNCING_AT });
    }
    if (safe === undefined) {
      if (size > 0 && broken.length === 0) problems.torn(file, 'says nothing yet: the next writer settles the log');
      return undefined;
    }
    const isCopy = safe.identity !== identityOf(stat);
    const isOfThisBoot = !isCopy && Buffer.compare(safe.bootId, fs.bootId()) === 0;
    if (isCopy) problems.note(file, 'belongs to another copy of this directory: the next writer settles the log');
    else if (!isOfThisBoot) problems.note(file, 'was written before this boot: the next writer settles the log');
    if (isOdd(safe.layoutVersion)) problems.torn(file, 'files are being swapped, or were when a writer died');
    return { safe, appended, isCopy, isOfThisBoot };
  } finally {
    await open.close();
  }
}

type Slot = ControlRecord | 'empty' | 'broken';

async function readSlots(open: OpenFile): Promise<{ readonly slots: Slot[]; readonly bytes: Buffer }> {
  const bytes = Buffer.alloc(CONTROL_FILE_SIZE);
  for (let look = 1; ; look++) {
    const before = Buffer.from(bytes);
    bytes.fill(0, await open.read(bytes, 0, bytes.length, 0));
    const slots = SLOTS.map(({ at }) => decodeSlot(bytes, at));
    const isStill = SLOTS.every(({ at }, i) => slots[i] !== 'broken' || sameSlot(bytes, before, at));
    if (isStill || look === LOOKS) return { slots, bytes };
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function decodeSlot(bytes: Buffer, at: number): Slot {
  const record = decodeControlRecord(bytes, at);
  if (record !== undefined) return record;
  return bytes.subarray(at, at + CONTROL_RECORD_SIZE).every((byte) => byte === 0) ? 'empty' : 'broken';
}

function sameSlot(a: Buffer, b: Buffer, at: number): boolean {
  return a.compare(b, at, at + CONTROL_RECORD_SIZE, at, at + CONTROL_RECORD_SIZE) === 0;
}

function newest(first: Slot | undefined, second: Slot | undefined): ControlRecord | undefined {
  const records = [first, second].filter((slot): slot is ControlRecord => typeof slot === 'object');
  return records.reduce<ControlRecord | undefined>(
    (best, record) => (best === undefined || record.sequence > best.sequence ? record : best),
    undefined,
  );
}
