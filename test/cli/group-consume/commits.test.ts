import { describe, expect, it } from 'vitest';
import { committingMeanwhile } from '../../../src/cli/group-consume/commit-timer.js';
import { OffsetCommits } from '../../../src/cli/group-consume/offset-commits.js';
import type { OffsetToCommit } from '../../../src/clients/group-consumer.js';

const at = (offset: number, partition = 0): OffsetToCommit => ({ topic: 't', partition, offset });

function recorded() {
  const commits: (readonly OffsetToCommit[])[] = [];
  const gates: (() => void)[] = [];
  const offsets = new OffsetCommits(async (wanted) => {
    commits.push(wanted);
    await new Promise<void>((resolve) => gates.push(resolve));
  });
  return { offsets, commits, finish: () => gates.shift()?.() };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('commits of a group', () => {
  it('are one at a time, each of all that has come meanwhile', async () => {
    const { offsets, commits, finish } = recorded();
    offsets.put(at(1));
    const first = offsets.flush();
    await turn();
    offsets.put(at(2));
    offsets.put(at(7, 1));
    offsets.put(at(3));
    const [second, third] = [offsets.flush(), offsets.flush()];
    await turn();
    expect(commits).toEqual([[at(1)]]);
    finish();
    await first;
    await turn();
    finish();
    await Promise.all([second, third]);
    expect(commits).toEqual([[at(1)], [at(3), at(7, 1)]]);
  });

  it('leave out what is committed already', async () => {
    const { offsets, commits, finish } = recorded();
    offsets.begin(at(5));
    offsets.put(at(5));
    await offsets.flush();
    offsets.put(at(6));
    const flushed = offsets.flush();
    await turn();
    finish();
    await flushed;
    offsets.put(at(6));
    await offsets.flush();
    expect(commits).toEqual([[at(6)]]);
  });

  it('are made again of what could not be committed, and of nothing that went to somebody else meanwhile', async () => {
    const commits: (readonly OffsetToCommit[])[] = [];
    const offsets: OffsetCommits = new OffsetCommits(async (wanted) => {
      commits.push(wanted);
      if (commits.length === 1) throw new Error('somebody holds the lock');
      offsets.drop([{ topic: 't', partition: 1 }]);
    });
    offsets.put(at(1));
    offsets.put(at(7, 1));
    await expect(offsets.flush()).rejects.toThrow('somebody holds the lock');
    offsets.put(at(2));
    await offsets.flush();
    await offsets.flush();
    // Another has had it, and it is back where it was.
    offsets.put(at(7, 1));
    await offsets.flush();
    expect(commits).toEqual([[at(1), at(7, 1)], [at(2), at(7, 1)], [at(7, 1)]]);
  });

  it('leave out partitions that belong to somebody else', async () => {
    const { offsets, commits } = recorded();
    offsets.put(at(1));
    offsets.drop([{ topic: 't', partition: 0 }]);
    await offsets.flush();
    expect(commits).toEqual([]);
  });

  it('that fail are told to whoever waits for them, and the next one is tried', async () => {
    let attempts = 0;
    const offsets = new OffsetCommits(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('no member any more');
    });
    offsets.put(at(1));
    await expect(offsets.flush()).rejects.toThrow('no member any more');
    offsets.put(at(2));
    await offsets.flush();
    expect(attempts).toBe(2);
  });
});

describe('commits now and then', () => {
  it('end the work when one fails, and say why', async () => {
    const stop = new AbortController();
    const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
    const commit = () => Promise.reject(new Error('evicted'));
    await expect(committingMeanwhile(commit, stop, () => stopped)).rejects.toThrow('evicted');
  });
});
