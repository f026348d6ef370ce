import { checkBatches } from '../format/batch-run.js';
import type { Codec } from '../format/compression.js';
import { crc32c } from '../format/crc32c.js';
import {
  ARCHIVE_HEAD_SIZE,
  ARCHIVE_MAGIC,
  ARCHIVE_VERSION,
  type ArchivedGroup,
  type ArchivedTopic,
  type ArchiveMeta,
  type ArchiveTotals,
  CODEC_NONE,
  MAX_COMPRESSED_BODY,
  SECTION_HEAD_SIZE,
  SECTION_TAIL_SIZE,
  type SectionKind,
} from './archive-format.js';

/** Batches that are compressed already have nothing but their headers to gain, and are better left as they are. */
const WORTHWHILE = 0.95;
/** About so many characters of a group's offsets a section: far below what a text of an archive may have. */
const OFFSETS_LENGTH = 1024 * 1024;

/** Takes bytes before it returns or its promise resolves. */
export type ArchiveSink = (bytes: Uint8Array) => Promise<void> | void;

/**
 * Writes an archive as it comes, section by section: {@link begin}, topics, then partition by partition, {@link end}.
 */
export class ArchiveWriter {
  readonly #sink: ArchiveSink;
  readonly #codec: Codec | undefined;
  readonly #head = Buffer.alloc(SECTION_HEAD_SIZE);
  readonly #tail = Buffer.alloc(SECTION_TAIL_SIZE);
  #sections = 0;
  #digest = 0;
  #topics = 0;
  #batches = 0;
  #records = 0;
  #recordBytes = 0;
  #nextOffset = 0;
  #endOffset = 0;

  /** @param codec zstd, to compress sections that gain by it; default none */
  constructor(sink: ArchiveSink, codec?: Codec) {
    this.#sink = sink;
    this.#codec = codec;
  }

  get totals(): ArchiveTotals {
    return {
      sections: this.#sections,
      topics: this.#topics,
      batches: this.#batches,
      records: this.#records,
      recordBytes: this.#recordBytes,
      digest: this.#digest,
    };
  }

  async begin(meta: ArchiveMeta): Promise<void> {
    const head = Buffer.alloc(ARCHIVE_HEAD_SIZE);
    ARCHIVE_MAGIC.copy(head);
    head.writeUInt16BE(ARCHIVE_VERSION, 8);
    head.writeUInt32BE(crc32c(head, 0, 12), 12);
    await this.#sink(head);
    await this.#writeJson('META', meta);
  }

  /** All topics come before the first partition. */
  async topic({ topic, topicId, configs, partitions }: ArchivedTopic): Promise<void> {
    const ranges = partitions.map(({ startOffset, endOffset }) => [startOffset, endOffset]);
    await this.#writeJson('TOPC', { topic, topicId, configs, partitions: ranges });
    this.#topics++;
  }

  /** What {@link batches} brings from now on belongs to this partition and lies within its offsets. */
  async partition(topic: string, partition: number, range: { startOffset: number; endOffset: number }): Promise<void> {
    await this.#writeJson('PART', { topic, partition });
    this.#nextOffset = range.startOffset;
    this.#endOffset = range.endOffset;
  }

  /** Whole batches. CORRUPT_MESSAGE: they are not, or out of order; nothing of them is written. */
  async batches(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const tally = checkBatches(bytes, this.#nextOffset, this.#endOffset);
    await this.#writeSection('RECS', bytes);
    this.#nextOffset = tally.nextOffset;
    this.#batches += tally.batches;
    this.#records += tally.records;
    this.#recordBytes += bytes.length;
  }

  /** Behind all partitions. */
  async group({ group, offsets }: ArchivedGroup): Promise<void> {
    let rows: unknown[] = [];
    let length = 0;
    for (const { topic, partition, offset, metadata } of offsets) {
      const row = metadata === '' ? [topic, partition, offset] : [topic, partition, offset, metadata];
      length += JSON.stringify(row).length;
      rows.push(row);
      if (length < OFFSETS_LENGTH) continue;
      await this.#writeJson('grpO', { group, offsets: rows });
      rows = [];
      length = 0;
    }
    if (rows.length > 0) await this.#writeJson('grpO', { group, offsets: rows });
  }

  /** Nothing may follow. */
  async end(): Promise<void> {
    await this.#writeJson('DONE', this.totals);
  }

  async #writeJson(kind: SectionKind, value: unknown): Promise<void> {
    await this.#writeSection(kind, Buffer.from(JSON.stringify(value)));
  }

  async #writeSection(kind: SectionKind, plain: Uint8Array): Promise<void> {
    const { body, codecId } = this.#compressed(plain);
    const head = this.#head;
    const tail = this.#tail;
    head.fill(0);
    head.write(kind, 0, 'latin1');
    head[4] = codecId;
    head.writeUInt32BE(body.length, 8);
    head.writeUInt32BE(plain.length, 12);
    head.writeUInt32BE(crc32c(head, 0, 16), 16);
    tail.writeUInt32BE(crc32c(body, 0, body.length));
    this.#digest = crc32c(tail, 0, tail.length, crc32c(head, 0, head.length, this.#digest));
    this.#sections++;
    await this.#sink(head);
    await this.#sink(body);
    await this.#sink(tail);
  }

  #compressed(plain: Uint8Array): { readonly body: Uint8Array; readonly codecId: number } {
    if (this.#codec !== undefined && plain.length <= MAX_COMPRESSED_BODY) {
      const body = this.#codec.compress(plain);
      if (body.length <= plain.length * WORTHWHILE) return { body, codecId: this.#codec.id };
    }
    return { body: plain, codecId: CODEC_NONE };
  }
}
