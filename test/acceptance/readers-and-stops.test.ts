import { beforeAll, describe, expect, it } from 'vitest';
import { KLOG, klog, type RunOptions, shell } from '../support/klog-process.js';
import { sharedDirectory } from '../support/temporary-directory.js';

const cwd = sharedDirectory();
const options: RunOptions = { cwd, env: { HOME: cwd } };

beforeAll(async () => {
  await klog(['produce', 't', '--timestamp', '2024-01-01'], { ...options, input: '1\n' });
  await klog(['produce', 't', '--timestamp', '2024-01-02'], { ...options, input: '2\n' });
});

/** Nothing is ever written to `t` again: only its end tells that the reader has gone. */
describe('a reader that goes away while there is nothing to read', { timeout: 60_000 }, () => {
  it.each(['tail -f t', 'consume t -F', 'consume t --timeout 1h', 'replay t --speed 1x'])(
    'ends klog %s, with 0 and without a word',
    async (line) => {
      const { out, err } = await shell(`klog ${line} | head -1; echo "\${PIPESTATUS[0]}"`, options);
      expect({ out, err }).toEqual({ out: '1\n0\n', err: '' });
    },
  );

  it('is not mistaken for one that waits', async () => {
    const follow = 'klog tail -n 0 -f t | { sleep 1; head -1; }';
    const { out } = await shell(`(sleep 2; echo 3 | klog produce t) & ${follow}`, options);
    expect(out).toBe('3\n');
  });

  it('is noticed at a named pipe, too', async () => {
    const script = 'mkfifo out; { head -1 < out > first; } & klog tail -f t -n 1 > out; echo "$?"; cat first';
    expect((await shell(script, options)).out).toMatch(/^0\n\d\n$/);
  });
});

/** `set -m`: a process group of its own, which the kernel lets stop. */
describe('Ctrl-Z', { timeout: 60_000 }, () => {
  it('stops a producer that waits for its input, and others write on', async () => {
    const script = `set -m
      mkfifo in; exec 7<>in
      "${process.execPath}" "$KLOG" produce idle <in 2>/dev/null & pid=$!
      echo one >&7
      until [ "$(klog consume idle 2>/dev/null)" = one ]; do sleep 0.1; done
      kill -TSTP $pid
      bash -c "until grep -q '^State:.T' /proc/$pid/status; do sleep 0.05; done"
      klog produce idle --value two; echo "other $?"
      kill -CONT $pid; echo three >&7
      until [ "$(klog consume idle | wc -l)" = 3 ]; do sleep 0.1; done
      kill -TERM $pid; wait $pid; echo "stopped $?"
      klog consume idle`;
    const { out } = await shell(script, { ...options, env: { ...options.env, KLOG } });
    expect(out).toBe('other 0\nstopped 143\none\ntwo\nthree\n');
  });

  it('in the middle of writing lets go of the locks first', async () => {
    const script = `set -m
      yes 0123456789 | head -c 30000000 > many
      "${process.execPath}" "$KLOG" produce busy --batch-bytes 500 <many 2>/dev/null & pid=$!
      until [ "$(klog topic offsets busy 2>/dev/null | cut -f4)" -gt 100 ] 2>/dev/null; do sleep 0.05; done
      # Not in a loop: bash leaves loops when a job stops.
      one_round() {
        kill -TSTP $pid
        bash -c "until grep -q '^State:.[TZ]' /proc/$pid/status; do sleep 0.02; done"
        klog produce busy --value mine; echo "other $?"
        kill -CONT $pid
        sleep $1
      }
      one_round 0.02; one_round 0.05; one_round 0.08; one_round 0
      kill -TERM $pid; wait $pid; echo "stopped $?"
      klog log check busy > /dev/null; echo "check $?"`;
    const { out } = await shell(script, { ...options, env: { ...options.env, KLOG } });
    expect(out).toBe(`${'other 0\n'.repeat(4)}stopped 143\ncheck 0\n`);
  });
});

describe('a terminal that goes away', { timeout: 60_000 }, () => {
  it.each([
    ['ends klog', '', 'stopped 129\none\n'],
    ['does not end klog under nohup', 'nohup', 'stopped 143\none\ntwo\n'],
  ])('%s', async (_, nohup, expected) => {
    const topic = `hangup${nohup}`;
    const script = `klog produce ${topic} --value one
      ${nohup} "${process.execPath}" "$KLOG" consume ${topic} -F </dev/null >${topic} 2>/dev/null & pid=$!
      until [ -s ${topic} ]; do sleep 0.05; done
      kill -HUP $pid
      klog produce ${topic} --value two
      while kill -0 $pid 2>/dev/null && [ "$(wc -l <${topic})" = 1 ]; do sleep 0.05; done
      kill -TERM $pid 2>/dev/null; wait $pid; echo "stopped $?"
      cat ${topic}`;
    const { out } = await shell(script, { ...options, env: { ...options.env, KLOG } });
    expect(out).toBe(expected);
  });
});
