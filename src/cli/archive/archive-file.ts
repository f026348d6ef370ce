import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ArchiveSink } from '../../archive/archive-writer.js';
import { KlogError, systemReason } from '../../errors.js';

/** A file that has its name only when it is complete and on the disk. */
export interface ArchiveFile {
  readonly sink: ArchiveSink;
  /** Nothing is written any more; the file is there. */
  keep(): Promise<void>;
  /** Removes what was not kept. */
  discard(): Promise<void>;
}

const BUFFER_BYTES = 1024 * 1024;

/** Names there stand for what is open, as `/dev/stdout` does, or for devices: nothing may take their place. */
const SYSTEMS_OWN = /^\/(?:dev(?!\/shm\/)|proc)\//;

/** @throws KlogError KLOG_OUTPUT_FAILED, as do the methods of what it answers */
export async function createArchiveFile(path: string): Promise<ArchiveFile> {
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory()) throw failure(path, new Error('it is a directory'));
  // Pipes and devices are written to as they are.
  const isSpecial = existing !== undefined && (!existing.isFile() || SYSTEMS_OWN.test(resolve(path)));
  if (isSpecial) return new WrittenFile(path, path, await attempt(path, () => open(path, 'w')), true);
  // A link stays one: the file that it leads to is replaced.
  const target = existing === undefined ? path : await attempt(path, () => realpath(path));
  // Not made of the file's name, which may be as long as names may be.
  const temporary = join(dirname(target), `.klog-export.${randomBytes(8).toString('hex')}.tmp`);
  const handle = await attempt(path, () => open(temporary, 'wx', 0o600));
  return new WrittenFile(target, temporary, handle, false);
}

class WrittenFile implements ArchiveFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #isSpecial: boolean;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #filled = 0;
  #isKept = false;
  #isClosed = false;

  constructor(path: string, temporary: string, handle: FileHandle, isSpecial: boolean) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#isSpecial = isSpecial;
  }

  readonly sink: ArchiveSink = async (bytes) => {
    if (this.#filled + bytes.length > BUFFER_BYTES) await this.#flush();
    if (bytes.length >= BUFFER_BYTES) await this.#write(bytes);
    else {
      this.#buffer.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
  };

  async keep(): Promise<void> {
    await this.#flush();
    if (this.#isSpecial) return;
    await attempt(this.#path, async () => {
      await this.#handle.sync();
      await rename(this.#temporary, this.#path);
      this.#isKept = true;
      const directory = await open(dirname(this.#path), 'r');
      await directory.sync().finally(() => directory.close());
    });
  }

  async discard(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close().catch(() => {});
    if (!this.#isKept && !this.#isSpecial) await unlink(this.#temporary).catch(() => {});
  }

  async #flush(): Promise<void> {
    const filled = this.#filled;
    this.#filled = 0;
    if (filled > 0) await this.#write(this.#buffer.subarray(0, filled));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await attempt(this.#path, async () => {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#handle.write(bytes, done, bytes.length - done)).bytesWritten;
      }
    });
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(path, error);
  }
}

function failure(path: string, error: unknown): KlogError {
  return new KlogError('KLOG_OUTPUT_FAILED', `writing ${path}: ${systemReason(error)}`, {
    file: path,
    cause: error,
  });
}
