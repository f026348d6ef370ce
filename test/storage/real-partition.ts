import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { createPartition } from '../../src/storage/create-partition.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/storage/log-config.js';
import { PartitionLog } from '../../src/storage/partition-log.js';
import { PartitionReader, type PartitionReaderOptions } from '../../src/storage/partition-reader.js';
import { interpose, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const place = { topic: 't', partition: 0 };
const clock = { now: () => 1_000_000 };

/** A new, empty partition in a directory of its own. */
export async function newPartition(): Promise<string> {
  const directory = join(temporaryDirectory(), 't-0');
  mkdirSync(directory);
  await createPartition(unsyncedFileSystem, directory, { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', clock });
  return directory;
}

export interface LogOptions {
  readonly fs?: FileSystem;
  readonly config?: Partial<LogConfig>;
  readonly lockWaitMs?: number;
}

export async function openLog(directory: string, options: LogOptions = {}): Promise<PartitionLog> {
  const { fs = unsyncedFileSystem, config, lockWaitMs = 5000 } = options;
  const settings = { ...place, config: { ...DEFAULT_LOG_CONFIG, ...config }, clock, lockWaitMs };
  return await PartitionLog.open(fs, directory, settings);
}

export function openReader(
  directory: string,
  fs: FileSystem = unsyncedFileSystem,
  settle?: PartitionReaderOptions['settle'],
): Promise<PartitionReader> {
  return PartitionReader.open(fs, directory, { ...place, settle });
}

/** Appends one batch for each text, and waits until they are safe. */
export async function write(log: PartitionLog, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await log.durable(await log.append([buildBatch([text])]));
}

/** What a new reader sees, from `offset` on. */
export async function readAll(directory: string, fs: FileSystem = unsyncedFileSystem, offset = 0): Promise<string[]> {
  const reader = await openReader(directory, fs);
  try {
    return await drain(reader, offset);
  } finally {
    await reader.close();
  }
}

/** All from `offset` to the end of now, in small fetches. */
export async function drain(reader: PartitionReader, offset = 0, maxBytes = 300): Promise<string[]> {
  const texts: string[] = [];
  for (let next = offset; ; ) {
    const { buffer, end, nextOffset } = await reader.fetch(next, maxBytes);
    if (end === 0) return texts;
    for (let at = 0; at < end; at += 12 + buffer.readInt32BE(at + 8)) {
      const cursor = openCursor(new RecordCursor(), buffer, at);
      cursor.skipTo(next);
      while (cursor.next()) texts.push(Buffer.from(cursor.value() ?? []).toString());
    }
    next = nextOffset;
  }
}

/** The machine was started again since: nothing else has changed. */
export function afterReboot(boot = 1): FileSystem {
  return interpose(() => {}, { bootId: () => new Uint8Array(16).fill(boot) });
}

/** `cp -r`: the same bytes in files with other inodes. */
export function copyOf(directory: string): string {
  const copy = join(temporaryDirectory(), 't-0');
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Name and content of the files whose names end so. */
export function contents(directory: string, ...endings: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory).sort()) {
    if (endings.some((ending) => name.endsWith(ending)))
      found[name] = readFileSync(join(directory, name)).toString('hex');
  }
  return found;
}

export function segmentPath(directory: string, baseOffset = 0, suffix = '.log'): string {
  return join(directory, `${String(baseOffset).padStart(20, '0')}${suffix}`);
}

/** Counts files open through it. */
export function counting(before: (call: { name: string; path: string }) => void = () => {}): {
  readonly fs: FileSystem;
  readonly open: () => number;
} {
  let open = 0;
  const inner = interpose(before);
  const fs: FileSystem = Object.assign(Object.create(inner), inner, {
    async open(path: string, mode: Parameters<FileSystem['open']>[1]) {
      const file = await inner.open(path, mode);
      open++;
      const close = file.close.bind(file);
      let isOpen = true;
      file.close = async () => {
        if (isOpen) open--;
        isOpen = false;
        await close();
      };
      return file;
    },
  });
  return { fs, open: () => open };
}
