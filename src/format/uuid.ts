/**
 * Kafka's UUIDs (topic ids, directory ids): 16 bytes, written as 22 characters of base64url without padding.
 */
import { KlogError } from '../errors.js';

const UUID_BYTES = 16;

const TEXT = /^[A-Za-z0-9_-]{22}(==)?$/;

export function uuidToText(uuid: Uint8Array): string {
  if (uuid.length !== UUID_BYTES) throw new TypeError(`a UUID has ${UUID_BYTES} bytes, not ${uuid.length}`);
  return Buffer.from(uuid.buffer, uuid.byteOffset, UUID_BYTES).toString('base64url');
}

/** The 16 bytes. Throws `KLOG_BAD_INPUT` when the text is none of Kafka's UUIDs (the other form of a UUID included). */
export function uuidFromText(text: string): Uint8Array {
  if (!TEXT.test(text)) {
    throw new KlogError('KLOG_BAD_INPUT', `${JSON.stringify(text.slice(0, 60))} is not a UUID in Kafka's form`, {
      hint: 'Kafka writes a UUID as 22 characters of base64url, such as ASNFZ4mrze_-3LqYdlQyEA.',
    });
  }
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

/**
 * A new random UUID (version 4) from a source of 16 random bytes. As Kafka does, draws again for the reserved ones
 * and for those whose text begins with `-`, which commands would take for a flag.
 */
export function newUuid(randomBytes: () => Uint8Array): Uint8Array {
  for (;;) {
    const uuid = Uint8Array.from(randomBytes());
    uuid[6] = (uuid[6]! & 0x0f) | 0x40;
    uuid[8] = (uuid[8]! & 0x3f) | 0x80;
    // The reserved ids, 0 and 1, have no version bits: they cannot come up.
    if (!uuidToText(uuid).startsWith('-')) return uuid;
  }
}
