import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, isBase64 } from '../../../../src/cli/record-format/format-language/text-decoding.js';

const decoded = (text: string) => decodeBase64(Buffer.from(text, 'latin1'))?.toString('latin1');

describe('base64', () => {
  it('is read with padding and without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        const expected = Buffer.from(bytes).toString('latin1');
        expect([decoded(text), decoded(text.replaceAll('=', ''))]).toEqual([expected, expected]);
      }),
    );
  });

  it.each([
    'a',
    'a=',
    'a==',
    'a===',
    '=',
    '==',
    'ab=',
    'ab===',
    'abc==',
    'abcd=',
    'abcd====',
    'ab=c',
    'ab-_',
    'ab\n=',
    'ÿbcd',
  ])('%j is none', (text) => {
    expect(isBase64(text)).toBe(false);
  });

  it('may be as long as a record', () => {
    const text = 'QUJD'.repeat(4_000_000);
    expect(isBase64(text)).toBe(true);
    expect(isBase64(`${text}*`)).toBe(false);
    expect(isBase64(`${'='.repeat(16_000_000)}a`)).toBe(false);
  });
});
