import { EncodeKernel, MAX_PARTITIONS } from '../../format/kernel/encode-kernel.js';
import { kernelIfAny } from '../../format/kernel/web-assembly.js';
import type { LineAppender, LineLayout } from '../producer.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';

/**
 * The batches that records go to now, each where there is one: `undefined` asks for one by way of an ordinary append.
 */
export interface OpenBatches {
  count(): number;
  /** Of all keyless records, or of the partition. */
  at(index: number): ProducerBatch | undefined;
}

/**
 * Encodes lines by the kernel and adds them to batches that are open. It opens none and closes none: a line that needs
 * another batch is the caller's to append.
 */
export class LocalLineAppender implements LineAppender {
  position = 0;
  readonly #owner: BatchOwner;
  readonly #batches: OpenBatches;
  readonly #layout: LineLayout;
  #kernel: EncodeKernel | undefined;
  /** Batches that the kernel is made for. */
  #count = 0;

  constructor(owner: BatchOwner, batches: OpenBatches, layout: LineLayout) {
    this.#owner = owner;
    this.#batches = batches;
    this.#layout = layout;
  }

  append(bytes: Uint8Array, start: number, end: number, timestamp: number): number {
    const { delimiter, keySeparator } = this.#layout;
    const count = this.#batches.count();
    // A topic may be given partitions, and then too many.
    if (count !== this.#count) this.#kernel = undefined;
    this.#count = count;
    if (count <= MAX_PARTITIONS) this.#kernel ??= kernelIfAny(() => new EncodeKernel(delimiter, keySeparator, count));
    const kernel = this.#kernel;
    if (kernel === undefined) return 0;
    for (let i = 0; i < count; i++) {
      const batch = this.#batchAt(i);
      if (batch === undefined) kernel.closeRegion(i);
      else {
        const { builder, limitBytes } = batch;
        kernel.openRegion(i, builder.recordCount, timestamp - builder.baseTimestamp, limitBytes - builder.sizeInBytes);
      }
    }
    const lines = kernel.encode(bytes, start, end);
    this.position = kernel.position;
    for (let i = 0; i < count; i++) {
      const encoded = kernel.encoded(i);
      if (encoded === undefined) continue;
      this.#batches.at(i)!.builder.appendEncoded(kernel.memory, encoded.start, encoded.end, encoded.count, timestamp);
    }
    return lines;
  }

  /** Its first record decides what the others are relative to. */
  #batchAt(index: number): ProducerBatch | undefined {
    const batch = this.#batches.at(index);
    return batch?.isOpen && batch.owner === this.#owner && !batch.builder.isEmpty ? batch : undefined;
  }
}
