import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/main.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { FakeContext } from './support/fake-context.js';
import { type RealLog, withLog } from './support/real-log.js';

/** A second partition, with a record in it. */
async function grow(log: RealLog): Promise<void> {
  const client = await openClient({ directory: log.directory });
  await client.admin().createPartitions('t', 2);
  await client.close();
  await log.produce([{ topic: 't', partition: 1, value: 'new' }]);
}

describe('a topic that is given partitions while it is waited for', () => {
  it.concurrent.each([
    ['consume t -F', 'old\nnew\n'],
    ['consume t --from-group g -F', 'old\nnew\n'],
    ['tail -f t', 'old\nnew\n'],
    ['tail -f t -p 0', 'old\n'],
    ['tail -f t --format %i:%v\\n', '1:old\n2:new\n'],
  ])('klog %s shows what was asked for', (line, out) =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', value: 'old' }]);
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { KLOG_DIR: log.directory } });
      const running = runCommandLine(line.split(' '), context);
      while (context.out === '') await sleep(5);
      await grow(log);
      for (let i = 0; i < 40 && !context.out.endsWith('new\n'); i++) await sleep(50);
      context.interrupt('SIGINT');
      await running;
      expect(context.out).toBe(out);
      await client.close();
    }),
  );

  it.concurrent.each(['wait t -n 2', 'wait t -G new', 'expect t -n 2 --timeout 5s'])('klog %s hears of it', (line) =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', value: 'old' }]);
      const [result] = await Promise.all([log.run(`${line} --timeout 5s`), sleep(600).then(() => grow(log))]);
      expect(result).toMatchObject({ code: 0, err: '' });
    }),
  );
});

describe('topics that are made while they are waited for', () => {
  it.concurrent.each([
    ['consume -r log.* -F', 'new\n'],
    ['consume -r log.* -F -o end', 'new\n'],
    ['consume -r log.* -F --order time', 'new\n'],
    ['consume -r log.* -F -p 0', 'new\n'],
    ['tail -r -f log.*', 'new\n'],
  ])('klog %s shows them', (line, out) =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', value: 'old' }]);
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { ...process.env, KLOG_DIR: log.directory } });
      const running = runCommandLine(line.split(' '), context);
      await sleep(300);
      await log.produce([{ topic: 'log-1', value: 'new' }]);
      for (let i = 0; i < 40 && context.out !== out; i++) await sleep(50);
      context.interrupt('SIGINT');
      expect(await running).toBe(130);
      expect(context.out).toBe(out);
      await client.close();
    }),
  );
});
