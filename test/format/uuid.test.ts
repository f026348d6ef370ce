import { describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import { newUuid, uuidFromText, uuidToText } from '../../src/format/uuid.js';
import { readValues } from './kafka-fixtures.js';

const { uuids } = readValues<{ uuids: { hex: string; text: string }[] }>('topics-uuids');

describe('UUIDs', () => {
  it.each(uuids)("are written as Kafka's Uuid.toString writes $hex", ({ hex, text }) => {
    expect(uuidToText(Buffer.from(hex, 'hex'))).toBe(text);
    expect(Buffer.from(uuidFromText(text)).toString('hex')).toBe(hex);
  });

  it('may be padded', () => {
    expect(uuidFromText('AAAAAAAAAAAAAAAAAAAAAQ==')).toEqual(uuidFromText('AAAAAAAAAAAAAAAAAAAAAQ'));
  });

  it.each([
    '',
    'AAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAQQ',
    'AAAAAAAAAAAAAAAAAAAA+Q',
    'AAAAAAAAAAAAAAAAAAAAAQ\n',
    'AAAAAAAAAAAAAAAAAAAAAQ=',
    '01234567-89ab-cdef-fedc-ba9876543210',
  ])('refuse %j', (text) => {
    const read = () => uuidFromText(text);
    expect(read).toThrow(KlogError);
    expect(read).toThrow(/is not a UUID in Kafka's form/);
  });

  it('refuse to be written from other than 16 bytes', () => {
    expect(() => uuidToText(new Uint8Array(15))).toThrow(TypeError);
  });

  it('draws again when the text would begin with a minus, and leaves the drawn bytes alone', () => {
    const draws = [new Uint8Array(16).fill(0xfb), new Uint8Array(16).fill(0x11)];
    const uuid = newUuid(() => draws.shift()!);
    // version 4, variant 2
    expect(Buffer.from(uuid).toString('hex')).toBe('11111111111141119111111111111111');
    expect(draws).toHaveLength(0);
    const drawn = new Uint8Array(16);
    newUuid(() => drawn);
    expect(drawn).toEqual(new Uint8Array(16));
  });
});
