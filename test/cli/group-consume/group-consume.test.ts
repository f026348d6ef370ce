import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.js';
import type { OffsetToCommit } from '../../../src/clients/group-consumer.js';
import { openClient } from '../../../src/clients/local/open-client.js';
import { FakeContext } from '../support/fake-context.js';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

const env = { PATH: process.env.PATH ?? '' };
const seen = (log: RealLog) => `${log.directory}/../seen`;

async function withTopic<T>(records: number, partitions: number, use: (log: RealLog) => Promise<T>): Promise<T> {
  return withLog(async (log) => {
    await log.createTopic('t', partitions);
    await log.produce(numbered('t', records, partitions));
    return use(log);
  });
}

/** What the group has committed of `t`, by partition. */
async function committed(log: RealLog, groupId = 'g', partitions = 1): Promise<(number | undefined)[]> {
  const client = await openClient({ directory: log.directory });
  try {
    const consumer = client.consumer({ topics: ['t'], group: { id: groupId } });
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition }));
    return (await consumer.committed(places)).map((one) => one?.offset);
  } finally {
    await client.close();
  }
}

async function commit(log: RealLog, offsets: readonly OffsetToCommit[]): Promise<void> {
  const client = await openClient({ directory: log.directory });
  const consumer = client.consumer({ topics: ['t'], group: { id: 'g', commit: 'none' } });
  for await (const _ of consumer.batches()) await consumer.commit(offsets);
  await client.close();
}

describe('consume -g', () => {
  it('reads everything once, and goes on where the group has come to', () =>
    withTopic(4, 2, async (log) => {
      const first = await log.run('consume t -g g');
      expect(first).toMatchObject({ code: 0, err: '' });
      expect(first.out.trim().split('\n').toSorted()).toEqual(['v0', 'v1', 'v2', 'v3']);
      expect(await committed(log, 'g', 2)).toEqual([2, 2]);
      expect((await log.run('consume t -g g')).out).toBe('');
      await log.produce([{ topic: 't', value: 'more', partition: 1 }]);
      expect((await log.run('consume t -g g')).out).toBe('more\n');
      expect((await log.run('consume t -g other -n 1')).out).toBe('v0\n');
      expect(await committed(log, 'other', 2)).toEqual([1, undefined]);
    }));

  it('commits only what -n let through', () =>
    withTopic(5, 1, async (log) => {
      expect((await log.run('consume t -g g -n 2')).out).toBe('v0\nv1\n');
      expect(await committed(log)).toEqual([2]);
      expect((await log.run('consume t -g g -n 1 --commit each')).out).toBe('v2\n');
      expect(await committed(log)).toEqual([3]);
    }));

  it('commits nothing with --commit none', () =>
    withTopic(3, 1, async (log) => {
      expect((await log.run('consume t -g g --commit none')).out).toBe('v0\nv1\nv2\n');
      expect(await committed(log)).toEqual([undefined]);
    }));

  it('counts what a filter dropped as consumed', () =>
    withTopic(4, 1, async (log) => {
      expect((await log.run('consume t -g g -G v1')).out).toBe('v1\n');
      expect(await committed(log)).toEqual([4]);
    }));

  it('commits nothing of a batch in which it failed that it has not printed', () =>
    withTopic(4, 1, async (log) => {
      expect((await log.run('consume t -g g --filter nosuch.x')).code).not.toBe(0);
      expect(await committed(log)).toEqual([undefined]);
      await log.run('consume t -g g -n 2');
      expect((await log.run('consume t -g g --filter m.offset===3?nosuch.x:true')).code).not.toBe(0);
      expect(await committed(log)).toEqual([3]);
    }));

  it('begins at -o only where nothing is committed, and remembers where that was', () =>
    withTopic(4, 1, async (log) => {
      expect((await log.run('consume t -g g -o 3')).out).toBe('v3\n');
      expect((await log.run('consume t -g g -o start')).out).toBe('');
      expect((await log.run('consume t -g late -o end')).out).toBe('');
      expect(await committed(log, 'late')).toEqual([4]);
      expect((await log.run('consume t -g word -o stored')).out).toBe('v0\nv1\nv2\nv3\n');
    }));

  it('begins at -o with a warning where what is committed is out of range', () =>
    withTopic(4, 1, async (log) => {
      await commit(log, [{ topic: 't', partition: 0, offset: 1 }]);
      await log.run('topic trim t -o 3 -y');
      const result = await log.run('consume t -g g');
      expect(result).toMatchObject({ code: 0, out: 'v3\n' });
      expect(result.err).toBe("warning: t:0: group 'g' has committed 1, which is out of range: going on at 3\n");
    }));

  it.each(['', ' --exec true'])('commits where it goes on then, though nothing came%s', (handler) =>
    withTopic(4, 1, async (log) => {
      await commit(log, [{ topic: 't', partition: 0, offset: 1 }]);
      await log.run('topic trim t -o 4 -y');
      await log.run(`consume t -g g${handler}`);
      expect(await committed(log)).toEqual([4]);
    }),
  );

  it('commits nothing of what its output did not take', () =>
    withTopic(3, 1, async (log) => {
      const full = await log.run('consume t -g g', { writeError: { at: 1, code: 'ENOSPC' } });
      expect(full.code).toBe(1);
      expect(await committed(log)).toEqual([undefined]);
      const gone = await log.run('consume t -g g', { writeError: { at: 1, code: 'EPIPE' } });
      expect(gone).toMatchObject({ code: 0, err: '' });
      expect(await committed(log)).toEqual([undefined]);
    }));

  it('commits what was written out when it is interrupted, and ends with 130', () =>
    withTopic(3, 1, async (log) => {
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { KLOG_DIR: log.directory } });
      const running = runCommandLine(['consume', 't', '-g', 'g', '-F'], context);
      await expect.poll(() => context.out).toBe('v0\nv1\nv2\n');
      context.interrupt('SIGINT');
      expect(await running).toBe(130);
      expect(await committed(log)).toEqual([3]);
    }));

  it('remembers where it began at the end, also with a handler that nothing came for', () =>
    withTopic(2, 1, async (log) => {
      expect((await log.run('consume t -g g -o end --exec true')).code).toBe(0);
      expect(await committed(log)).toEqual([2]);
    }));

  it('commits now and then while it follows', () =>
    withTopic(3, 1, async (log) => {
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { KLOG_DIR: log.directory } });
      const running = runCommandLine(['consume', 't', '-g', 'g', '-F'], context);
      await expect.poll(() => committed(log), { timeout: 5000 }).toEqual([3]);
      context.interrupt('SIGINT');
      await running;
    }));

  it('shares with another member, says who owns the rest, and is 8 where it never owned one', () =>
    withTopic(2, 2, async (log) => {
      const client = await openClient({ directory: log.directory });
      const first = new FakeContext({ client, env: { KLOG_DIR: log.directory } });
      const following = runCommandLine(['consume', 't', '-g', 'g', '-F', '-v'], first);
      await expect.poll(() => first.err).toContain("group 'g': reading t:0 from 0, t:1 from 0\n");
      const second = await log.run('consume t -g g');
      expect(second).toMatchObject({ code: 0, err: "other members of group 'g' own 1 partition\n" });
      expect(first.err).toMatch(/group 'g': released t:\d\n/);
      first.interrupt('SIGINT');
      expect(await following).toBe(130);
    }));

  it('is 8 where the others own all partitions', () =>
    withTopic(1, 1, async (log) => {
      const client = await openClient({ directory: log.directory });
      // Its name comes first, so that `range` gives it the one partition.
      const first = client.consumer({ topics: ['t'], follow: true, group: { id: 'g', clientId: 'a' } });
      const records = first[Symbol.asyncIterator]();
      await records.next();
      const second = await log.run('consume t -g g');
      expect(second.code).toBe(8);
      expect(second.err).toMatch(/^klog: .*group 'g' own.*\n$/);
      await client.close();
    }));

  it('reads the topics that match with -r', () =>
    withLog(async (log) => {
      await log.produce([
        { topic: 'a1', value: 'x' },
        { topic: 'a2', value: 'y' },
        { topic: 'b', value: 'z' },
      ]);
      expect((await log.run('consume -r a. -g g')).out).toBe('x\ny\n');
      expect(await log.run('consume -r c. -g g')).toMatchObject({ code: 0, out: '', err: "no topic matches 'c.'\n" });
    }));

  it('refuses dead letters that its own pattern would read, also where there are none yet', () =>
    withTopic(1, 1, async (log) => {
      const line = ['consume', '-r', '.*', '-g', 'g', '--retries', '0', '--dlq', 'dead', '--exec', 'false'];
      const result = await log.run(line, { env });
      expect(result.code).toBe(2);
      expect(result.err).toContain("'dead' is read itself");
      expect((await log.run('topic list')).out).not.toContain('dead');
    }));

  it('ends after a time without a record', () =>
    withTopic(1, 1, async (log) => {
      expect(await log.run('consume t -g g --timeout 1s')).toMatchObject({ code: 0, out: 'v0\n' });
      expect((await log.run('consume t -g g --timeout 1s -n 1')).code).toBe(5);
    }));

  it.each([
    ['consume t -g g -p 0', /exclude each other/],
    ['consume t:0 -g g', /more than a topic/],
    ['consume t -g g --reverse', /exclude each other/],
    ['consume t -g g --order time', /exclude each other/],
    ['consume t -g g -o 1:2', /where to begin/],
    ['consume t -g g -o 0=1', /where to begin/],
    ['consume t -g g --to 5', /exclude each other/],
    ['consume t -g g --from-group h', /exclude each other/],
    ['consume t --from-group h --reverse', /exclude each other/],
    ['consume t --commit none', /means nothing without -g/],
    ['consume t -o stored', /needs a consumer group/],
  ])('refuses %s', (line, message) =>
    withLog(async (log) => {
      await log.createTopic('t');
      const { code, err } = await log.run(line);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }),
  );
});

describe('a topic that is deleted while a member reads it', () => {
  it.each([
    ['that prints', []],
    ['with a handler', ['--exec', 'cat']],
  ])('does not end the member %s, which says so once', (_, words) =>
    withTopic(2, 1, async (log) => {
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { ...env, KLOG_DIR: log.directory } });
      const running = runCommandLine(['consume', 't', '-g', 'g', '-F', ...words], context);
      await expect.poll(() => committed(log), { timeout: 5000 }).toEqual([2]);
      const other = await openClient({ directory: log.directory });
      await other.admin().deleteTopic('t');
      await expect.poll(() => context.err, { timeout: 5000 }).toContain('deleted');
      expect(context.err).toBe("group 'g': topic t was deleted. Reading on if there is another of its name\n");
      await log.produce([{ topic: 't', value: 'anew' }]);
      await expect.poll(() => committed(log), { timeout: 5000 }).toEqual([1]);
      context.interrupt('SIGINT');
      expect(await running).toBe(130);
      expect(context.err.match(/deleted/g)).toHaveLength(1);
      await other.close();
    }),
  );
});

describe('a member that is evicted', () => {
  it.each([
    ['that prints', []],
    ['with a handler', ['--exec', 'sleep 0.02']],
  ])('%s ends with 8, and commits nothing any more', (_, words) =>
    withTopic(1, 1, async (log) => {
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { ...env, KLOG_DIR: log.directory } });
      const running = runCommandLine(['consume', 't', '-g', 'g', '-F', ...words], context);
      await expect.poll(() => committed(log), { timeout: 5000 }).toEqual([1]);
      const other = await openClient({ directory: log.directory });
      const [group] = await other.admin().describeGroups(['g']);
      await other.admin().evictGroupMember('g', group!.memberDetails[0]!.memberId);
      await log.produce([{ topic: 't', value: 'more' }]);
      expect(await running).toBe(8);
      expect(context.err).toMatch(/klog: .*evicted/);
      expect(await committed(log)).toEqual([1]);
      await other.close();
    }),
  );
});

describe('consume --from-group', () => {
  it('begins where the group is, and leaves it alone', () =>
    withTopic(6, 2, async (log) => {
      await log.run('consume t -g g -n 1');
      const [p0, p1] = await committed(log, 'g', 2);
      expect([p0, p1]).toContain(1);
      const rest = p0 === 1 ? 'v2\nv4\nv1\nv3\nv5\n' : 'v0\nv2\nv4\nv3\nv5\n';
      expect((await log.run('consume t --from-group g')).out).toBe(rest);
      expect((await log.run('consume t --from-group g -o end')).out.split('\n')).toHaveLength(3);
      expect((await log.run('consume t --from-group nobody -p 1')).out).toBe('v1\nv3\nv5\n');
      expect(await committed(log, 'g', 2)).toEqual([p0, p1]);
    }));

  it('warns where what the group has committed is gone', () =>
    withTopic(4, 1, async (log) => {
      await commit(log, [{ topic: 't', partition: 0, offset: 1 }]);
      await log.run('topic trim t -o 3 -y');
      const { out, err } = await log.run('consume t --from-group g');
      expect(out).toBe('v3\n');
      expect(err).toBe("warning: t:0: group 'g' has committed 1, which is out of range\n");
    }));
});

describe('consume -g --exec', () => {
  it('commits behind each record that was acknowledged, and goes on there after a failure', () =>
    withTopic(4, 1, async (log) => {
      writeFileSync(seen(log), '');
      const command = `echo $KLOG_RECORD_OFFSET >> ${seen(log)}; [ $KLOG_RECORD_OFFSET != 2 ] || [ -e ${seen(log)}.ok ]`;
      const line = ['consume', 't', '-g', 'g', '--retries', '0', '--exec', command];
      expect((await log.run(line, { env })).code).toBe(1);
      expect(await committed(log)).toEqual([2]);
      writeFileSync(`${seen(log)}.ok`, '');
      expect((await log.run(line, { env })).err).toBe('2 records handled\n');
      expect(await committed(log)).toEqual([4]);
      expect(readFileSync(seen(log), 'utf8')).toBe('0\n1\n2\n2\n3\n');
    }));

  it('commits up to the lowest unfinished one where several are in flight', () =>
    withTopic(6, 1, async (log) => {
      const command = '[ $KLOG_RECORD_OFFSET != 1 ] || { sleep 0.2; exit 1; }';
      const line = ['consume', 't', '-g', 'g', '--retries', '0', '--max-in-flight', '3', '--exec', command];
      expect((await log.run(line, { env })).code).toBe(1);
      expect(await committed(log)).toEqual([1]);
    }));

  it('commits what went to the dead letters, and what a filter dropped', () =>
    withTopic(4, 2, async (log) => {
      const line = ['consume', 't', '-g', 'g', '-G', 'v1', '--retries', '0', '--dlq', 'd', '--exec', 'false'];
      expect((await log.run(line, { env })).code).toBe(0);
      expect(await committed(log, 'g', 2)).toEqual([2, 2]);
      expect((await log.run('consume d')).out).toBe('v1\n');
    }));

  it('commits no record that the dead letters did not take, nor anything behind it', () =>
    withTopic(4, 1, async (log) => {
      await log.run('topic create d -c max.message.bytes=100');
      const words = ['consume', 't', '-g', 'g', '--retries', '0', '--max-in-flight', '3', '--dlq', 'd'];
      const result = await log.run([...words, '--exec', '[ $KLOG_RECORD_OFFSET != 1 ]'], { env });
      expect(result.code).not.toBe(0);
      expect(result.err).toContain('d');
      expect(await committed(log)).toEqual([1]);
      expect((await log.run('consume d')).out).toBe('');
      // With room for it there it is taken up again, and the group goes on.
      await log.run('topic alter d -c max.message.bytes=1000');
      expect((await log.run([...words, '--exec', '[ $KLOG_RECORD_OFFSET != 1 ]'], { env })).code).toBe(0);
      expect(await committed(log)).toEqual([4]);
      expect((await log.run('consume d')).out).toBe('v1\n');
    }));

  it('finishes all that it has taken before it leaves', () =>
    withTopic(5, 1, async (log) => {
      const line = ['consume', 't', '-g', 'g', '--max-in-flight', '5', '--exec', 'sleep 0.1'];
      expect((await log.run(line, { env })).err).toBe('5 records handled\n');
      expect(await committed(log)).toEqual([5]);
    }));

  it('commits at the end with --commit auto, and nothing with none', () =>
    withTopic(2, 1, async (log) => {
      const exec = (mode: string) => log.run(['consume', 't', '-g', 'g', '--commit', mode, '--exec', 'true'], { env });
      expect((await exec('none')).err).toBe('2 records handled\n');
      expect(await committed(log)).toEqual([undefined]);
      expect((await exec('auto')).err).toBe('2 records handled\n');
      expect(await committed(log)).toEqual([2]);
    }));

  it('works with --exec-batch', () =>
    withTopic(3, 1, async (log) => {
      const command = 'while read -r line; do [ "$line" = v2 ] && echo no || echo ok; done';
      const line = ['consume', 't', '-g', 'g', '--retries', '0', '--exec-batch', command];
      expect((await log.run(line, { env })).code).toBe(1);
      expect(await committed(log)).toEqual([2]);
    }));

  it('lets go of a partition between two records, with what is in hand finished and committed', () =>
    withTopic(40, 2, async (log) => {
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { ...env, KLOG_DIR: log.directory } });
      const one = (name: string) =>
        `echo ${name} $KLOG_RECORD_PARTITION@$KLOG_RECORD_OFFSET >> ${seen(log)}; sleep 0.02`;
      const words = ['consume', 't', '-g', 'g', '-F', '--exec'];
      const first = runCommandLine([...words, one('a')], context);
      await expect.poll(() => read(log).length, { timeout: 5000 }).toBeGreaterThan(2);
      const other = await openClient({ directory: log.directory });
      const second = new FakeContext({ client: other, env: { ...env, KLOG_DIR: log.directory } });
      const beside = runCommandLine([...words, one('b')], second);
      await expect.poll(() => new Set(read(log).map((line) => line.split(' ')[1])).size, { timeout: 15_000 }).toBe(40);
      await expect.poll(() => committed(log, 'g', 2), { timeout: 5000 }).toEqual([20, 20]);
      context.interrupt('SIGTERM');
      second.interrupt('SIGTERM');
      expect([await first, await beside]).toEqual([143, 143]);
      // Nothing twice, and both had their share.
      expect(read(log)).toHaveLength(40);
      expect(new Set(read(log).map((line) => line[0]))).toEqual(new Set(['a', 'b']));
    }));
});

function read(log: RealLog): string[] {
  try {
    return readFileSync(seen(log), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}
