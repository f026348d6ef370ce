import type { FileSystem } from '../../storage/file-system.js';
import type { Damage } from './damage.js';
import type { DumpFormat, DumpOutput } from './dump-writer.js';

/** What is to be done with each file. */
export interface DumpTask {
  readonly fs: FileSystem;
  readonly format: DumpFormat;
  readonly out: DumpOutput;
  readonly damage: Damage;
  readonly withRecords: boolean;
  /** Of each `.log`. */
  readonly maxBytes: number;
  /** The reader went away, or Ctrl-C. */
  isStopped(): boolean;
}
