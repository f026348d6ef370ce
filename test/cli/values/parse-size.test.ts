import { describe, expect, it } from 'vitest';
import { parseSize } from '../../../src/cli/values/parse-size.js';

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['1K', 1024],
    ['1k', 1024],
    ['1Ki', 1024],
    ['1KiB', 1024],
    ['1KB', 1024],
    ['16M', 16 * 1024 ** 2],
    ['1.5G', 1.5 * 1024 ** 3],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['2 T', 2 * 1024 ** 4],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'K', '-1', '1X', '1i', '1iB', '1KK', '1.3', '0x10', '9999999999T', '1,5K'])('refuses %j', (text) => {
    expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});
