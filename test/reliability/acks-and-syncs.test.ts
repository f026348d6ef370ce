/**
 * What `--acks` promises, as the kernel sees it: in which order a record is written, synced and told about. Wants
 * strace.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KLOG, klog, plainEnvironment } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const CALLS = 'trace=write,writev,pwrite64,pwritev,fsync,fdatasync';

type Event = 'append' | 'sync' | 'told';

/** Of the system calls that have succeeded, in the order in which they ended. */
function eventsOf(trace: string): Event[] {
  const events: Event[] = [];
  const begun = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (call.endsWith('<unfinished ...>')) {
      begun.set(thread, call);
      continue;
    }
    const text = call.startsWith('<... ') ? `${begun.get(thread)}${call}` : call;
    if (!/ = \d+$/.test(text)) continue;
    if (/^(pwrite64|pwritev|write|writev)\(\d+<[^>]*\.log>/.test(text)) events.push('append');
    else if (/^f(data)?sync\(\d+<[^>]*\.log>/.test(text)) events.push('sync');
    else if (/^writev?\(1</.test(text)) events.push('told');
  }
  return events;
}

async function produce(acks: string, input: string): Promise<Event[]> {
  return await inTemporaryDirectory(async (work) => {
    const options = { cwd: work, env: { HOME: work } };
    await klog(['topic', 'create', 't'], options);
    const trace = join(work, 'trace');
    const tracing = ['-f', '-qq', '-y', '-s', '0', '-o', trace, '-e', CALLS];
    const command = [process.execPath, KLOG, 'produce', 't', '--acks', acks, '--report', '%o\\n'];
    const env = plainEnvironment(options.env);
    const { status } = spawnSync('strace', [...tracing, ...command], { cwd: work, env, input });
    expect(status).toBe(0);
    return eventsOf(readFileSync(trace, 'latin1'));
  });
}

describe.skipIf(!hasStrace)('one record (needs strace)', () => {
  it('all: it is written, then synced, and only then told', async () => {
    expect(await produce('all', 'x\n')).toEqual(['append', 'sync', 'told']);
  });

  it('written: it is told when it is written; its sync is not waited for, but made', async () => {
    const events = await produce('written', 'x\n');
    expect(events.filter((event) => event !== 'sync')).toEqual(['append', 'told']);
    expect(events.filter((event) => event === 'sync')).toHaveLength(1);
  });

  it('none: its telling waits for nothing; it is written and synced all the same', async () => {
    expect((await produce('none', 'x\n')).sort()).toEqual(['append', 'sync', 'told']);
  });
});

describe.skipIf(!hasStrace)('many records (needs strace)', () => {
  it('all: share their syncs, and the last of them is synced before the last is told', async () => {
    const events = await produce('all', 'line\n'.repeat(20_000));
    const syncs = events.filter((event) => event === 'sync').length;
    expect(syncs).toBeGreaterThan(0);
    expect(syncs).toBeLessThan(2_000);
    expect(events.lastIndexOf('append')).toBeLessThan(events.lastIndexOf('sync'));
    expect(events.lastIndexOf('sync')).toBeLessThan(events.lastIndexOf('told'));
  });
});
