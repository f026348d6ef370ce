/** Gets blocks of a partition, one ahead of what is asked for, into two buffers in turn. */
import { loadCodec } from '../../format/compression.js';
import { RecordBatch } from '../../format/record-batch.js';
import { codecNeeded } from '../../format/record-cursor.js';
import type { FetchedBatches, PartitionReader } from './local-store.js';

/** One serves all: nothing keeps it beyond a turn of the event loop. */
const batch = new RecordBatch();

export class BlockReader {
  readonly #reader: PartitionReader;
  readonly #maxBytes: number;
  #ahead: { readonly offset: number; readonly block: Promise<FetchedBatches> } | undefined;
  #spare: Buffer | undefined;

  /** @param maxBytes about so many bytes a block */
  constructor(reader: PartitionReader, maxBytes: number) {
    this.#reader = reader;
    this.#maxBytes = maxBytes;
  }

  /** The block from `offset` on: what was read ahead if it begins there. */
  async read(offset: number): Promise<FetchedBatches> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.offset === offset) return await ahead.block;
    await ahead?.block.catch(() => {});
    return await this.#fetch(offset);
  }

  readAhead(offset: number): void {
    const block = this.#fetch(offset);
    block.catch(() => {});
    this.#ahead = { offset, block };
  }

  /** The block is used up: its buffer may be filled again. */
  giveBack(block: FetchedBatches): void {
    this.#spare = block.buffer;
  }

  /** Holds no buffer in reserve. */
  rest(): void {
    this.#spare = undefined;
  }

  async #fetch(offset: number): Promise<FetchedBatches> {
    const spare = this.#spare;
    this.#spare = undefined;
    const into = spare !== undefined && spare.length >= this.#maxBytes ? spare : undefined;
    return await this.#reader.fetch(offset, this.#maxBytes, into);
  }
}

/** Loads what decoding the block needs, so that it never waits. Answers whether there is data of transactions in it. */
export async function loadCodecsOf(block: FetchedBatches): Promise<boolean> {
  let hasTransactions = false;
  for (let at = block.start; at < block.end; ) {
    batch.reset(block.buffer, at);
    at += batch.sizeInBytes;
    if (batch.isTransactional && !batch.isControl) hasTransactions = true;
    if (batch.compressionId === 0 || batch.compressionId > 4) continue;
    const type = codecNeeded(block.buffer, batch.position);
    if (type !== undefined) await loadCodec(type);
  }
  return hasTransactions;
}
