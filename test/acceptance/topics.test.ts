import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { klog, type RunOptions, shell } from '../support/klog-process.js';
import { sharedDirectory } from '../support/temporary-directory.js';

const cwd = sharedDirectory();
const options: RunOptions = { cwd, env: { HOME: cwd } };

describe('topics, from an empty directory to an empty directory', () => {
  it('lists nothing where there is no log, and makes none', async () => {
    const { code, out, err } = await klog(['topic', 'list'], options);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain(join(cwd, '.klog'));
    expect((await klog(['topic', 'describe', 'orders'], options)).code).toBe(4);
  });

  it('creates the log with the first topic, and says where', async () => {
    const { code, out, err } = await klog(
      ['topic', 'create', 'orders', 'payments', '-p', '3', '-c', 'retention.ms=7d'],
      options,
    );
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain(`created topic 'orders' with 3 partitions in ${join(cwd, '.klog')}`);
    expect((await klog(['topic', 'create', 'orders'], options)).code).toBe(1);
    expect((await klog(['topic', 'create', 'orders', '--if-not-exists'], options)).code).toBe(0);
  });

  it('finds the log from below', async () => {
    mkdirSync(join(cwd, 'a', 'b'), { recursive: true });
    const { out } = await klog(['topic', 'list'], { ...options, cwd: join(cwd, 'a', 'b') });
    expect(out).toBe('orders\t3\npayments\t3\n');
  });

  it('describes, alters and looks up offsets', async () => {
    const described = JSON.parse((await klog(['topic', 'describe', 'orders', '--json'], options)).out);
    expect(described[0].configs).toContainEqual({ name: 'retention.ms', value: '604800000', source: 'topic' });
    expect((await klog(['topic', 'alter', 'orders', '--set', 'retention.ms=1d'], options)).code).toBe(2);
    expect(
      (await klog(['topic', 'alter', 'orders', '--set', 'retention.ms=1d', '--add', '1', '-y'], options)).code,
    ).toBe(0);
    expect((await klog(['topic', 'offsets', 'orders'], options)).out).toBe(
      'orders\t0\t0\t0\norders\t1\t0\t0\norders\t2\t0\t0\norders\t3\t0\t0\n',
    );
    expect((await klog(['topic', 'offsets', 'orders:0', '@-1h'], options)).out).toBe('orders\t0\t-\t-\n');
  });

  it('names the nearest topic, and the nearest config', async () => {
    const topic = await klog(['topic', 'describe', 'oders'], options);
    expect(topic.code).toBe(4);
    expect(topic.err).toMatch(/Did you mean '?orders'?\?/);
    const config = await klog(['topic', 'create', 'x', '-c', 'retention.mss=5'], options);
    expect(config.code).toBe(2);
    expect(config.err).toContain('retention.ms');
    expect((await klog(['topic', 'create', 'a/b'], options)).code).toBe(2);
  });

  it('deletes with -y only', async () => {
    expect((await klog(['topic', 'delete', 'orders'], options)).code).toBe(2);
    expect((await klog(['topic', 'delete', '-r', '.*', '-y'], options)).code).toBe(0);
    expect((await klog(['topic', 'list'], options)).out).toBe('');
  });

  it('ends quietly when the reader goes away, and with 1 when the disk is full', async () => {
    expect(await shell('klog --help | true; echo "$PIPESTATUS"', options)).toMatchObject({ out: '0\n', err: '' });
    const full = await shell('klog --help > /dev/full', options);
    expect(full).toMatchObject({ code: 1, out: '' });
    expect(full.err).toMatch(/^klog: writing standard output: no space left on device.*\n$/);
  });

  it('refuses a path that cannot be a directory with 1', async () => {
    const { code, err } = await klog(['-d', '/dev/null', 'topic', 'list'], options);
    expect(code).toBe(1);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});
