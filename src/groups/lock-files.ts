/**
 * The lock files of a group's members, outside the Kafka log directory:
 *
 * ```
 * .klog/groups/<group>/<member>.lock    held exclusively by the member for as long as it lives
 * ```
 * Ids are percent-encoded, and hashed where that is too long for a file name.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KlogError } from '../errors.js';
import type { FileSystem, LockRange, OpenFile } from '../storage/file-system.js';

const GROUPS_DIRECTORY = 'groups';
const SUFFIX = '.lock';
const LONGEST_NAME = 200;
/** Also where only whole files can be locked. */
const WHOLE_FILE: LockRange = { start: 0, length: 0 };
const ATTEMPTS = 10;
/** Files of others that stay open between two looks; more are opened for each look. */
const MOST_OPEN = 32;

export function groupDirectory(dataDirectory: string, groupId: string): string {
  return join(dataDirectory, GROUPS_DIRECTORY, fileNameOf(groupId));
}

function lockPath(directory: string, memberId: string): string {
  return join(directory, `${fileNameOf(memberId)}${SUFFIX}`);
}

function fileNameOf(id: string): string {
  const encoded = encodeURIComponent(id)
    .replace(/^\./, '%2E')
    .replace(/[*'()!~]/g, percent);
  if (encoded.length <= LONGEST_NAME) return encoded;
  return `${encoded.slice(0, 100)}-${createHash('sha256').update(id).digest('hex')}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** A member's own lock. */
export class MemberLock {
  readonly inode: number;
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #file: OpenFile;

  private constructor(fs: FileSystem, path: string, file: OpenFile, inode: number) {
    this.#fs = fs;
    this.#path = path;
    this.#file = file;
    this.inode = inode;
  }

  /** Makes the file and locks it. Whatever a user put there instead goes. */
  static async take(fs: FileSystem, directory: string, memberId: string): Promise<MemberLock> {
    const path = lockPath(directory, memberId);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      await makeDirectories(fs, directory);
      const file = await createNew(fs, path);
      if (file === undefined) continue;
      const { inode } = await file.stat();
      // A user may have removed it again: then the lock would tell nobody anything.
      if (file.tryLock(WHOLE_FILE) && (await fs.stat(path))?.inode === inode)
        return new MemberLock(fs, path, file, inode);
      await file.close();
    }
    throw new KlogError('KLOG_LOCKED', `somebody keeps changing ${path}`, { file: path });
  }

  /** Whether the path still leads to the file: after a user's `rm` it does not. */
  async isInPlace(): Promise<boolean> {
    return (await this.#fs.stat(this.#path))?.inode === this.inode;
  }

  /** For who is a member no more: unlinks the file, then lets go of the lock. */
  async remove(): Promise<void> {
    try {
      if (await this.isInPlace()) await this.#fs.unlink(this.#path);
    } finally {
      await this.release();
    }
  }

  /** Lets go of the lock, and leaves the file: it is not in place any more, or is to show that its owner has gone. */
  async release(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Looks at the locks of others. Only shared locks are tried, for a moment: probers don't take each other for members.
 */
export class LockProbe {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #open = new Map<string, { readonly file: OpenFile; readonly inode: number }>();

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** True: it is held, seen without a call that could wait. False: {@link isFree} tells. */
  isHeld(memberId: string, inode: number): boolean {
    const known = this.#open.get(memberId);
    return known?.inode === inode && !isFree(known.file);
  }

  /** True: nobody holds the lock of this very file. A missing or another file proves nothing. */
  async isFree(memberId: string, inode: number): Promise<boolean> {
    const known = this.#open.get(memberId);
    if (known?.inode === inode) return isFree(known.file);
    if (known !== undefined) await this.forget(memberId);
    const file = await openExisting(this.#fs, lockPath(this.#directory, memberId));
    if (file === undefined) return false;
    try {
      if ((await file.stat()).inode !== inode) return false;
      const free = isFree(file);
      if (!free && this.#open.size < MOST_OPEN) {
        this.#open.set(memberId, { file, inode });
        return false;
      }
      return free;
    } finally {
      if (this.#open.get(memberId)?.file !== file) await file.close();
    }
  }

  /** Removes what a dead member has left. Nobody else ever has a file of that name. */
  async removeFile(memberId: string, inode: number): Promise<void> {
    const path = lockPath(this.#directory, memberId);
    if ((await this.#fs.stat(path))?.inode === inode) await this.#fs.unlink(path);
  }

  async forget(memberId: string): Promise<void> {
    const known = this.#open.get(memberId);
    this.#open.delete(memberId);
    await known?.file.close();
  }

  /** Keeps open only what these have. */
  async retain(memberIds: { has(memberId: string): boolean }): Promise<void> {
    for (const memberId of [...this.#open.keys()]) if (!memberIds.has(memberId)) await this.forget(memberId);
  }

  async close(): Promise<void> {
    for (const memberId of [...this.#open.keys()]) await this.forget(memberId);
  }
}

function isFree(file: OpenFile): boolean {
  if (!file.tryLock(WHOLE_FILE, { shared: true })) return false;
  file.unlock(WHOLE_FILE);
  return true;
}

/** `undefined`: something else is there, and was removed; try again. */
async function createNew(fs: FileSystem, path: string): Promise<OpenFile | undefined> {
  try {
    return await fs.open(path, 'create-new');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code !== 'EEXIST') throw error;
    await fs.unlink(path);
    return undefined;
  }
}

async function openExisting(fs: FileSystem, path: string): Promise<OpenFile | undefined> {
  try {
    return await fs.open(path, 'read');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Missing, or what a user put there.
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'EACCES' || code === 'KLOG_BAD_DIRECTORY') return undefined;
    throw error;
  }
}

async function makeDirectories(fs: FileSystem, directory: string): Promise<void> {
  for (const path of [join(directory, '..'), directory]) {
    if ((await fs.stat(path)) !== undefined) continue;
    try {
      await fs.makeDirectory(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
