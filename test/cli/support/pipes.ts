import { spawnSync } from 'node:child_process';
import { closeSync, constants, createWriteStream, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';

export interface Pipe {
  readonly path: string;
  /** The reading end, blocking, as a shell gives it. */
  readonly fd: number;
  write(text: string): void;
  /** The end of the input. */
  end(): void;
}

export async function withPipe(work: (pipe: Pipe) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'pipe');
    spawnSync('mkfifo', [path]);
    let writer: number | undefined = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const end = () => {
      if (writer !== undefined) closeSync(writer);
      writer = undefined;
    };
    const write = (text: string) => {
      writeSync(writer!, text);
    };
    try {
      await work({ path, fd: openSync(path, 'r'), write, end });
    } finally {
      end();
    }
  });
}

/** No byte of it stands where it also stands 64 KiB or a block earlier. */
export function numbered(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let i = 0; i + 4 <= bytes; i += 4) content.writeUInt32LE(i, i);
  return content;
}

/** Writes all of it, and ends: as fast as it is read. */
export function pour({ path, end }: Pipe, content: Buffer) {
  const stream = createWriteStream(path);
  stream.on('open', end);
  stream.on('error', () => {});
  stream.end(content);
  return stream;
}
