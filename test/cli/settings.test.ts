import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inTemporaryDirectory } from '../support/temporary-directory.js';
import { run } from './support/fake-context.js';
import { MemoryClient } from './support/memory-client.js';

describe('a setting that cannot be', () => {
  it.each([
    ['produce t --acks some', {}, "--acks: 'some' is none of all, written, none"],
    ['produce t', { KLOG_ACKS: 'some' }, "KLOG_ACKS: 'some' is none of"],
    ['consume t --isolation-level x', {}, "--isolation-level: 'x' is no isolation level"],
    ['consume t', { KLOG_ISOLATION_LEVEL: 'x' }, "KLOG_ISOLATION_LEVEL: 'x' is no isolation level"],
    ['consume t', { KLOG_FORMAT: '%q' }, 'KLOG_FORMAT: Bad format at position 1'],
    ['tail t --format %q', { KLOG_FORMAT: '%v' }, 'Bad format at position 1'],
    ['produce t --value v --timestamp soon', {}, "--timestamp: 'soon' is no time"],
  ])('%s, %j: exit code 2, and where it was said', async (line, env, message) => {
    const client = new MemoryClient().add('t', 1);
    const { code, out, err } = await run(line, { client, env: { KLOG_DIR: '/', ...env } });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.startsWith(`klog: ${message}`) ? message : err).toBe(message);
  });

  it('names the config file', () =>
    inTemporaryDirectory(async (cwd) => {
      writeFileSync(join(cwd, 'klog.config.json'), '{"acks":"some"}');
      const { err } = await run('produce t', {
        cwd,
        client: new MemoryClient().add('t', 1),
        env: { KLOG_DIR: '/', HOME: cwd },
      });
      expect(err).toMatch(/^klog: 'acks' of the config file: 'some' is none of/);
    }));
});
