/** What a file of a log directory is, by its name. */
import {
  CLEANER_OFFSET_CHECKPOINT,
  LOG_START_OFFSET_CHECKPOINT,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_OFFSET_CHECKPOINT,
} from '../../storage/checkpoint-file.js';
import { CONTROL_FILE_NAME } from '../../storage/control-file.js';
import { LEADER_EPOCH_CHECKPOINT } from '../../storage/leader-epoch-checkpoint.js';
import { PARTITION_METADATA } from '../../storage/partition-metadata.js';
import { META_PROPERTIES } from '../../store/layout.js';

export type FileKind =
  | 'log'
  | 'offsetIndex'
  | 'timeIndex'
  | 'transactionIndex'
  | 'producerSnapshot'
  | 'offsetCheckpoint'
  | 'leaderEpochCheckpoint'
  | 'partitionMetadata'
  | 'metaProperties'
  | 'klogEnd';

const BY_NAME: Readonly<Record<string, FileKind>> = {
  [RECOVERY_POINT_CHECKPOINT]: 'offsetCheckpoint',
  [LOG_START_OFFSET_CHECKPOINT]: 'offsetCheckpoint',
  [REPLICATION_OFFSET_CHECKPOINT]: 'offsetCheckpoint',
  [CLEANER_OFFSET_CHECKPOINT]: 'offsetCheckpoint',
  [LEADER_EPOCH_CHECKPOINT]: 'leaderEpochCheckpoint',
  [PARTITION_METADATA]: 'partitionMetadata',
  [META_PROPERTIES]: 'metaProperties',
  [CONTROL_FILE_NAME]: 'klogEnd',
};

/** `.checkpoint`: a snapshot of KRaft, which is made of record batches. */
const BY_SUFFIX: Readonly<Record<string, FileKind>> = {
  log: 'log',
  checkpoint: 'log',
  index: 'offsetIndex',
  timeindex: 'timeIndex',
  txnindex: 'transactionIndex',
  snapshot: 'producerSnapshot',
};

/** What is behind the last `.`, without what says that the file is out of use. */
const SUFFIX = /\.(\w+)(?:\.deleted|\.cleaned|\.swap|\.cut-\d+)?$/;

/** `undefined`: nothing that can be shown. */
export function fileKindOf(name: string): FileKind | undefined {
  const byName = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (byName !== undefined) return byName;
  const [, suffix = ''] = SUFFIX.exec(name) ?? [];
  return Object.hasOwn(BY_SUFFIX, suffix) ? BY_SUFFIX[suffix] : undefined;
}

/** The base offset in a segment file's name; `undefined`: it has none, or one beyond 2^53 - 1. */
export function baseOffsetOf(name: string): number | undefined {
  const [, digits] = /^(\d{1,20})\./.exec(name) ?? [];
  if (digits === undefined || !Number.isSafeInteger(Number(digits))) return undefined;
  return Number(digits);
}
