import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/cli/values/parse-duration.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2 h', 7_200_000],
    ['0s', 0],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['5', '0', '1.5'])('refuses the bare number %s and says how to write it', (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({ code: 'KLOG_USAGE', hint: `Say ${text}s or ${text}ms` }),
    );
  });

  it.each(['', 's', '5x', '-5s', '5s3', '5 s 3', '5S', '1mo', '1,5s', '1e3s', 'soon'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});
