import { describe, expect, it } from 'vitest';
import { decodeTopicFile, readTopicFile, writeTopicFile } from '../../src/store/topic-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { unsyncedFileSystem } from './interposed-file-system.js';

const GOOD = {
  version: 1,
  topic: 'orders',
  topicId: 'ASNFZ4mrze_-3LqYdlQyEA',
  partitions: 2,
  configs: { 'retention.ms': '60000' },
  state: 'active',
};

function decode(value: unknown) {
  return decodeTopicFile(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'topics/orders.json');
}

describe('a topic file', () => {
  it('reads back as it was written, the longest name included', async () => {
    const directory = temporaryDirectory();
    for (const topic of ['orders', 'x'.repeat(249)]) {
      const file = { ...decode(GOOD), topic, growingTo: 5, state: 'deleting' } as const;
      await writeTopicFile(unsyncedFileSystem, directory, file);
      expect(await readTopicFile(unsyncedFileSystem, directory, topic)).toEqual(file);
    }
    expect(await readTopicFile(unsyncedFileSystem, directory, 'other')).toBeUndefined();
  });

  it('may have fields and configs that this version does not know', () => {
    const configs = { 'from.tomorrow': '1' };
    expect(decode({ ...GOOD, owner: 'me', configs })).toMatchObject({ topic: 'orders', configs });
  });

  it.each([
    ['nothing', ''],
    ['half of it', JSON.stringify(GOOD).slice(0, 40)],
    ['zeros', '\0'.repeat(100)],
    ['null', null],
    ['a list', []],
    ['no version', { ...GOOD, version: undefined }],
    ['no topic', { ...GOOD, topic: 7 }],
    ['an id of another form', { ...GOOD, topicId: '01234567-89ab-cdef-0123-456789abcdef' }],
    ['no partitions', { ...GOOD, partitions: 0 }],
    ['half a partition', { ...GOOD, partitions: 1.5 }],
    ['2^31 partitions', { ...GOOD, partitions: 2 ** 31 }],
    ['configs that are none', { ...GOOD, configs: null }],
    ['a config that is a number', { ...GOOD, configs: { 'retention.ms': 60000 } }],
    ['an unknown state', { ...GOOD, state: 'sleeping' }],
    ['growing to nothing', { ...GOOD, growingTo: 0 }],
  ])('is damaged with %s, and is named', (_, value) => {
    expect(() => decode(value)).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE', message: expect.stringContaining('topics/orders.json') }),
    );
  });

  it('of a later version is left to a later klog', () => {
    expect(() => decode({ ...GOOD, version: 2 })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }));
  });

  it('changes no prototype', () => {
    const text = JSON.stringify(GOOD).replace('"retention.ms"', '"__proto__"');
    const { configs } = decode(text);
    expect(Object.getPrototypeOf(configs)).toBe(Object.prototype);
    expect(Object.keys(configs)).toEqual(['__proto__']);
  });
});
