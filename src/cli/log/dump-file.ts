import type { FileKind } from './file-kind.js';

/** One file to be shown. */
export interface DumpFile {
  /** Where it is opened. */
  readonly path: string;
  /** The path as the user named it. */
  readonly shown: string;
  readonly name: string;
  readonly kind: FileKind;
  /** By the name of the directory it lies in; undefined where that is no partition's. */
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  /** By its own name. */
  readonly baseOffset: number | undefined;
  /** Another segment of the log follows: bytes at the end that are no batch are then not just an unfinished write. */
  readonly isFollowed: boolean;
}
