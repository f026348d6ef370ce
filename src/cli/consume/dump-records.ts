import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConsumerBatch } from '../../clients/client.js';
import { KlogError, systemReason } from '../../errors.js';
import { describeBatch, emptyContext } from '../record-format/format-context.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { PrintTask } from './print-records.js';

export interface DumpTask extends PrintTask {
  readonly directory: string;
}

/**
 * `--dump DIR`: one file a record, `<topic>-<partition>-<offset>`, with the value's bytes. The name of each goes to the
 * output, for `xargs`. They are its owner's to read, like the log. Names of topics hold nothing that a path could be
 * made of.
 */
export async function dumpRecords(batches: AsyncIterable<ConsumerBatch>, task: DumpTask): Promise<number> {
  const { output, filter, maxRecords = Number.POSITIVE_INFINITY, directory } = task;
  const context = emptyContext();
  const name = new OutputBuffer(1024);
  let dumped = 0;
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => fail(directory, error));
  for await (const batch of batches) {
    describeBatch(batch, context);
    while (dumped < maxRecords && batch.cursor.next()) {
      if (filter !== undefined && !filter(batch.cursor, context)) continue;
      const path = join(directory, `${batch.topic}-${batch.partition}-${batch.cursor.offset}`);
      await writeFile(path, batch.cursor.value() ?? '', { mode: 0o600 }).catch((error) => fail(path, error));
      name.clear();
      name.writeText(`${path}\n`);
      output.append(name.buffer, 0, name.length);
      if (!output.endRecord()) await output.drain();
      dumped += 1;
    }
    if (dumped >= maxRecords || output.isClosed) break;
  }
  return dumped;
}

function fail(path: string, error: unknown): never {
  const isFile = (error as NodeJS.ErrnoException).code === 'EEXIST';
  throw new KlogError(
    'KLOG_OUTPUT_FAILED',
    `writing ${path}: ${isFile ? 'it is a file, not a directory' : systemReason(error)}`,
    {
      file: path,
      cause: error,
    },
  );
}
