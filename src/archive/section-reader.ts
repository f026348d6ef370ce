/** Bytes of an archive → sections, each checked as a whole. */
import { KlogError } from '../errors.js';
import { type Codec, loadCodec } from '../format/compression.js';
import { crc32c } from '../format/crc32c.js';
import {
  ARCHIVE_HEAD_SIZE,
  ARCHIVE_MAGIC,
  ARCHIVE_VERSION,
  CODEC_NONE,
  CODEC_ZSTD,
  MAX_COMPRESSED_BODY,
  SECTION_HEAD_SIZE,
  SECTION_TAIL_SIZE,
} from './archive-format.js';

export interface Section {
  /** Four letters, as they stand there. */
  readonly kind: string;
  /** Decompressed; its own memory. */
  readonly body: Buffer;
  /** Byte of the archive where the section begins, and where its body does. */
  readonly position: number;
  readonly bodyPosition: number;
  /** Whether positions in `body` are positions in the archive. */
  readonly isPlain: boolean;
  /** Of all sections before this one. */
  readonly digestBefore: number;
}

const FIRST_READ = 64 * 1024;

export class SectionReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #name: string;
  /** The chunk being read, and how far. */
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #position = 0;
  #digest = 0;
  #codec: Codec | undefined;

  /** @param name of the archive, for messages */
  constructor(chunks: AsyncIterable<Uint8Array>, name: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#name = name;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  /** @throws KlogError KLOG_BAD_INPUT: this is no archive; UNSUPPORTED_VERSION */
  async readHead(): Promise<void> {
    const head = await this.#read(ARCHIVE_HEAD_SIZE);
    if (head === undefined || head.length < ARCHIVE_HEAD_SIZE || !ARCHIVE_MAGIC.equals(head.subarray(0, 8))) {
      throw new KlogError('KLOG_BAD_INPUT', `${this.#name} is no archive of klog export`, { file: this.#name });
    }
    if (crc32c(head, 0, 12) !== head.readUInt32BE(12)) throw this.damaged(0, 'the checksum of its head does not match');
    const version = head.readUInt16BE(8);
    if (version === ARCHIVE_VERSION) return;
    throw new KlogError(
      'UNSUPPORTED_VERSION',
      `${this.#name} has version ${version}, this klog reads ${ARCHIVE_VERSION}`,
      {
        file: this.#name,
        hint: 'Use a newer klog',
      },
    );
  }

  /**
   * `undefined`: the archive ends here. @throws KlogError KLOG_BAD_INPUT with the byte where it is damaged or cut off
   */
  async next(): Promise<Section | undefined> {
    const position = this.#position;
    const head = await this.#read(SECTION_HEAD_SIZE);
    if (head === undefined) return undefined;
    if (head.length < SECTION_HEAD_SIZE) throw this.#cutOff(position);
    if (crc32c(head, 0, 16) !== head.readUInt32BE(16)) {
      throw this.damaged(position, 'the checksum of a section head does not match');
    }
    // The digest would notice them in every section but DONE, which it is in.
    if (head.readUIntBE(5, 3) !== 0)
      throw this.damaged(position, 'bytes of a section head that are kept free are not 0');
    const kind = head.toString('latin1', 0, 4);
    const codecId = head[4]!;
    const length = head.readUInt32BE(8);
    const plainLength = head.readUInt32BE(12);
    this.#checkLengths(position, codecId, length, plainLength);
    const bodyPosition = this.#position;
    const body = length === 0 ? Buffer.alloc(0) : await this.#read(length);
    if (body === undefined || body.length < length) throw this.#cutOff(position);
    const tail = await this.#read(SECTION_TAIL_SIZE);
    if (tail === undefined || tail.length < SECTION_TAIL_SIZE) throw this.#cutOff(position);
    if (crc32c(body, 0, length) !== tail.readUInt32BE(0)) {
      throw this.damaged(position, `the checksum of a section of ${length} bytes does not match`);
    }
    const digestBefore = this.#digest;
    this.#digest = crc32c(tail, 0, tail.length, crc32c(head, 0, head.length, this.#digest));
    const plain = codecId === CODEC_NONE ? body : await this.#decompressed(position, body, plainLength);
    return { kind, body: plain, position, bodyPosition, isPlain: codecId === CODEC_NONE, digestBefore };
  }

  /** Whoever stops before the end lets go of the input. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  damaged(position: number, problem: string): KlogError {
    return new KlogError('KLOG_BAD_INPUT', `${this.#name} is damaged at byte ${position}: ${problem}`, {
      file: this.#name,
      position,
    });
  }

  #cutOff(position: number): KlogError {
    const end = this.#position;
    return new KlogError(
      'KLOG_BAD_INPUT',
      `${this.#name} ends at byte ${end}, inside the section at byte ${position}`,
      {
        file: this.#name,
        position: end,
        hint: 'It is only a part of an archive',
      },
    );
  }

  #checkLengths(position: number, codecId: number, length: number, plainLength: number): void {
    if (codecId === CODEC_NONE && length === plainLength) return;
    if (codecId === CODEC_ZSTD && plainLength <= MAX_COMPRESSED_BODY) return;
    throw this.damaged(position, `a section of ${length} bytes says codec ${codecId} and ${plainLength} bytes`);
  }

  async #decompressed(position: number, body: Buffer, plainLength: number): Promise<Buffer> {
    this.#codec ??= await loadCodec('zstd');
    try {
      const plain = this.#codec.decompress(body, plainLength);
      if (plain.length === plainLength) return Buffer.from(plain.buffer, plain.byteOffset, plain.length);
    } catch (cause) {
      throw this.damaged(position, `a section cannot be decompressed: ${(cause as Error).message}`);
    }
    throw this.damaged(position, `a section has other than ${plainLength} bytes`);
  }

  /** So many bytes in memory of their own, fewer where the archive ends, `undefined` if it ends here. */
  async #read(length: number): Promise<Buffer | undefined> {
    // A length that lies costs no more memory than there are bytes.
    let buffer = Buffer.allocUnsafe(Math.min(length, FIRST_READ));
    let filled = 0;
    while (filled < length) {
      if (this.#at === this.#chunk.length && !(await this.#nextChunk())) break;
      const take = Math.min(length - filled, this.#chunk.length - this.#at);
      if (filled + take > buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(length, Math.max(filled + take, buffer.length * 2)));
        buffer.copy(larger, 0, 0, filled);
        buffer = larger;
      }
      buffer.set(this.#chunk.subarray(this.#at, this.#at + take), filled);
      this.#at += take;
      filled += take;
    }
    this.#position += filled;
    return filled === 0 ? undefined : buffer.subarray(0, filled);
  }

  async #nextChunk(): Promise<boolean> {
    for (;;) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      if (next.value.length === 0) continue;
      this.#chunk = next.value;
      this.#at = 0;
      return true;
    }
  }
}
