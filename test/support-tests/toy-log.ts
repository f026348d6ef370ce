import type { FileSystem, OpenFile } from '../../src/storage/file-system.js';
import { writeFully } from '../../src/storage/file-system.js';
import type { LogView, SeenBatch, WalkedBatches } from '../support/invariants.js';

/** What may be wrong with the toy. */
export type ToyFlaw =
  | 'no sync'
  | 'no directory sync'
  | 'no lock'
  | 'acknowledge before sync'
  | 'no look at the tail'
  | 'sync again after a failed one'
  | 'short write taken for whole';

export const TOY_DIRECTORY = '/data/toy-0';
const FRAME = 600;
const LOCK = { start: 1_000_000, length: 1 };

/**
 * The smallest log that needs everything a log needs. Frames of 600 bytes, so that they straddle sectors:
 *
 * ```
 * 0   1  magic, 7
 * 1   1  sum of all bytes behind it, modulo 256
 * 2   2  offset
 * 4   2  number of the send
 * 6 594  filled with the number of the send, plus one
 * ```
 */
export async function appendToToy(fs: FileSystem, send: number, flaw?: ToyFlaw): Promise<number> {
  const log = await openToy(fs, flaw);
  try {
    if (flaw !== 'no lock') await log.waitLock(LOCK);
    const { size } = await log.stat();
    const bytes = new Uint8Array(size);
    await log.read(bytes, 0, size, 0);
    const { batches, end } = walkToy(bytes);
    const position = flaw === 'no look at the tail' ? size : end;
    if (position < size) await log.truncate(position);
    const offset = batches.length;
    const frame = encodeFrame(offset, send);
    if (flaw === 'short write taken for whole') await log.write(frame, 0, FRAME, position);
    else await writeFully(log, frame, 0, FRAME, position);
    await syncToy(log, bytes.subarray(0, end), flaw);
    return offset;
  } finally {
    await log.close();
  }
}

/** Makes sure that everything is durable: what an earlier, failed sync lost is written again. */
async function syncToy(log: OpenFile, below: Uint8Array, flaw: ToyFlaw | undefined): Promise<void> {
  if (flaw === 'no sync' || flaw === 'acknowledge before sync') return;
  if (flaw === 'sync again after a failed one') {
    for (let i = 0; i < 2; i++) {
      try {
        await log.sync();
        return;
      } catch {
        // and again
      }
    }
  }
  await writeFully(log, below, 0, below.length, 0);
  await log.sync();
}

async function openToy(fs: FileSystem, flaw: ToyFlaw | undefined): Promise<OpenFile> {
  const log = await fs.open(`${TOY_DIRECTORY}/0.log`, 'create');
  if (flaw !== 'no directory sync') await fs.syncDirectory(TOY_DIRECTORY);
  return log;
}

function encodeFrame(offset: number, send: number): Uint8Array {
  const frame = new Uint8Array(FRAME).fill(send + 1);
  new DataView(frame.buffer).setUint16(2, offset);
  new DataView(frame.buffer).setUint16(4, send);
  frame[0] = 7;
  frame[1] = sumOf(frame);
  return frame;
}

function sumOf(frame: Uint8Array): number {
  let sum = 0;
  for (let i = 2; i < FRAME; i++) sum += frame[i]!;
  return sum & 255;
}

function walkToy(bytes: Uint8Array): WalkedBatches {
  const batches: SeenBatch[] = [];
  for (let at = 0; at + FRAME <= bytes.length; at += FRAME) {
    const frame = bytes.subarray(at, at + FRAME);
    if (frame[0] !== 7 || frame[1] !== sumOf(frame)) break;
    const fields = new DataView(frame.buffer, frame.byteOffset);
    const baseOffset = fields.getUint16(2);
    batches.push({ baseOffset, nextOffset: baseOffset + 1, bytes: frame, identity: `send ${fields.getUint16(4)}` });
  }
  return { batches, end: batches.length * FRAME };
}

export const toyView: LogView = {
  directory: TOY_DIRECTORY,
  segmentBase: (name) => (name === '0.log' ? 0 : undefined),
  walk: walkToy,
  safeEnd: () => undefined,
};
