import { describe, expect, it } from 'vitest';
import { parseDelimiter, unescapeText } from '../../../src/cli/record-format/escapes.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import { writeEscaped } from '../../../src/cli/record-format/terminal-escape.js';

describe('escapes', () => {
  it.each([
    ['\\t\\n\\r\\0\\\\', '\t\n\r\0\\'],
    ['a\\x00\\x7f\\xFFb', 'a\0\x7f\xffb'],
    ['\u20ac\\n', '\xe2\x82\xac\n'],
    ['\\x411', 'A1'],
    ['', ''],
  ])('%j', (text, expected) => {
    expect(unescapeText(text, '-D').toString('latin1')).toBe(expected);
  });

  it.each([
    ['\\q', 'Unknown escape "\\q" in -K at position 1'],
    ['ab\\', '-K ends in a lone backslash (position 3)'],
    ['\\x4g', 'Bad escape "\\x4g" in -K at position 1: two hex digits must follow \\x'],
    ['\\X41', 'Unknown escape "\\X" in -K at position 1'],
    ['\\\u{1f600}', 'Unknown escape "\\\u{1f600}" in -K at position 1'],
    ['\\1', 'Unknown escape "\\1" in -K at position 1'],
  ])('%j is refused', (text, message) => {
    expect(() => unescapeText(text, '-K')).toThrow(expect.objectContaining({ code: 'KLOG_USAGE', message }));
  });

  it('a delimiter may have any bytes', () => {
    expect([...parseDelimiter('\\0\\xff', '-D')]).toEqual([0, 255]);
  });

  it('an empty delimiter is refused', () => {
    expect(() => parseDelimiter('', '-D')).toThrow(
      expect.objectContaining({ code: 'KLOG_USAGE', message: '-D is empty' }),
    );
  });
});

describe('for a terminal', () => {
  it.each([
    ['\x1b]52;c;aGk=\x07', '\\x1b]52;c;aGk=\\x07'],
    ['a\tb\nc\rd\x7f\0', 'a\tb\nc\\rd\\x7f\\x00'],
    ['\u009b31m', '\\u009b31m'],
    ['\u202e\u2066\u200e\u061c', '\\u202e\\u2066\\u200e\\u061c'],
    ['caf\u00e9 \u20ac \u{1f600} \u00a0', 'caf\u00e9 \u20ac \u{1f600} \u00a0'],
    ['', ''],
  ])('%j', (text, shown) => {
    expect(escaped(Buffer.from(text))).toBe(shown);
  });

  it('bytes that are no UTF-8 are shown as such: a lone 0x9b begins a control sequence', () => {
    expect(escaped(Buffer.from([0x61, 0x9b, 0x33, 0xe2, 0x82, 0xff]))).toBe('a\\x9b3\\xe2\\x82\\xff');
  });
});

function escaped(source: Uint8Array): string {
  const out = new OutputBuffer(4);
  writeEscaped(source, 0, source.length, out);
  return out.view().toString();
}
