import { type ErrorCode, type ErrorPlace, KlogError, systemReason } from '../errors.js';

const CODES: Readonly<Record<string, { readonly code: ErrorCode; readonly why: string; readonly hint?: string }>> = {
  EACCES: { code: 'KLOG_PERMISSION_DENIED', why: 'permission denied' },
  EPERM: { code: 'KLOG_PERMISSION_DENIED', why: 'operation not permitted' },
  EROFS: { code: 'KLOG_PERMISSION_DENIED', why: 'the file system is mounted read-only' },
  ENOSPC: { code: 'KLOG_DISK_FULL', why: 'no space left on the device', hint: 'Free some space and try again' },
  EDQUOT: { code: 'KLOG_DISK_FULL', why: 'the disk quota is used up', hint: 'Free some space and try again' },
  EMFILE: { code: 'KAFKA_STORAGE_ERROR', why: 'too many open files', hint: 'Raise the limit with ulimit -n' },
  ENFILE: { code: 'KAFKA_STORAGE_ERROR', why: 'too many open files in the whole system' },
  ENOTDIR: { code: 'KLOG_BAD_DIRECTORY', why: 'a part of the path is not a directory' },
  ELOOP: { code: 'KLOG_BAD_DIRECTORY', why: 'a symbolic link stands where a file should be' },
  ENAMETOOLONG: { code: 'KLOG_BAD_DIRECTORY', why: 'the path is too long' },
};

export function systemErrorCode(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What the system refused, as a KlogError; a KlogError stays what it is. `what` reads "cannot create topic orders". */
export function storageError(error: unknown, what: string, place: ErrorPlace = {}): KlogError {
  if (error instanceof KlogError) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : CODES[code];
  const why = known === undefined ? systemReason(error) : known.why;
  const file = place.file ?? path;
  return new KlogError(
    known?.code ?? 'KAFKA_STORAGE_ERROR',
    `${what}: ${why}${file === undefined ? '' : ` (${file})`}`,
    {
      ...place,
      file,
      cause: error,
      hint: known?.hint,
    },
  );
}
