/**
 * `klog.json`: which versions of klog may read and write a data directory.
 *
 * ```json
 * {
 *   "formatVersion": 1,
 *   "minReaderVersion": 1,      a klog whose FORMAT_VERSION is lower must not read
 *   "minWriterVersion": 1,      … must not write
 *   "readerFeatures": [],       names; who does not know one of them must not read
 *   "writerFeatures": [],       … must not write
 *   "lockMechanism": "ofd"      processes that lock in different ways do not see each other: who cannot, must not write
 * }
 * ```
 * Fields that this version does not know are left alone: what they forbid, the fields above say.
 */
import { KlogError } from '../errors.js';

const FORMAT_VERSION = 1;
const READER_FEATURES: ReadonlySet<string> = new Set();
const WRITER_FEATURES: ReadonlySet<string> = new Set();

/**
 * - `ofd`: open file description locks on byte ranges (Linux).
 * - `flock`: whole-file BSD locks (macOS).
 * - `lockfileex`: Windows.
 */
export type LockMechanism = 'ofd' | 'flock' | 'lockfileex';

export interface KlogJson {
  readonly formatVersion: number;
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures: readonly string[];
  readonly writerFeatures: readonly string[];
  readonly lockMechanism: string;
}

export function lockMechanismOf(platform: string): LockMechanism {
  if (platform === 'darwin') return 'flock';
  return platform === 'win32' ? 'lockfileex' : 'ofd';
}

export function newKlogJson(lockMechanism: LockMechanism): KlogJson {
  return {
    formatVersion: FORMAT_VERSION,
    minReaderVersion: FORMAT_VERSION,
    minWriterVersion: FORMAT_VERSION,
    readerFeatures: [],
    writerFeatures: [],
    lockMechanism,
  };
}

export function encodeKlogJson(content: KlogJson): Uint8Array {
  return Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`);
}

/** @throws KlogError CORRUPT_MESSAGE */
export function decodeKlogJson(bytes: Uint8Array, file: string): KlogJson {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch (cause) {
    throw damagedKlogJson(file, 'it is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw damagedKlogJson(file, 'it is not a JSON object');
  const fields = value as Partial<Record<keyof KlogJson, unknown>>;
  return {
    formatVersion: version(fields, 'formatVersion', file),
    minReaderVersion: version(fields, 'minReaderVersion', file),
    minWriterVersion: version(fields, 'minWriterVersion', file),
    readerFeatures: names(fields, 'readerFeatures', file),
    writerFeatures: names(fields, 'writerFeatures', file),
    lockMechanism: text(fields, 'lockMechanism', file),
  };
}

/**
 * Whether this klog may read the directory, and write to it.
 * @throws KlogError UNSUPPORTED_VERSION; KLOG_BAD_DIRECTORY where another lock mechanism is in use
 */
export function checkKlogJson(content: KlogJson, path: string, use: 'read' | 'write', mechanism: LockMechanism): void {
  checkUse(path, 'read', content.minReaderVersion, content.readerFeatures, READER_FEATURES);
  if (use === 'read') return;
  checkUse(path, 'write', content.minWriterVersion, content.writerFeatures, WRITER_FEATURES);
  if (content.lockMechanism === mechanism) return;
  throw new KlogError(
    'KLOG_BAD_DIRECTORY',
    `${path} is written to under "${content.lockMechanism}" locks, and this system has "${mechanism}" locks`,
    { hint: 'Processes on the two would not see each other: copy the directory instead of sharing it' },
  );
}

function checkUse(
  path: string,
  use: 'read' | 'write',
  needed: number,
  features: readonly string[],
  known: ReadonlySet<string>,
): void {
  const hint = 'Use a newer klog';
  if (needed > FORMAT_VERSION) {
    const message = `to ${use} ${path} takes format version ${needed}, this klog has version ${FORMAT_VERSION}`;
    throw new KlogError('UNSUPPORTED_VERSION', message, { hint });
  }
  const unknown = features.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const message = `to ${use} ${path} takes ${unknown.join(', ')}, which this klog does not know`;
    throw new KlogError('UNSUPPORTED_VERSION', message, { hint });
  }
}

type Fields = Partial<Record<keyof KlogJson, unknown>>;

function version(fields: Fields, name: keyof KlogJson, file: string): number {
  const value = fields[name];
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw damagedKlogJson(file, `"${name}" is not a version number`);
}

function names(fields: Fields, name: keyof KlogJson, file: string): string[] {
  const value = fields[name];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw damagedKlogJson(file, `"${name}" is not a list of names`);
}

function text(fields: Fields, name: keyof KlogJson, file: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw damagedKlogJson(file, `"${name}" is not text`);
}

/** The log is all there, but who may touch it cannot be told. */
export function damagedKlogJson(file: string, why: string, cause?: unknown): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${file} is damaged: ${why}`, {
    file,
    cause,
    hint: 'Bring it back from a copy; that of another directory made by the same klog will do, they are all alike',
  });
}
