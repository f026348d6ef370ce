import { describe, expect, it } from 'vitest';
import { KLOG, type RunOptions, shell } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/**
 * A script in a directory of its own. What is to be killed is started without the function `klog`, which would be
 * another process.
 */
async function run(script: string): Promise<string> {
  const cwd = temporaryDirectory();
  const options: RunOptions = { cwd, env: { HOME: cwd } };
  const { out } = await shell(script, options);
  return out;
}

/** Waits in the script until a condition holds; the test's own time limit ends what never comes. */
const until = (condition: string) => `until ${condition}; do sleep 0.05; done`;

describe('three terminals', { timeout: 60_000 }, () => {
  it('share the work; when one is killed the others do what it has left', async () => {
    const out = await run(`
      klog topic create jobs -p 6 2>/dev/null
      for name in a b c; do
        "${process.execPath}" "${KLOG}" consume jobs -F -g work --exec "read n; echo $name \\$n >> done; sleep 0.03" 2>/dev/null &
        eval "$name=$!"
      done
      ${until(`klog group list --json 2>/dev/null | grep -q '"members":3'`)}
      seq 60 | sed 's/.*/&:&/' | klog produce jobs -K :
      ${until(`grep -q '^a' done 2>/dev/null && grep -q '^b' done && grep -q '^c' done`)}
      kill -9 $b
      ${until(`[ "$(cut -d' ' -f2 done | sort -u | wc -l)" = 60 ]`)}
      kill -INT $a $c; wait $a; echo "a $?"; wait $c; echo "c $?"
      klog consume jobs -g work 2>/dev/null | wc -l
      # What was in the hands of the killed one may have been done twice, and nothing else; of those that were interrupted, once more.
      [ "$(wc -l < done)" -le 61 ] && echo once`);
    expect(out).toMatch(/^a 130\nc 130\n[0-3]\nonce\n$/);
  });

  it('go on where the group was, after all of them have ended', async () => {
    const out = await run(`
      seq 3 | klog produce t 2>/dev/null
      klog consume t -g g
      seq 4 5 | klog produce t
      echo; klog consume t -g g
      echo; klog consume t -g another -n 1`);
    expect(out).toBe('1\n2\n3\n\n4\n5\n\n1\n');
  });
});

describe('a member that is stopped', { timeout: 60_000 }, () => {
  it('holds up who is to have its partitions: that is said once, with what ends it', async () => {
    const out = await run(`
      klog topic create t -p 2 2>/dev/null
      seq 4 | sed 's/.*/&:&/' | klog produce t -K :
      "${process.execPath}" "${KLOG}" consume t -F -g g > got 2>/dev/null & stopped=$!
      ${until('[ "$(wc -l < got)" = 4 ]')}
      ${until(`klog group describe g --json | grep -q '"totalLag":0'`)}
      kill -STOP $stopped
      klog consume t -g g -n 1 --timeout 200ms; echo "$?"
      seq 5 8 | sed 's/.*/&:&/' | klog produce t -K :
      "${process.execPath}" "${KLOG}" consume t -g g > bounded 2> err & bounded=$!
      ${until('grep -q stopped err')}
      sed 's/klog-[0-9a-f-]*/M/g; s/process [0-9]*/process P/' err
      sh -c "$(sed "s|.*membership: klog|'${process.execPath}' '${KLOG}'|" err)" 2>/dev/null; echo "$?"
      wait $bounded; echo "$?"; sort bounded; wc -l < err
      kill -CONT $stopped; wait $stopped; echo "$?"`);
    expect(out).toMatch(
      /^5\ngroup 'g': waiting for t:[01] from member M \(process P\), which is stopped\. Continue it, or end its membership: klog group evict g M\n0\n0\n5\n6\n7\n8\n1\n8\n$/,
    );
  });
});

describe('a reader that takes a part', { timeout: 60_000 }, () => {
  it('leaves the rest to be read: nothing is committed once it has gone', async () => {
    const out = await run(`
      seq 100000 | klog produce t 2>/dev/null
      klog consume t -g g | head -1; echo "\${PIPESTATUS[0]}"
      klog consume t -g g | wc -l`);
    expect(out).toBe('1\n0\n100000\n');
  });

  it('commits what it has written when it is interrupted', async () => {
    const out = await run(`
      seq 3 | klog produce t 2>/dev/null
      "${process.execPath}" "${KLOG}" consume t -F -g g > got & pid=$!
      ${until('[ "$(wc -l < got)" = 3 ]')}
      kill -INT $pid; wait $pid; echo "$?"
      seq 4 5 | klog produce t
      klog consume t -g g`);
    expect(out).toBe('130\n4\n5\n');
  });
});

describe('a handler', { timeout: 60_000 }, () => {
  it('ends with klog on Ctrl-C, with all that it started', async () => {
    const out = await run(`
      seq 2 | klog produce t 2>/dev/null
      "${process.execPath}" "${KLOG}" consume t -g g --exec 'sleep 300 & echo $! > child; wait' 2>/dev/null & pid=$!
      ${until('[ -s child ]')}
      kill -INT $pid; wait $pid; echo "$?"
      grep -s '^State' /proc/$(cat child)/status | grep -v zombie; echo gone
      klog consume t -g g`);
    expect(out).toBe('130\ngone\n1\n2\n');
  });

  it('that floods its output, and does not read its input, is as good as any other', async () => {
    const out = await run(`
      seq 3 | klog produce t 2>/dev/null
      klog consume t --exec 'yes | head -c 5000000' 2>/dev/null | wc -c
      klog consume t --exec 'sleep 0.1; head -c 5000000 /dev/zero >&2' 2>&1 >/dev/null | { sleep 1; wc -c; }`);
    expect(out).toBe(`15000000\n${15_000_000 + '3 records handled\n'.length}\n`);
  });

  it('for all records ends of itself when klog is killed', async () => {
    const out = await run(`
      seq 2 | klog produce t 2>/dev/null
      "${process.execPath}" "${KLOG}" consume t -F --exec-batch 'while read n; do echo $n >> got; echo ok; done; echo end >> got' & pid=$!
      ${until('grep -qs 2 got')}
      kill -9 $pid
      ${until('grep -qs end got')}
      cat got`);
    expect(out).toBe('1\n2\nend\n');
  });

  it('that is stopped for good leaves the group at the record that failed', async () => {
    const out = await run(`
      seq 4 | klog produce t 2>/dev/null
      klog consume t -g g --retries 1 --exec 'read n; [ $n != 3 ]' 2> err; echo "$?"
      sed 's/.*failed on/failed on/' err | tail -1
      klog consume t -g g`);
    expect(out).toBe('1\nfailed on t:0@2: exit code 1 (2 tries)\n3\n4\n');
  });
});

describe('failed records', { timeout: 60_000 }, () => {
  it('go to the dead letters, back again, and through', async () => {
    const out = await run(`
      klog topic create orders -p 2 2>/dev/null
      seq 6 | sed 's/.*/&:&/' | klog produce orders -K :
      klog consume orders -g g --retries 0 --dlq dead --exec 'read n; [ $((n % 3)) != 0 ] || [ -e repaired ]' 2>/dev/null
      klog consume dead -f '%k %h{name:__connect.errors.topic}\\n' | sort
      touch repaired
      klog replay dead --to-header __connect.errors.topic 2>/dev/null; echo "$?"
      klog consume orders -g g --exec 'read n; echo again $n >> log' 2>/dev/null; sort log
      klog replay dead --to-header __connect.errors.topic --resume --dry-run`);
    expect(out).toBe("3 orders\n6 orders\n0\nagain 3\nagain 6\nwould send 0 records of 'dead' back\n");
  });
});
