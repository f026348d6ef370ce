import { describe, expect, it } from 'vitest';
import { run as runLine } from '../support/fake-context.js';
import { MemoryClient } from '../support/memory-client.js';
import { withLog } from '../support/real-log.js';

const client = new MemoryClient().add('orders', 3).add('payments').add('__consumer_offsets');

async function candidates(...words: string[]): Promise<string[]> {
  const { code, out, err } = await runLine(['complete', '--', ...words], { client, cwd: '/', env: { KLOG_DIR: '/' } });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.trimEnd().split('\n');
  expect(lines.at(-1)).toBe(':4');
  return lines.slice(0, -1).map((line) => line.split('\t')[0]!);
}

describe('complete', () => {
  it('offers commands, then verbs', async () => {
    expect(await candidates('top')).toContain('topic');
    expect(await candidates('topic', 'de')).toEqual(['describe', 'delete']);
  });

  it('offers topics, without the internal ones', async () => {
    expect(await candidates('topic', 'describe', '')).toEqual(['orders', 'payments']);
    expect(await candidates('topic', 'describe', 'orders', 'p')).toEqual(['payments']);
  });

  it('offers groups where one is named', () =>
    withLog(async (log) => {
      await log.produce([{ topic: 'orders', value: 'x' }]);
      await log.run('consume orders -g billing');
      const lines = async (...words: string[]) => (await log.run(['complete', '--', ...words])).out.split('\n');
      for (const words of [
        ['consume', 'orders', '-g', ''],
        ['consume', 'orders', '--from-group', 'b'],
        ['wait', 'orders', '-g', ''],
        ['group', 'describe', ''],
        ['group', 'copy', ''],
      ]) {
        expect(await lines(...words)).toEqual(['billing\t', ':4', '']);
      }
      expect(await lines('group', 'seek', 'billing', '')).toContain('orders\t');
    }));

  it('offers no topics where a new one is to be named', async () => {
    expect(await candidates('topic', 'create', '')).toEqual([]);
  });

  it('offers the flags of the command and none of the hidden ones', async () => {
    const flags = await candidates('topic', 'create', '--');
    expect(flags).toEqual(expect.arrayContaining(['--partitions', '--config', '--dir', '--json']));
    expect(flags).not.toContain('--num-partitions');
  });

  it('offers choices', async () => {
    expect(await candidates('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('leaves file names to the shell', async () => {
    const { out } = await runLine(['complete', '--', 'topic', 'list', '-d', 'x'], { client, cwd: '/' });
    expect(out).toBe(':0\n');
  });

  it('has no topics where there is no log, and does not complain', async () => {
    const { code, out, err } = await runLine(['complete', '--', 'topic', 'list', ''], {
      cwd: '/',
      env: { KLOG_DIR: '/nowhere' },
    });
    expect({ code, out, err }).toEqual({ code: 0, out: ':4\n', err: '' });
  });
});
