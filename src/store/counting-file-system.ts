import {
  type Awaitable,
  type FileStat,
  type FileSystem,
  type OpenFile,
  type OpenMode,
  readWhole,
} from '../storage/file-system.js';
import { systemErrorCode } from './system-error.js';

/**
 * A file system that counts the files open through it. When the process or the machine has no descriptor left (EMFILE,
 * ENFILE), what is idle is closed, and the call tried again: looking into a directory takes one too.
 */
export class CountingFileSystem implements FileSystem {
  readonly #fs: FileSystem;
  readonly #closeIdle: () => Promise<boolean>;
  #openFiles = 0;

  /** @param closeIdle closes what can be closed; answers whether that was anything */
  constructor(fs: FileSystem, closeIdle: () => Promise<boolean>) {
    this.#fs = fs;
    this.#closeIdle = closeIdle;
  }

  get openFiles(): number {
    return this.#openFiles;
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    return this.#counted(await this.#withDescriptor(() => this.#fs.open(path, mode)));
  }

  async #withDescriptor<T>(operation: () => Awaitable<T>): Promise<T> {
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        const code = systemErrorCode(error);
        if ((code !== 'EMFILE' && code !== 'ENFILE') || !(await this.#closeIdle())) throw error;
      }
    }
  }

  /** The file itself, so that reads and writes cost nothing more. */
  #counted(file: OpenFile): OpenFile {
    this.#openFiles++;
    const close = file.close.bind(file);
    let isOpen = true;
    file.close = () => {
      if (isOpen) this.#openFiles--;
      isOpen = false;
      return close();
    };
    return file;
  }

  /** Open for the moment only, so it is not counted. */
  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#withDescriptor(() => readWhole(this.#fs, path));
  }

  /** What could not be opened is read by {@link readFile}, which makes room. */
  readTexts(directory: string, names: readonly string[]): Awaitable<(string | undefined)[]> {
    return this.#fs.readTexts?.(directory, names) ?? [];
  }

  stat(path: string): Awaitable<FileStat | undefined> {
    return this.#fs.stat(path);
  }

  readDirectory(path: string): Awaitable<string[]> {
    return this.#withDescriptor(() => this.#fs.readDirectory(path));
  }

  makeDirectory(path: string): Awaitable<void> {
    return this.#fs.makeDirectory(path);
  }

  removeDirectory(path: string): Awaitable<void> {
    return this.#fs.removeDirectory(path);
  }

  rename(from: string, to: string): Awaitable<void> {
    return this.#fs.rename(from, to);
  }

  unlink(path: string): Awaitable<void> {
    return this.#fs.unlink(path);
  }

  syncDirectory(path: string): Awaitable<void> {
    return this.#withDescriptor(() => this.#fs.syncDirectory(path));
  }

  bootId(): Uint8Array {
    return this.#fs.bootId();
  }

  isProcessStopped(pid: number): boolean | undefined {
    return this.#fs.isProcessStopped?.(pid);
  }

  watch(path: string, listener: () => void): { close(): void } | undefined {
    return this.#fs.watch(path, listener);
  }
}
