import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OpenClientOptions } from '../../src/cli/cli-context.js';
import { runCommandLine } from '../../src/cli/main.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { FakeContext, type FakeOptions } from '../cli/support/fake-context.js';
import { numbered, RealLog } from '../cli/support/real-log.js';
import { sharedDirectory, temporaryDirectory } from '../support/temporary-directory.js';
import { ON_A_LOG, type PromiseRow, WITHOUT_A_LOG } from './promises.js';

/** Streams in memory, directories of the disk. */
class DiskContext extends FakeContext {
  override openClient(options: OpenClientOptions) {
    return openClient(options);
  }
}

const parent = sharedDirectory();
let cwd: string;

beforeAll(async () => {
  const log = new RealLog(join(parent, 'log'));
  await log.createTopic('t');
  await log.createTopic('m', 3);
  await log.produce(numbered('t', 20));
  await log.produce(numbered('m', 9, 3));
});

beforeEach(() => {
  cwd = temporaryDirectory(parent);
});

async function run(line: string | readonly string[], options: Pick<FakeOptions, 'env' | 'stdin'> = {}) {
  const env = { HOME: parent, ...options.env };
  const context = new DiskContext({ ...options, env, cwd, now: 1_700_001_000_000 });
  const code = await runCommandLine(typeof line === 'string' ? line.split(' ') : line, context);
  return { code, out: context.out, err: context.err };
}

async function keep({ line, stdin, env, code, out, err }: PromiseRow): Promise<void> {
  const result = await run(line, { ...(env && { env }), ...(stdin !== undefined && { stdin: [stdin] }) });
  expect(result).toMatchObject({
    code,
    ...(out !== undefined && { out: typeof out === 'string' ? out : expect.stringMatching(out) }),
    ...(err !== undefined && { err: typeof err === 'string' ? err : expect.stringMatching(err) }),
  });
  if (code === 0 || code === 5) return;
  const told = result.err.split('\n').filter((text) => text.startsWith(line.includes('--json') ? '{' : 'klog: '));
  expect(told.length).toBeGreaterThan(0);
  if (line.includes('--json')) expect(JSON.parse(told[0]!)).toMatchObject({ exit: code });
}

describe('without a log', () => {
  it.each(WITHOUT_A_LOG)('$promise: klog $line', async (row) => {
    await keep(row);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('on a log', () => {
  it.each(ON_A_LOG)('$promise: klog $line', async (row) => {
    cpSync(join(parent, 'log'), join(cwd, '.klog'), { recursive: true });
    await keep(row);
  });

  it.each(['copy m new -o 99:100', 'copy m new -p 7', 'replay m --into new --from 99'])(
    '%s: a range out of bounds is found before the target is made',
    async (line) => {
      cpSync(join(parent, 'log'), join(cwd, '.klog'), { recursive: true });
      expect((await run(line)).code).toBe(4);
      expect((await run('topic list')).out).toBe('m\t3\nt\t1\n');
    },
  );
});

describe('on a damaged log', () => {
  const damages: readonly (readonly [string, (log: string) => void])[] = [
    ['the directory of a partition', (log) => rmSync(join(log, 'log', 't-0'), { recursive: true })],
    ['klog.json', (log) => rmSync(join(log, 'klog.json'))],
    ['a klog.json that can be read', (log) => writeFileSync(join(log, 'klog.json'), '{"formatVers')],
    ['the directory of the partitions', (log) => rmSync(join(log, 'log'), { recursive: true })],
    ['the list of topics', (log) => rmSync(join(log, 'topics'), { recursive: true })],
    ["the topic's own file", (log) => writeFileSync(join(log, 'topics', 't.json'), '')],
  ];
  it.each(damages)('without %s: 7, one line, and what to try', async (_, damage) => {
    cpSync(join(parent, 'log'), join(cwd, '.klog'), { recursive: true });
    damage(join(cwd, '.klog'));
    for (const line of ['consume t', 'produce t --value x', 'topic describe t', 'topic offsets t']) {
      const { code, err } = await run(line);
      expect({ line, code }).toEqual({ line, code: 7 });
      expect(err).toMatch(/^klog: .*(damaged|missing).*\. .*(copy|backup).*\n$/m);
    }
    expect((await run('doctor')).code).toBe(7);
  });
});
