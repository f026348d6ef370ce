/** Patterns that take for ever, and names that are more than names to JavaScript. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/cli/record-format/filter-expression.js';
import { compileGrep } from '../../src/cli/record-format/grep.js';
import { createJsonReader } from '../../src/cli/record-format/json-record-input.js';
import { parseTopicPattern } from '../../src/cli/values/parse-topic-pattern.js';
import { KlogError, openClient } from '../../src/index.js';
import { cursorOver, printed } from '../cli/record-format/support.js';
import { run } from '../cli/support/fake-context.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const EXPONENTIAL = ['(a+)+$', '(a|aa)+$', '(a|a?)+$', '^(a+)*b$', '(.*a){20}$', '([a-z]+)*=', '(a*)*\\1b'];

describe('patterns', () => {
  it.each(EXPONENTIAL)('%s over 50 kB, by --grep: within a second, or refused', (pattern) => {
    const value = `${'a'.repeat(50_000)}!`;
    const start = process.cpuUsage();
    try {
      const filter = compileGrep([pattern]);
      const cursor = cursorOver([{ value, key: value, headers: [['h', value]] }]);
      while (cursor.next()) filter(cursor, 't');
    } catch (error) {
      expect(error).toBeInstanceOf(KlogError);
    }
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
  });

  it.each(EXPONENTIAL)('%s as a topic pattern, over the longest name', (pattern) => {
    const start = process.cpuUsage();
    try {
      parseTopicPattern(pattern).test(`${'a'.repeat(248)}!`);
    } catch (error) {
      expect(error).toBeInstanceOf(KlogError);
    }
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
  });
});

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];

function assertUnpolluted(): void {
  const fresh = {} as Record<string, unknown>;
  for (const name of ['polluted', 'a', 'x', 'value']) expect(fresh[name]).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
}

describe('names that JavaScript gives a meaning', () => {
  it.each(NAMES)('%s as a header, a key and a value comes through and changes nothing', (name) => {
    const json = `{"value":"v","key":"${name}","headers":[{"key":"${name}","value":"polluted"}],"${name}":{"polluted":1}}\n`;
    const reader = createJsonReader();
    reader.push(Buffer.from(json));
    reader.end();
    const record = reader.next()!;
    expect(record.headers.map(({ key }) => key)).toEqual([name]);
    const line = printed([{ key: name, value: 'v', headers: [[name, 'x']] }], { format: 'json' }).toString();
    expect(line).toContain(`"${name}"`);
    assertUnpolluted();
  });

  it.each(NAMES)('%s in what --filter sees is a header like any other', (name) => {
    const cursor = cursorOver([{ value: `{"${name}":{"polluted":true}}`, headers: [[name, 'x']] }]);
    cursor.next();
    expect(
      compileFilter(`Object.hasOwn(m.headers, ${JSON.stringify(name)}) && m.headers[${JSON.stringify(name)}] === 'x'`)(
        cursor,
        't',
        0,
      ),
    ).toBe(true);
    expect(compileFilter('({}).polluted === undefined')(cursor, 't', 0)).toBe(true);
    assertUnpolluted();
  });

  it.each(NAMES)('%s as a config, a setting or a format word is unknown', async (name) => {
    for (const args of [
      ['topic', 'create', 't', '-c', `${name}=1`, '--dry-run'],
      ['consume', 't', '-f', `%v{${name}}`],
      ['consume', 't', '-f', `%a{${name}}`],
      ['consume', 't', '-f', `%d{${name}}`],
      ['consume', 't', '-f', 'kafka', '-X', `${name}=true`],
      [name],
      ['topic', name],
    ]) {
      const { code } = await run(args, { env: { HOME: '/nowhere' } });
      expect(code, args.join(' ')).not.toBe(0);
      assertUnpolluted();
    }
  });

  it('in what is stored as configs: Object.prototype stays as it was', async () => {
    await inTemporaryDirectory(async (work) => {
      await using client = await openClient({ directory: join(work, '.klog'), create: true });
      const hostile = JSON.parse('{"__proto__":{"polluted":"1"},"retention.ms":"1"}') as Record<string, string>;
      await expect(client.admin().createTopic({ topic: 't', configs: hostile })).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
      });
      assertUnpolluted();
    });
  });
});
