/** Names that want to leave the directory, or to be more than names. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openClient } from '../../src/index.js';
import { klog } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';
import { treeOf } from './directory-tree.js';

const ILLEGAL = [
  '',
  '.',
  '..',
  '/',
  '//',
  '\\',
  '~',
  '*',
  '?',
  ' ',
  '\t',
  '\n',
  '\0',
  '%',
  '$',
  '#',
  '!',
  '@',
  ':',
  ';',
  '&',
  '|',
  '../x',
  '../../x',
  '../../../etc/passwd',
  '..\\x',
  '..%2fx',
  '%2e%2e%2fx',
  '..;/x',
  '/etc/passwd',
  '/tmp/x',
  'a/b',
  'a/../b',
  'a/./b',
  './a',
  'a/',
  'a\\b',
  'C:\\x',
  'C:',
  '\\\\server\\share',
  'file:///x',
  '~root',
  '~/x',
  'a\0b',
  'a\0/../b',
  '../x\0.json',
  'a\nb',
  'a\rb',
  'a\x1b[2Jb',
  'a\x7fb',
  'a\x9bb',
  'a\u202eb',
  'a\u200bb',
  'a\u2028b',
  'ａ',
  'а',
  'é',
  'ü',
  'ß',
  'ı',
  '\u212a',
  '…',
  '‥',
  '／',
  '⁄',
  '∕',
  '＼',
  '．',
  '。',
  '․․',
  '💥',
  '\ud800',
  '\ufeffa',
  'a b',
  ' a',
  'a ',
  'a\ta',
  "a'b",
  'a"b',
  'a`b',
  '$(id)',
  '`id`',
  '$HOME',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
  '${HOME}',
  'a;rm -rf .',
  'a|b',
  'a&b',
  'a>b',
  'a<b',
  'a*b',
  'a?b',
  '[a]',
  '{a,b}',
  'a=b',
  'a,b',
  'a:b',
  'a@1',
  'a#b',
  'a+b',
  'a^b',
  'a!b',
  '(a)',
  'a%00b',
  'a%0ab',
  'x'.repeat(250),
  'x'.repeat(300),
  'x'.repeat(5000),
  `${'../'.repeat(80)}x`,
  '.'.repeat(250),
  'é'.repeat(125),
  `${'x'.repeat(248)}/x`,
] as const;

/** Legal by Kafka's rule, however odd. */
const LEGAL = [
  'con',
  'nul',
  'aux',
  'lpt1',
  'COM1',
  '...',
  '.a',
  'a.',
  '..a',
  'a..',
  '.lock',
  '.topic.tmp',
  'meta.properties',
  'klog.json',
  'a.json',
  'orders-0',
  'a-0-delete',
  'a-0.-delete',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  '-',
  '--help',
  '-a',
  '--',
  '-rf',
  '-d',
  '_',
  '0',
  '0-0',
  'x'.repeat(249),
  'A',
  'node_modules',
  'klog.config.js',
  '1e9',
  'NaN',
  'null',
  'undefined',
  'true',
] as const;

describe('topic names', () => {
  it('that are no topics are refused before any path is made of them, and nothing is made outside or inside', async () => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, 'home', '.klog');
      writeFileSync(join(work, 'x'), 'victim');
      mkdirSync(join(work, 'home'));
      await using client = await openClient({ directory, create: true });
      const admin = client.admin();
      await using producer = client.producer({ createTopics: true });
      const before = treeOf(work);
      for (const topic of ILLEGAL) {
        const what = JSON.stringify(topic).slice(0, 60);
        const refusal = { code: 'INVALID_TOPIC_EXCEPTION' };
        await expect(admin.createTopic({ topic }), what).rejects.toMatchObject(refusal);
        await expect(admin.deleteTopic(topic), what).rejects.toMatchObject(refusal);
        await expect(admin.describeTopic(topic), what).rejects.toMatchObject(refusal);
        await expect(admin.alterConfigs(topic, { set: { 'retention.ms': '1' } }), what).rejects.toMatchObject(refusal);
        await expect(admin.createPartitions(topic, 3), what).rejects.toMatchObject(refusal);
        await expect(producer.send({ topic, value: 'v' }), what).rejects.toMatchObject(refusal);
        await expect(client.consumer({ topics: [topic] }).assignment(), what).rejects.toMatchObject(refusal);
      }
      expect(treeOf(work)).toEqual(before);
    });
  });

  it('that are legal, however odd, stay inside and work', async () => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, '.klog');
      await using client = await openClient({ directory, create: true });
      await using producer = client.producer();
      const made: string[] = [];
      for (const topic of LEGAL) {
        try {
          await client.admin().createTopic({ topic });
        } catch (error) {
          // `a.json` and `a_json` are one to Kafka's metrics: the only reason to refuse.
          expect((error as Error).message, topic).toMatch(/collides/);
          continue;
        }
        made.push(topic);
        await producer.sendAll([{ topic, value: `of ${topic}` }]);
      }
      expect(made.length).toBeGreaterThan(LEGAL.length - 4);
      expect(readdirSync(work)).toEqual(['.klog']);
      for (const topic of made) {
        const values: string[] = [];
        for await (const { value } of client.consumer({ topics: [topic] })) values.push(String(value));
        expect(values, topic).toEqual([`of ${topic}`]);
      }
      const listed = await client.admin().listTopics({ internal: true });
      expect(listed.map(({ topic }) => topic).sort()).toEqual([...made].sort());
      for (const topic of made) await client.admin().deleteTopic(topic);
      expect(readdirSync(join(directory, 'log')).sort()).toEqual(['.lock', 'meta.properties']);
    });
  });

  it('are never given to a shell: metacharacters make nothing, and the exit code says usage', async () => {
    await inTemporaryDirectory(async (work) => {
      for (const name of ['$(touch pwned)', 'a\ntouch pwned']) {
        for (const args of [
          ['produce', name],
          ['consume', name],
          ['topic', 'create', name],
          ['topic', 'delete', '-y', name],
          ['topic', 'describe', name],
          ['topic', 'alter', '--add', '1', name],
          ['topic', 'trim', '-y', '--keep', '1', name],
          ['topic', 'compact', name],
          ['topic', 'clone', name, 'other'],
          ['topic', 'offsets', name],
          ['topic', 'list', name],
          ['tail', name],
          ['get', `${name}@0`],
          ['replay', name],
          ['copy', name, 'other'],
          ['erase', '-y', `${name}@0`],
          ['export', name],
        ]) {
          const { code, out } = await klog(args, { cwd: work, env: { HOME: work } });
          expect(code, args.join(' ')).toBe(2);
          expect(out).toBe('');
          expect(readdirSync(work), args.join(' ')).toEqual([]);
        }
      }
    });
  });
});
