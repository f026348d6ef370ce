import { describe, expect, it } from 'vitest';
import { parseConfig, parseHeader } from '../../../src/cli/values/parse-key-value.js';

describe('parseHeader', () => {
  it.each([
    ['k=v', 'k', 'v'],
    ['k:v', 'k', 'v'],
    ['k=a:b', 'k', 'a:b'],
    ['k:a=b', 'k', 'a=b'],
    ['k=', 'k', ''],
    ['k:', 'k', ''],
    ['k', 'k', null],
    ['k= v ', 'k', ' v '],
    ['k==', 'k', '='],
  ])('%s', (text, key, value) => {
    expect(parseHeader(text)).toEqual({ key, value });
  });

  it.each(['', '=v', ':v'])('refuses %j', (text) => {
    expect(() => parseHeader(text)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});

describe('parseConfig', () => {
  it.each([
    ['retention.ms=5', 'retention.ms', '5'],
    ['a=', 'a', ''],
    ['a=b=c', 'a', 'b=c'],
  ])('%s', (text, key, value) => {
    expect(parseConfig(text)).toEqual({ key, value });
  });

  it.each(['', 'retention.ms', '=5'])('refuses %j', (text) => {
    expect(() => parseConfig(text)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});
