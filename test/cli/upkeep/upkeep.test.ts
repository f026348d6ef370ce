import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numbered, RealLog, withLog } from '../support/real-log.js';

const values = async (log: RealLog, topic: string) => (await log.run(`consume ${topic}`)).out.trimEnd().split('\n');

/** All bytes of a topic's directories. */
function bytesOf(log: RealLog, topic: string): Buffer {
  const root = join(log.directory, 'log');
  const files = readdirSync(root)
    .filter((name) => name.startsWith(`${topic}-`))
    .flatMap((name) => readdirSync(join(root, name)).map((file) => join(root, name, file)));
  return Buffer.concat(files.map((file) => readFileSync(file)));
}

describe('topic trim, on a real log', () => {
  it('moves the start by offset, time and number, and says so', async () => {
    await withLog(async (log) => {
      await log.createTopic('t', 2, { 'retention.ms': '-1' });
      await log.produce(numbered('t', 20, 2));
      const { code, err } = await log.run('topic trim t -o 3 -p 1 -y');
      expect(code).toBe(0);
      expect(err).toMatch(/^deleted offsets 0 to 2 of t:1 \(/);
      expect((await log.run('topic offsets t')).out).toBe('t\t0\t0\t10\nt\t1\t3\t10\n');
      // Record i is i seconds later, in partition i % 2.
      await log.run('topic trim t --before 1700000010000 -y');
      expect((await log.run('topic offsets t')).out).toBe('t\t0\t5\t10\nt\t1\t5\t10\n');
      expect((await log.run('topic trim t --keep 2 --dry-run')).err).toContain('would delete offsets 5 to 7 of t:0');
      await log.run('topic trim t --keep 2 -y');
      expect(await values(log, 't')).toEqual(['v16', 'v18', 'v17', 'v19']);
      expect((await log.run('consume t -p 0 -o 3')).code).toBe(4);
      expect((await log.run('topic trim t -o 11 -y')).code).toBe(4);
      await log.run('topic trim t -o end -y');
      expect((await log.run('consume t')).out).toBe('');
      await log.produce([{ topic: 't', value: 'new', partition: 0 }]);
      expect((await log.run('consume t -f %o=%v\\n')).out).toBe('10=new\n');
    });
  });

  it('leaves nothing of what was trimmed in an export, also where it begins inside a batch', async () => {
    await withLog(async (log) => {
      await log.createTopic('t', 1, { 'retention.ms': '-1' });
      await log.run('produce t', { stdin: ['secret\nb\nc\nd\n'] });
      await log.run('topic trim t -o 2 -y');
      const file = join(dirname(log.directory), 'a.klog');
      await log.run(`export -o ${file}`);
      expect(readFileSync(file).includes('secret')).toBe(false);
      const to = new RealLog(join(dirname(log.directory), '.other'));
      expect((await to.run(`import ${file}`)).code).toBe(0);
      expect((await to.run('topic offsets t')).out).toBe('t\t0\t2\t4\n');
      expect((await to.run('consume t -f %o=%v\\n')).out).toBe('2=c\n3=d\n');
    });
  });
});

describe('topic compact, on a real log', () => {
  it('keeps the last record of each key, and offsets; an export keeps the gaps', async () => {
    await withLog(async (log) => {
      await log.createTopic('users', 1, { 'cleanup.policy': 'compact' });
      await log.run('produce users -K =', { stdin: ['a=1\nb=1\na=2\nc=1\nb=2\na=3\n'] });
      const planned = await log.run('topic compact users --dry-run');
      expect(planned).toMatchObject({ code: 0, out: '' });
      const { code, err } = await log.run('topic compact users');
      expect(err).toBe(planned.err.replace('would compact', 'compacted'));
      expect(code).toBe(0);
      expect(err).toMatch(/^compacted users:0 from 6 to 3 records, /);
      const left = '3=1\n4=2\n5=3\n';
      expect((await log.run('consume users -f %o=%v\\n')).out).toBe(left);
      const file = join(dirname(log.directory), 'a.klog');
      await log.run(`export -o ${file}`);
      const to = new RealLog(join(dirname(log.directory), '.other'));
      await to.run(`import ${file}`);
      expect((await to.run('consume users -f %o=%v\\n')).out).toBe(left);
      expect((await to.run('topic offsets users')).out).toBe((await log.run('topic offsets users')).out);
      await log.createTopic('plain');
      expect((await log.run('topic compact plain')).code).toBe(2);
    });
  });
});

describe('erase, on a real log', () => {
  it('takes a record out of the files, whatever else is in its batch', async () => {
    await withLog(async (log) => {
      await log.createTopic('t', 2, { 'retention.ms': '-1' });
      await log.run('produce t -p 1', { stdin: ['first\nsecret-one\nthird\n'] });
      expect(bytesOf(log, 't').includes('secret-one')).toBe(true);
      const dry = await log.run('erase t:1@1 --dry-run');
      expect(dry).toMatchObject({ code: 0, err: expect.stringMatching(/^would erase 1 record: t:1@1 in /) });
      expect(bytesOf(log, 't').includes('secret-one')).toBe(true);
      expect((await log.run('erase t:1@1')).code).toBe(2);
      expect((await log.run('erase t:1@1 -y')).code).toBe(0);
      expect(bytesOf(log, 't').includes('secret-one')).toBe(false);
      expect((await log.run('consume t -f %o=%v\\n')).out).toBe('0=first\n2=third\n');
      expect((await log.run('erase t:1@1 -y')).code).toBe(4);
      expect((await log.run('erase t:1@99 -y')).code).toBe(4);
    });
  });

  it('takes every record with a key out of every partition', async () => {
    await withLog(async (log) => {
      await log.createTopic('t', 3, { 'retention.ms': '-1' });
      const keyed = ['alice', 'bob', 'alice', 'carol'].map((key, i) => {
        return { topic: 't', key, value: `${key}-${i}`, partition: i % 3 };
      });
      await log.produce([...keyed, { topic: 't', key: Buffer.from([0xff, 1]), value: 'binary', partition: 2 }]);
      const { code, out } = await log.run('erase t -k alice --key-base64 /wE= -y --json');
      expect(code).toBe(0);
      const rows: { partition: number; records: number; erased: boolean }[] = JSON.parse(out);
      expect(rows.reduce((sum, { records }) => sum + records, 0)).toBe(3);
      expect((await values(log, 't')).sort()).toEqual(['bob-1', 'carol-3']);
      expect(bytesOf(log, 't').includes('alice')).toBe(false);
    });
  });
});
