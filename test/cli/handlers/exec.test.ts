import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

const env = { PATH: process.env.PATH ?? '' };
const seen = (log: RealLog) => `${log.directory}/../seen`;
const readSeen = (log: RealLog) => readFileSync(seen(log), 'utf8');

describe('consume --exec', () => {
  it('runs the command for each record, and prints nothing itself', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const command = `printf '%s=' "$KLOG_RECORD_KEY" >> ${seen(log)}; cat >> ${seen(log)}; echo >> ${seen(log)}`;
      const result = await log.run(['consume', 't', '--exec', command], { env });
      expect(result).toMatchObject({ code: 0, out: '', err: '3 records handled\n' });
      expect(readSeen(log)).toBe('k0=v0\nk1=v1\nk2=v2\n');
    }));

  it.each([
    ['--exec', 'sleep 0.05'],
    ['--exec-batch', 'while read line; do sleep 0.05; echo ok; done'],
  ])('gives %s as much time as no timer can be set to', (flag, command) =>
    withLog(async (log) => {
      await log.produce(numbered('t', 2));
      const result = await log.run(['consume', 't', '--retries', '0', '--exec-timeout', '30d', flag, command], { env });
      expect(result).toMatchObject({ code: 0, err: '2 records handled\n' });
    }),
  );

  it.each(['--exec', '--exec-batch'])('refuses to give %s no time at all', (flag) =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      const { code, err } = await log.run(['consume', 't', '--exec-timeout', '0s', flag, 'true'], { env });
      expect({ code, err }).toEqual({ code: 2, err: 'klog: --exec-timeout leaves a command no time\n' });
    }),
  );

  it('knows no key of a record that klog itself was started for', () =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', value: 'v' }]);
      const command = `echo "$KLOG_RECORD_OFFSET $KLOG_RECORD_KEY." >> ${seen(log)}`;
      await log.run(['consume', 't', '--exec', command], { env: { ...env, KLOG_RECORD_KEY: 'outer' } });
      expect(readSeen(log)).toBe('0 .\n');
    }));

  it('stops at the first record that fails for good, and says which', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const command = `echo $KLOG_RECORD_OFFSET >> ${seen(log)}; [ $KLOG_RECORD_OFFSET != 1 ]`;
      const result = await log.run(['consume', 't', '--retries', '1', '--exec', command], { env });
      expect(result.code).toBe(1);
      expect(result.err).toContain('failed on t:0@1: exit code 1 (2 tries)\n');
      expect(result.err).toContain('1 record handled\n');
      expect(readSeen(log)).toBe('0\n1\n1\n');
    }));

  it('tells of each attempt with -v', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      const line = ['consume', 't', '-v', '--retries', '1', '--exec', 'exit 3'];
      expect((await log.run(line, { env })).err).toMatch(/^t:0@0: exit code 3: try 2 in 100 ms\n/);
    }));

  it('goes on with --on-failure skip, and tells what was skipped', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const command = '[ $KLOG_RECORD_OFFSET != 1 ]';
      const line = ['consume', 't', '--retries', '0', '--on-failure', 'skip', '--exec', command];
      const result = await log.run(line, { env });
      expect(result.code).toBe(0);
      expect(result.err).toBe(`'${command}' failed on t:0@1: exit code 1: skipped\n2 records handled, 1 skipped\n`);
    }));

  it('puts what fails for good into --dlq, as it was, with the error behind it', () =>
    withLog(async (log) => {
      const headers = [{ key: 'h', value: null }];
      await log.produce([
        { topic: 't', key: 'k', value: null, headers, timestamp: 5 },
        { topic: 't', value: 'fine' },
      ]);
      const command = 'read line && [ "$line" = fine ]; test "$KLOG_RECORD_KEY" != k';
      const line = ['consume', 't', '--retries', '1', '--dlq', 'bad', '--exec', command];
      const result = await log.run(line, { env });
      expect(result.code).toBe(0);
      expect(result.err).toContain("created topic 'bad' with 1 partition\n");
      expect(result.err).toContain("1 record handled, 1 now in 'bad'\n");
      const letter = JSON.parse((await log.run('consume bad -J')).out);
      expect(letter).toMatchObject({ key: 'k', value: null, timestamp: 5 });
      expect(letter.headers).toEqual([
        { key: 'h', value: null },
        { key: '__connect.errors.topic', value: 't' },
        { key: '__connect.errors.partition', value: '0' },
        { key: '__connect.errors.offset', value: '0' },
        { key: '__connect.errors.exception.class.name', value: 'KLOG_HANDLER_FAILED' },
        { key: '__connect.errors.exception.message', value: 'exit code 1' },
        { key: 'klog.errors.attempts', value: '2' },
      ]);
    }));

  it.each([
    ['--exec', '--on-failure', 'skip'],
    ['--exec', '--dlq', 'dead'],
    ['--exec-batch', '--on-failure', 'skip'],
    ['--exec-batch', '--dlq', 'dead'],
  ])('stops and commits nothing when the command of %s cannot be run at all, whatever %s %s says', (exec, flag, what) =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const line = ['consume', 't', '-g', 'g', '--retries', '1', exec, 'true', flag, what];
      const result = await log.run(line, { env: { PATH: '/nonexistent' } });
      expect(result).toMatchObject({ code: 1, err: expect.stringContaining("'true' cannot be run on t:0@0: ") });
      expect(result.err).toContain('0 records handled\n');
      expect((await log.run('topic list')).out).toBe('t\t1\n');
      expect((await log.run('wait t -g g --lag 2 --timeout 0ms')).code).toBe(5);
    }),
  );

  it('says how much was done, too, when dead letters cannot be made', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 2));
      await log.createTopic('x.y');
      const command = '[ $KLOG_RECORD_OFFSET != 1 ]';
      const result = await log.run(['consume', 't', '--retries', '0', '--dlq', 'x_y', '--exec', command], { env });
      expect(result.code).toBe(2);
      expect(result.err).toMatch(/^1 record handled\nklog: .*x_y.*\n$/);
    }));

  it('takes so many, filters before, and follows for a time', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 4));
      const exec = ['--exec', `cat >> ${seen(log)}`];
      expect((await log.run(['consume', 't', '-n', '2', '-G', '!v1', ...exec], { env })).code).toBe(0);
      expect(readSeen(log)).toBe('v0v2');
      const few = await log.run(['consume', 't', '-n', '9', '--timeout', '30ms', ...exec], { env });
      expect(few).toMatchObject({ code: 5, err: '4 records handled\n' });
    }));

  it('ends while it waits for records when one in hand fails for good', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      const line = ['consume', 't', '-F', '--max-in-flight', '2', '--retries', '0', '--exec', 'sleep 0.1; exit 3'];
      expect((await log.run(line, { env })).code).toBe(1);
    }));

  it('handles several keys at the same time', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 2));
      const mine = `${seen(log)}.$KLOG_RECORD_OFFSET`;
      // Each waits for the other.
      const command = `touch ${mine}; for i in $(seq 500); do [ -e ${seen(log)}.0 ] && [ -e ${seen(log)}.1 ] && exit 0; sleep 0.01; done; exit 1`;
      const line = ['consume', 't', '--max-in-flight', '2', '--retries', '0', '--exec', command];
      expect((await log.run(line, { env })).code).toBe(0);
      expect(existsSync(`${seen(log)}.1`)).toBe(true);
    }));

  it.each([
    [['--retries', '1'], /--retries means nothing without --exec/],
    [['--dlq', 'd'], /--dlq means nothing without --exec/],
    [['--exec', 'cat', '--exec-batch', 'cat'], /exclude each other/],
    [['--exec', 'cat', '-f', '%v'], /exclude each other/],
    [['--exec', 'cat', '-J'], /for --exec-batch/],
    [['--exec', 'cat', '--dlq', 'd', '--on-failure', 'skip'], /exclude each other/],
    [['--exec', 'cat', '--dlq', 't'], /is read itself/],
    [['--exec', 'cat', '--dlq', '__consumer_offsets'], /internal topic/],
    [['--exec', 'cat', '--dump', 'd'], /exclude each other/],
    [['--exec', 'cat', '--max-in-flight', '0'], /at least 1/],
    [['--exec', ''], /--exec names no command/],
    [['--exec-batch', ' '], /--exec-batch names no command/],
    [['--exec-batch', 'cat', '-f', ''], /format is empty/],
  ])('refuses %j', (words, message) =>
    withLog(async (log) => {
      await log.createTopic('t');
      const result = await log.run(['consume', 't', ...words], { env });
      expect(result.code).toBe(2);
      expect(result.err).toMatch(message);
    }),
  );
});

describe('consume --exec-batch', () => {
  it('gives records in the format asked for, and takes a line for each', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const command = `while read -r line; do echo "$line" >> ${seen(log)}; echo ok; done`;
      const result = await log.run(['consume', 't', '-f', '%o %v\\n', '--exec-batch', command], { env });
      expect(result).toMatchObject({ code: 0, out: '', err: '3 records handled\n' });
      expect(readSeen(log)).toBe('0 v0\n1 v1\n2 v2\n');
    }));

  it('starts the command again behind a record that it dies over, which goes to --dlq', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 6));
      const command = `while read -r line; do [ $line = v2 ] && exit 9; echo $line >> ${seen(log)}; echo ok; done`;
      const line = ['consume', 't', '--retries', '1', '--max-in-flight', '4', '--dlq', 'd', '--exec-batch', command];
      const result = await log.run(line, { env });
      expect(result.code).toBe(0);
      expect(result.err).toContain("5 records handled, 1 now in 'd'");
      expect(readSeen(log).split('\n').toSorted().join(' ')).toBe(' v0 v1 v3 v4 v5');
      expect((await log.run('consume d')).out).toBe('v2\n');
    }));
});

describe('a command of --exec-batch that miscounts', () => {
  // Its line too many comes while the record waits to be tried again, and so for none: at once, however slow the
  // machine is.
  const command = "read -r line; printf 'Starting\\nok\\n'; cat > /dev/null";

  it('stops everything, with one line that says what it wrote', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 2));
      const result = await log.run(['consume', 't', '-g', 'g', '--dlq', 'd', '--exec-batch', command], { env });
      expect(result).toMatchObject({ code: 1, out: '' });
      expect(result.err).toContain(
        `klog: '${command}' wrote a line when no record waited for one: ok. It has to write one`,
      );
      expect((await log.run('consume t -g g -f %o --commit none')).out).toBe('01');
      expect((await log.run('consume d')).code).toBe(4);
    }));
});

describe('replay --exec', () => {
  it('has the same handlers', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const line = ['replay', 't', '--from', '1', '--dlq', 'd', '--retries', '0', '--exec', 'exit 1'];
      expect((await log.run(line, { env })).err).toContain("0 records handled, 2 now in 'd'");
      expect((await log.run('consume d')).out).toBe('v1\nv2\n');
    }));
});
