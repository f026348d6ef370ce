import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.js';
import type { Client } from '../../../src/clients/client.js';
import { openClient } from '../../../src/clients/local/open-client.js';
import { FakeContext } from '../support/fake-context.js';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

/** Topic t, two partitions of five records, a second apart; group g has committed 2 and 5. */
function withGroup<T>(use: (log: RealLog) => Promise<T>): Promise<T> {
  return withLog(async (log) => {
    await log.createTopic('t', 2);
    await log.produce(numbered('t', 10, 2));
    await commit(log, 'g', [2, 5]);
    return use(log);
  });
}

async function commit(log: RealLog, group: string, offsets: readonly number[]): Promise<void> {
  const client = await openClient({ directory: log.directory });
  const all = offsets.map((offset, partition) => ({ topic: 't', partition, offset }));
  await client.admin().alterGroupOffsets(group, all);
  await client.close();
}

async function offsets(log: RealLog, group = 'g'): Promise<string> {
  return (await log.run(`group describe ${group} --export`)).out;
}

const at = (partition: number, offset: number) => ({ topic: 't', partition, offset });

async function remake(client: Client): Promise<void> {
  await client.admin().deleteTopic('t');
  await client.admin().createTopic({ topic: 't', partitions: 2 });
}

describe('group list', () => {
  it('lists them a line each, and none where there is no log', () =>
    withGroup(async (log) => {
      await commit(log, 'audit', [0]);
      expect(await log.run('group list')).toMatchObject({ out: 'audit\tEmpty\t0\ng\tEmpty\t0\n', code: 0 });
      expect((await log.run('group list a.*')).out).toBe('audit\tEmpty\t0\n');
      expect((await log.run('group list --state Stable')).out).toBe('');
      expect(JSON.parse((await log.run('group list g --json')).out)).toEqual([
        { groupId: 'g', state: 'Empty', protocolType: '', members: 0 },
      ]);
    }));
});

describe('group describe', () => {
  it('shows what is committed and what remains', () =>
    withGroup(async (log) => {
      const now = 1_700_000_000_000 + 4000 + 90_000;
      const page = (await log.run('group describe g', { now })).out;
      expect(page).toMatch(/^group +g\n/);
      expect(page).toMatch(/total lag +3\n/);
      expect((await log.run('group describe g --section summary')).out).toBe('g\tEmpty\t0\t-\t-\t3\n');
      const rows = (await log.run('group describe --section offsets --lagging')).out;
      expect(rows).toMatch(/^g\tt\t0\t2\t5\t3\t\d+d\t-\t-\n$/);
      const [group] = JSON.parse((await log.run('group describe g --json')).out);
      expect(group).toMatchObject({ groupId: 'g', totalLag: 3, memberDetails: [] });
      expect(group.offsets[1]).toMatchObject({ topic: 't', partition: 1, committedOffset: 5, lag: 0, lagMs: 0 });
    }));

  it('fails with 6 when more remains than is allowed, after it has shown it', () =>
    withGroup(async (log) => {
      expect((await log.run('group describe --fail-if-lag 3')).code).toBe(0);
      const failed = await log.run('group describe g --section summary --fail-if-lag 2');
      expect(failed).toMatchObject({ code: 6, out: 'g\tEmpty\t0\t-\t-\t3\n' });
      expect(failed.err).toBe("klog: more than 2 remain: 3 records for group 'g'\n");
    }));

  it('fails with 4 for a group that is not there, with the nearest name', () =>
    withGroup(async (log) => {
      await commit(log, 'billing', [0]);
      const failed = await log.run('group describe biling --json');
      expect(failed.code).toBe(4);
      expect(JSON.parse(failed.err)).toMatchObject({
        code: 'GROUP_ID_NOT_FOUND',
        exit: 4,
        group: 'biling',
        hint: "Did you mean 'billing'?",
      });
    }));

  it('exports what group seek takes', () =>
    withGroup(async (log) => {
      expect(await offsets(log)).toBe('t,0,2\nt,1,5\n');
      const file = `${log.directory}/../offsets.csv`;
      writeFileSync(file, await offsets(log));
      await log.run('group seek g --to start -y');
      expect(await log.run(['group', 'seek', 'g', '--to', `file:${file}`, '-y'])).toMatchObject({ code: 0 });
      expect(await offsets(log)).toBe('t,0,2\nt,1,5\n');
      // As Kafka exports several groups.
      writeFileSync(file, '"g","t",0,1\n"oth,er","t",1,1\n');
      expect(await log.run(['group', 'seek', 'oth,er', '--to', `file:${file}`, '-y'])).toMatchObject({ code: 0 });
      expect(await offsets(log, 'oth,er')).toBe('t,1,1\n');
      await log.run('group seek g t:0 --to file:- -y', { stdin: ['t,0,4\nt,1,0\n'] });
      expect(await offsets(log)).toBe('t,0,4\nt,1,5\n');
    }));

  it('tells the line of a file that holds something else', () =>
    withGroup(async (log) => {
      const failed = await log.run('group seek g --to file:- -y', { stdin: ['t,0,4\nt,one,0\n'] });
      expect(failed).toMatchObject({ code: 3 });
      expect(failed.err).toContain("'t,one,0' is no offset (-, line 2)");
      const twice = await log.run('group seek g --to file:- -y', { stdin: ['t,0,4\n\nt,0,5\n'] });
      expect(twice.err).toContain('t:0 comes a second time (-, line 3)');
    }));
});

describe('group seek', () => {
  /** What `change` does while the question stands; then the answer is yes. */
  async function seekWhile(log: RealLog, line: string, change: (client: Client) => Promise<unknown>) {
    const client = await openClient({ directory: log.directory });
    const context = new FakeContext({ client, env: { KLOG_DIR: log.directory }, terminal: true });
    context.ask = async () => {
      await using other = await openClient({ directory: log.directory });
      await change(other);
      return true;
    };
    const code = await runCommandLine(line.split(' '), context);
    await client.close();
    return { code, out: context.out, err: context.err };
  }

  it.each([
    [
      'the group has moved',
      '4',
      (client: Client) => client.admin().alterGroupOffsets('g', [at(0, 3)]),
      /committed 3 of t:0/,
    ],
    [
      'the log has been trimmed',
      '1',
      (client: Client) => client.admin().deleteRecords('t', [{ partition: 0, beforeOffset: 2 }]),
      /t:0 begins at 2/,
    ],
  ])('moves nothing where %s while the question stood, and is 8', (_, to, change, message) =>
    withGroup(async (log) => {
      const { code, out, err } = await seekWhile(log, `group seek g t:0 --to ${to}`, change);
      expect({ code, out }).toEqual({ code: 8, out: '' });
      expect(err).toMatch(message);
      expect(err.trim().split('\n')).toHaveLength(1);
      expect(await offsets(log)).not.toContain(`t,0,${to}`);
    }),
  );

  it('begins no group where the topic was made anew while the question stood', () =>
    withGroup(async (log) => {
      const { code, out, err } = await seekWhile(log, 'group seek new t --to start', remake);
      expect({ code, out }).toEqual({ code: 8, out: '' });
      expect(err).toMatch(/topic t was deleted/);
      expect((await log.run('group list')).out).not.toContain('new');
    }));

  it('moves by what was shown although more has been written, or the group has moved elsewhere', () =>
    withGroup(async (log) => {
      const { code } = await seekWhile(log, 'group seek g t:0 --to end', async (client) => {
        await using producer = client.producer();
        await producer.send({ topic: 't', partition: 0, value: 'more' });
        await client.admin().alterGroupOffsets('g', [at(1, 1)]);
      });
      expect(code).toBe(0);
      expect(await offsets(log)).toContain('t,0,5\nt,1,1\n');
    }));

  it.each([
    ['start', [0, 0]],
    ['end', [5, 5]],
    ['3', [3, 3]],
    ['+1', [3, 5]],
    ['-3', [0, 2]],
    ['start+1', [1, 1]],
    ['end-1', [4, 4]],
    // The records of partition 0 were written at 0, 2, 4, 6 and 8 seconds, of partition 1 in between.
    ['@1700000004', [2, 2]],
    ['@1700000005', [3, 2]],
    ['@2040-01-01', [5, 5]],
    ['-1d', [5, 5]],
    ['current', [2, 5]],
    ['group:other', [1, 4]],
  ])('--to %s', (to, [first, second]) =>
    withGroup(async (log) => {
      await commit(log, 'other', [1, 4]);
      const done = await log.run(['group', 'seek', 'g', `--to=${to}`, '-y'], { now: 1_800_000_000_000 });
      expect(done).toMatchObject({ code: 0 });
      expect(await offsets(log)).toBe(`t,0,${first}\nt,1,${second}\n`);
    }),
  );

  it('shows the plan, and changes nothing with --dry-run', () =>
    withGroup(async (log) => {
      const plan = await log.run('group seek g --to start --dry-run');
      expect(plan).toMatchObject({ code: 0, out: 't\t0\t2\t0\t5\nt\t1\t5\t0\t5\n' });
      expect(plan.err).toBe(`would move group 'g' in ${log.directory}: 2 partitions\n`);
      expect(JSON.parse((await log.run('group seek g t:1 --to 5 --json --dry-run')).out)).toEqual([
        { topic: 't', partition: 1, before: 5, after: 5, lag: 0, moved: false },
      ]);
      expect(await offsets(log)).toBe('t,0,2\nt,1,5\n');
    }));

  it('asks where somebody can be asked, else refuses with 2', () =>
    withGroup(async (log) => {
      const refused = await log.run('group seek g --to start');
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.err).toContain(`will not move group 'g' in ${log.directory}: t:0 from 2 to 0, t:1 from 5 to 0`);
      expect(await log.run('group seek g --to start', { terminal: true, answer: false })).toMatchObject({ code: 2 });
      expect(await offsets(log)).toBe('t,0,2\nt,1,5\n');
      expect(await log.run('group seek g --to start', { terminal: true, answer: true })).toMatchObject({ code: 0 });
      expect(await offsets(log)).toBe('t,0,0\nt,1,0\n');
    }));

  it('begins a group where topics are named, and only there', () =>
    withGroup(async (log) => {
      expect(await log.run('group seek new --to start -y')).toMatchObject({ code: 4 });
      expect(await log.run('group seek new t --to=-1 -y')).toMatchObject({ code: 4 });
      expect(await log.run('group seek new t -p 1 --to start -y')).toMatchObject({ code: 0, out: 't\t1\t-\t0\t5\n' });
      expect(await offsets(log, 'new')).toBe('t,1,0\n');
    }));

  it('takes the nearest offset with a warning, unless none of the partitions has it', () =>
    withGroup(async (log) => {
      await log.produce([{ topic: 't', key: null, value: 'more', partition: 0 }]);
      const done = await log.run('group seek g --to 6 -y');
      expect(done.err).toContain('warning: t:1 has no offset 6: 5 is the nearest\n');
      expect(await offsets(log)).toBe('t,0,6\nt,1,5\n');
      expect(await log.run('group seek g --to 7 -y')).toMatchObject({ code: 4 });
      expect(await log.run('group seek g nowhere --to start -y')).toMatchObject({ code: 4 });
      expect(await log.run('group seek g --to soon -y')).toMatchObject({ code: 2 });
      expect(await log.run('group seek g -y')).toMatchObject({ code: 2 });
    }));

  it('is refused with 8 while a member reads it, but by force', () =>
    withGroup(async (log) => {
      const client = await openClient({ directory: log.directory });
      const consumer = client.consumer({ topics: ['t'], group: { id: 'g', commit: 'none' }, follow: true });
      await consumer[Symbol.asyncIterator]().next();
      const refused = await log.run('group seek g --to start -y');
      expect(refused).toMatchObject({ code: 8 });
      expect(refused.err).toContain(`(process ${process.pid})`);
      expect(await log.run('group delete g -y')).toMatchObject({ code: 8 });
      expect(await log.run('group delete-offsets g t -y')).toMatchObject({ code: 8 });
      expect(await log.run('group seek g --to start -y --force')).toMatchObject({ code: 0 });
      const members = (await log.run('group describe g --section members')).out.split('\t');
      expect(members.slice(2)).toEqual(['alive', String(process.pid), expect.any(String), 't:0,1', '-\n']);
      const [, memberId] = members;
      expect(await log.run(['group', 'evict', 'g', 'nobody'])).toMatchObject({ code: 4 });
      const several = await log.run(['group', 'evict', 'g', 'nobody', memberId!, '--dry-run', '--json']);
      expect(several.code).toBe(1);
      expect(JSON.parse(several.out)).toEqual([{ groupId: 'g', memberId, evicted: false }]);
      const evicted = async (...flags: string[]) =>
        JSON.parse((await log.run(['group', 'evict', 'g', memberId!, '--json', ...flags])).out);
      expect(await evicted('--dry-run')).toEqual([{ groupId: 'g', memberId, evicted: false }]);
      expect(await evicted()).toEqual([{ groupId: 'g', memberId, evicted: true }]);
      expect(await log.run('group seek g --to end -y')).toMatchObject({ code: 0 });
      await consumer.close().catch(() => {});
      await client.close().catch(() => {});
    }));
});

describe('group delete, delete-offsets and copy', () => {
  it('delete a group', () =>
    withGroup(async (log) => {
      expect(await log.run('group delete g')).toMatchObject({ code: 2 });
      expect(await log.run('group delete g --dry-run --json')).toMatchObject({
        out: `${JSON.stringify([{ groupId: 'g', deleted: false }])}\n`,
      });
      expect(await log.run('group delete g -y')).toMatchObject({ code: 0 });
      expect(await log.run('group delete g -y')).toMatchObject({ code: 4 });
      expect((await log.run('group list')).out).toBe('');
    }));

  it('forget single offsets, also of topics that are no more', () =>
    withGroup(async (log) => {
      expect(await log.run('group delete-offsets g t:1')).toMatchObject({ code: 2 });
      expect(await log.run('group delete-offsets g t -p 1 -y')).toMatchObject({ code: 0 });
      expect(await offsets(log)).toBe('t,0,2\n');
      expect(await log.run('group delete-offsets g t:1 -y')).toMatchObject({
        code: 0,
        err: `group 'g' in ${log.directory} has committed nothing of these\n`,
      });
      expect(await log.run('group delete-offsets nobody t -y')).toMatchObject({ code: 4 });
    }));

  it('copy the offsets, and ask before they go over others', () =>
    withGroup(async (log) => {
      expect(await log.run('group copy g h')).toMatchObject({ code: 0 });
      expect(await offsets(log, 'h')).toBe('t,0,2\nt,1,5\n');
      await log.run('group seek g --to start -y');
      expect(await log.run('group copy g h')).toMatchObject({ code: 2 });
      expect(await log.run('group copy g h --dry-run')).toMatchObject({ code: 0 });
      expect(await offsets(log, 'h')).toBe('t,0,2\nt,1,5\n');
      expect(await log.run('group copy g h -y')).toMatchObject({ code: 0 });
      expect(await offsets(log, 'h')).toBe('t,0,0\nt,1,0\n');
      expect(await log.run('group copy g g -y')).toMatchObject({ code: 2 });
      expect(await log.run('group copy nobody h -y')).toMatchObject({ code: 4 });
    }));
});
