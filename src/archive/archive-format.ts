/**
 * The archive of `klog export`: topics, their configs and their records in one stream of sections.
 *
 * ```
 * archive:  8 bytes  89 4b 4c 4f 47 0d 0a 1a   "KLOG" between bytes that a transfer as text would change
 *           u16      version 1; a reader refuses a higher one
 *           u16      flags, 0
 *           u32      crc32c of the 12 bytes before
 *           sections …, the last one DONE, nothing behind it
 *
 * section:   0  4 letters  kind. With a small first letter: may be passed over by who does not know it
 *            4  u8         codec of the body: 0 none, 4 zstd
 *            5  3 bytes    0
 *            8  u32        bytes of the body as it stands here
 *           12  u32        bytes of the body when decompressed
 *           16  u32        crc32c of bytes 0–15: a length is believed only if this is right
 *           20  body
 *               u32        crc32c of the body as it stands here
 * ```
 * All numbers are big-endian. Sections in their order:
 *
 * ```
 * META  once    JSON  { "klog": version of the writer, "createdAt": ISO time }
 * TOPC  n       JSON  { "topic", "topicId", "configs": {name: value}, "partitions": [[startOffset, endOffset], …] }
 * PART  n       JSON  { "topic", "partition" }: what follows belongs to it
 * RECS  n       record batches, byte for byte as they stand in Kafka's log, offsets ascending, gaps allowed
 * grpO  n       JSON  { "group", "offsets": [[topic, partition, offset], [topic, partition, offset, metadata], …] };
 *               a group with very many has several
 * DONE  once    JSON  { "sections", "topics", "batches", "records", "recordBytes", "digest" }
 * ```
 * `sections` counts those before DONE, `digest` is the crc32c over all their 20-byte heads and body checksums in turn:
 * a section that is missing, doubled or out of place is noticed although each is whole. An archive without DONE is a
 * part of one.
 */
export const ARCHIVE_MAGIC = Buffer.from([0x89, 0x4b, 0x4c, 0x4f, 0x47, 0x0d, 0x0a, 0x1a]);
export const ARCHIVE_VERSION = 1;
export const ARCHIVE_HEAD_SIZE = 16;
export const SECTION_HEAD_SIZE = 20;
export const SECTION_TAIL_SIZE = 4;

export const CODEC_NONE = 0;
export const CODEC_ZSTD = 4;
/** Larger bodies are not compressed, so that nothing small can become larger than this in memory. */
export const MAX_COMPRESSED_BODY = 64 * 1024 * 1024;
/** No text of an archive is longer. */
export const MAX_JSON_BODY = 16 * 1024 * 1024;

export type SectionKind = 'META' | 'TOPC' | 'PART' | 'RECS' | 'grpO' | 'DONE';

/** One topic as it was when the archive was begun. */
export interface ArchivedTopic {
  readonly topic: string;
  /** As it was where it came from. */
  readonly topicId: string;
  /** Those that were set. */
  readonly configs: Readonly<Record<string, string>>;
  /** By partition number. */
  readonly partitions: readonly ArchivedPartition[];
}

export interface ArchivedPartition {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** What a group had committed when the archive was begun, or a part of that. */
export interface ArchivedGroup {
  readonly group: string;
  readonly offsets: readonly ArchivedOffset[];
}

export interface ArchivedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Empty: none. */
  readonly metadata: string;
}

export interface ArchiveMeta {
  /** Version of the program that wrote it. */
  readonly klog: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What the last section says about all before it. */
export interface ArchiveTotals {
  readonly sections: number;
  readonly topics: number;
  readonly batches: number;
  readonly records: number;
  readonly recordBytes: number;
  readonly digest: number;
}
