import { describe, expect, it } from 'vitest';
import { KLOG, shell } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/**
 * A script in a directory of its own. What is to be stopped is started without the function `klog`, which would be
 * another process.
 */
async function run(script: string): Promise<string> {
  const cwd = temporaryDirectory();
  return (await shell(script, { cwd, env: { HOME: cwd } })).out;
}

const until = (condition: string) => `until ${condition}; do sleep 0.05; done`;

describe('a member whose process is stopped', { timeout: 60_000 }, () => {
  it('is shown as stalled, keeps what it has, and is evicted', async () => {
    const out = await run(`
      seq 4 | klog produce jobs 2>/dev/null
      "${process.execPath}" "${KLOG}" consume jobs -F -g work > got 2>/dev/null & pid=$!
      ${until('[ "$(wc -l < got)" = 4 ]')}
      klog group describe work --section members | cut -f3
      kill -STOP $pid
      ${until('klog group describe work --section members | cut -f3 | grep -q stalled')}
      [ "$(klog group describe work --section members | cut -f4)" = $pid ] && echo 'its process is named'
      klog group seek work --to start -y 2>/dev/null; echo "$?"
      klog group evict work "$(klog group describe work --section members | cut -f2)" 2>/dev/null; echo "$?"
      klog group seek work jobs --to 2 -y -q | cut -f4
      klog consume jobs -g work
      kill -CONT $pid; wait $pid; echo "$?"
      klog group describe work --section offsets | cut -f4`);
    expect(out).toBe('alive\nits process is named\n8\n0\n2\n3\n4\n8\n4\n');
  });
});

describe('a group', { timeout: 60_000 }, () => {
  it('is moved back to a time, with the plan shown first, and its consumers do that again', async () => {
    const out = await run(`
      for n in 1 2 3 4; do echo "170000000$n"000:$n; done | klog produce t -f '%d:%v\\n' 2>/dev/null
      klog consume t -g g | wc -l
      klog group seek g --to @1700000003 --dry-run 2>/dev/null
      klog group seek g --to @1700000003 2>&1 | sed 's/in [^ ]*:/in DIR:/'
      klog group seek g --to @1700000003 -y 2>/dev/null
      klog consume t -g g
      klog group describe g --json | tr ',' '\\n' | grep -c '"lag":0'`);
    expect(out).toBe(
      "4\nt\t0\t4\t2\t2\nklog: will not move group 'g' in DIR: t:0 from 4 to 2 without being told to. Confirm it with -y.\n" +
        't\t0\t4\t2\t2\n3\n4\n1\n',
    );
  });
});
