import { chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { OpenClientOptions } from '../../src/cli/cli-context.js';
import { runCommandLine } from '../../src/cli/main.js';
import type { Client } from '../../src/clients/client.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { KlogError } from '../../src/errors.js';
import { FakeContext } from './support/fake-context.js';
import { numbered, withLog } from './support/real-log.js';

/** As where only reading is allowed. */
class ReadableOnly extends FakeContext {
  override async openClient(options: OpenClientOptions): Promise<Client> {
    if (options.readOnly !== true)
      throw new KlogError('KLOG_PERMISSION_DENIED', 'the lock cannot be opened for writing');
    return openClient(options);
  }
}

class WithUpkeep extends FakeContext {
  override async openClient(options: OpenClientOptions): Promise<Client> {
    options.onWarning?.('upkeep of t:0 failed');
    return openClient(options);
  }
}

describe('opening a log', () => {
  it('warns of one that everybody may write to, unless told to be quiet', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      expect((await log.run('topic list')).err).toBe('');
      chmodSync(log.directory, 0o777);
      const { code, out, err } = await log.run('topic list');
      expect({ code, out }).toEqual({ code: 0, out: 't\t1\n' });
      expect(err).toMatch(/^warning: .*\.klog can be written to by everybody.*\n$/);
      expect((await log.run('topic list -q')).err).toBe('');
    }));

  it('says what upkeep in the background could not do as it says all else, or nothing with -q', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      for (const [line, err] of [
        ['topic list', 'warning: upkeep of t:0 failed\n'],
        ['topic list -q', ''],
      ] as const) {
        const context = new WithUpkeep({ env: { KLOG_DIR: log.directory } });
        expect(await runCommandLine(line.split(' '), context)).toBe(0);
        expect(context.err).toBe(err);
      }
    }));

  it('reads one that may not be written, and says of a change why it cannot be made', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 1));
      for (const [line, code, out, err] of [
        ['consume t', 0, 'v0\n', ''],
        ['topic alter t --add 1', 1, '', 'klog: the lock cannot be opened for writing\n'],
        ['topic delete t -y', 1, '', 'klog: the lock cannot be opened for writing\n'],
        ['copy t u', 1, '', 'klog: the lock cannot be opened for writing\n'],
      ] as const) {
        const context = new ReadableOnly({ env: { KLOG_DIR: log.directory } });
        const actual = await runCommandLine(line.split(' '), context);
        expect({ line, code: actual, out: context.out, err: context.err }).toEqual({ line, code, out, err });
      }
    }));
});

describe('a topic that is not there', () => {
  it.each(['list', 'describe', 'delete -y', 'offsets'])(
    'topic %s: the same message, and 2 for an illegal name',
    (verb) =>
      withLog(async (log) => {
        await log.createTopic('orders');
        const { code, err } = await log.run(`topic ${verb} order`);
        expect({ code, err }).toEqual({
          code: 4,
          err: `klog: there is no topic order in ${log.directory}. Did you mean orders?\n`,
        });
        expect((await log.run(`topic ${verb} ../x`)).code).toBe(2);
      }),
  );
});
