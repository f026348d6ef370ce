import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inputFile } from '../../src/cli/handlers/input-file.js';
import { processGroupLives } from '../../src/cli/handlers/process-group-lives.js';
import { BatchHandler } from '../../src/handlers/batch-handler.js';
import { CommandHandler, type CommandOptions } from '../../src/handlers/command-handler.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { record } from './support.js';

const env = { PATH: process.env.PATH };

function options(command: string, more: Partial<CommandOptions> = {}): CommandOptions {
  return {
    command,
    env,
    signal: new AbortController().signal,
    stopSignal: () => 'SIGINT',
    groupLives: processGroupLives,
    inputFile,
    ...more,
  };
}

async function reasonOf(command: string, more: Partial<CommandOptions> = {}): Promise<string | undefined> {
  const failure = await new CommandHandler(options(command, more)).handle(record(0));
  return failure?.reason;
}

/** Whether a process is there, and no mere remainder that nobody has waited for. */
function runs(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a command for each record', () => {
  it('acknowledges by exit code 0, whether it has read its input or not', async () => {
    expect(await reasonOf('cat > /dev/null')).toBeUndefined();
    const input = Buffer.alloc(1024 * 1024);
    expect(await new CommandHandler(options('true')).handle(record(0, { input }))).toBeUndefined();
  });

  it('has all of the value before it begins, and from its beginning', async () => {
    const file = join(temporaryDirectory(), 'got');
    const input = Buffer.alloc(3_000_000, 'abc');
    expect(await new CommandHandler(options(`cat > ${file}`)).handle(record(0, { input }))).toBeUndefined();
    expect(readFileSync(file).equals(input)).toBe(true);
    // No pipe: what is in it does not depend on who writes it.
    expect(await reasonOf('test -f /dev/stdin')).toBeUndefined();
  });

  it('reads nothing where the value is null or empty', async () => {
    const handler = new CommandHandler(options('test -z "$(cat)"'));
    expect(await handler.handle(record(0, { input: new Uint8Array(0) }))).toBeUndefined();
  });

  it('fails by any other exit code, and by death', async () => {
    expect(await reasonOf('exit 3')).toBe('exit code 3');
    expect(await reasonOf('kill -9 $$')).toBe('ended by SIGKILL');
    expect(await reasonOf('no-such-command-anywhere 2> /dev/null')).toBe('exit code 127');
  });

  it('ends with all that it started when it is too late', async () => {
    const pids = join(temporaryDirectory(), 'pids');
    // The child ignores the request to end.
    const command = `sh -c "trap '' TERM; echo \\$\\$ > ${pids}; while :; do sleep 0.05; done" & wait`;
    expect(await reasonOf(command, { timeoutMs: 150 })).toBe('it took longer than 150 ms');
    expect(runs(readFileSync(pids, 'utf8').trim())).toBe(false);
  });

  it('may leave something running in the background', async () => {
    const pids = join(temporaryDirectory(), 'pids');
    expect(await reasonOf(`sleep 30 & echo $! > ${pids}`)).toBeUndefined();
    const pid = readFileSync(pids, 'utf8').trim();
    expect(runs(pid)).toBe(true);
    process.kill(Number(pid));
  });

  it('is told by the same signal when klog is stopped, and may still acknowledge', async () => {
    const directory = temporaryDirectory();
    const stopped = new AbortController();
    const started = join(directory, 'started');
    const command = `trap 'echo INT > ${directory}/got; exit 0' INT; touch ${started}; while :; do sleep 0.02; done`;
    const handling = reasonOf(command, { signal: stopped.signal });
    await waitFor(() => existsSync(started));
    stopped.abort();
    expect(await handling).toBeUndefined();
    expect(readFileSync(join(directory, 'got'), 'utf8')).toBe('INT\n');
  });

  it('is told what failed where it could not even be started', async () => {
    const key = Buffer.alloc(200_000, 'k');
    const failure = await new CommandHandler(options('true')).handle(record(0, { key }));
    expect(failure).toEqual({ reason: 'its key and headers do not fit into an environment', isBlamed: true });
  });

  it('that cannot be run at all says so, for that is not the fault of the record', async () => {
    const noShell = { env: { PATH: '/nonexistent' } };
    for (const handler of [
      new CommandHandler(options('true', noShell)),
      new BatchHandler(options('true', noShell)),
      new CommandHandler(
        options('true', {
          inputFile: () => {
            throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
          },
        }),
      ),
    ]) {
      expect(await handler.handle(record(0))).toMatchObject({ isBlamed: true, neverBegan: true });
    }
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a command for all records', () => {
  const batch = (command: string, more: Partial<CommandOptions> = {}) => new BatchHandler(options(command, more));

  it('is started once, reads records as they come and answers line by line', async () => {
    const seen = join(temporaryDirectory(), 'seen');
    const handler = batch(`echo run >> ${seen}; while read line; do echo "$line" >> ${seen}; echo ok; done`);
    for (let offset = 0; offset < 3; offset++) expect(await handler.handle(record(offset))).toBeUndefined();
    await handler.close(false);
    expect(readFileSync(seen, 'utf8')).toBe('run\nv0\nv1\nv2\n');
  });

  it('reads its head first, at each start', async () => {
    const seen = join(temporaryDirectory(), 'seen');
    const command = `while read line; do echo "$line" >> ${seen}; case $line in v0) echo ok;; v1) exit;; esac; done`;
    const handler = new BatchHandler({ ...options(command), preamble: Buffer.from('head\n') });
    await handler.handle(record(0));
    await handler.handle(record(1));
    await handler.handle(record(0));
    await handler.close(false);
    expect(readFileSync(seen, 'utf8')).toBe('head\nv0\nv1\nhead\nv0\n');
  });

  it('says why a record failed, and goes on', async () => {
    const handler = batch('while read line; do [ "$line" = v1 ] && echo "no such user" || echo ok; done');
    const answers = await Promise.all([0, 1, 2].map((offset) => handler.handle(record(offset))));
    expect(answers).toEqual([undefined, { reason: 'no such user', isBlamed: true }, undefined]);
    await handler.close(false);
  });

  it('that ends early blames the first record without an answer, and is started again', async () => {
    const handler = batch('read line; echo ok; read line; exit 7');
    const answers = await Promise.all([0, 1, 2].map((offset) => handler.handle(record(offset))));
    expect(answers).toEqual([
      undefined,
      { reason: 'it ended before it acknowledged the record: exit code 7', isBlamed: true },
      { reason: 'it ended before it acknowledged the record: exit code 7', isBlamed: false },
    ]);
    expect(await handler.handle(record(2))).toBeUndefined();
  });

  it('that is killed fails the record in hand', async () => {
    const handler = batch('read line; kill -9 $$');
    expect(await handler.handle(record(0))).toEqual({
      reason: 'it ended before it acknowledged the record: ended by SIGKILL',
      isBlamed: true,
    });
    await handler.close(false);
  });

  it('that hangs is ended, with all that it started, and started again', async () => {
    const pids = join(temporaryDirectory(), 'pids');
    const command = `read line; [ "$line" = v1 ] && { sleep 30 & echo $! > ${pids}; wait; }; echo ok; cat > /dev/null`;
    const handler = batch(command, { timeoutMs: 200 });
    expect(await handler.handle(record(1))).toEqual({ reason: 'it took longer than 200 ms', isBlamed: true });
    expect(runs(readFileSync(pids, 'utf8').trim())).toBe(false);
    expect(await handler.handle(record(0))).toBeUndefined();
    await handler.close(false);
  });

  it('that writes a line when no record waits for one is ended, and gets no other record', async () => {
    const runs = join(temporaryDirectory(), 'runs');
    const chatty = batch(`echo run >> ${runs}; read line; printf 'ok\\nok\\n'; read line; echo ok; sleep 30`);
    expect(await chatty.handle(record(0))).toBeUndefined();
    expect(await chatty.broken).toMatchObject({
      code: 'KLOG_HANDLER_FAILED',
      message: expect.stringMatching(/ wrote a line when no record waited for one: ok$/),
    });
    expect(await chatty.handle(record(1))).toEqual({ reason: 'the command miscounts', isBlamed: false });
    expect(readFileSync(runs, 'utf8')).toBe('run\n');
    await chatty.close(false).catch(() => {});
  });

  it('may name the record it acknowledges, and naming another acknowledges none', async () => {
    const handler = batch(`while read line; do echo "ok t:0@$(echo $line | tr -d v)"; done`);
    expect(await handler.handle(record(0))).toBeUndefined();
    expect(await handler.handle(record(1))).toBeUndefined();
    await handler.close(false);
    // Its line for the first record has come too late for it, and in time for the second.
    const late = batch('read line; echo ok t:0@0; echo ok t:0@0; cat > /dev/null');
    const answers = Promise.all([late.handle(record(0)), late.handle(record(1))]);
    expect((await late.broken).message).toContain('acknowledged t:0@0 when t:0@1 was next');
    expect(await answers).toMatchObject([undefined, { isBlamed: false }]);
    await late.close(false).catch(() => {});
  });

  it('that writes a line without an end is not believed', async () => {
    const endless = batch("read line; head -c 100000 /dev/zero | tr '\\0' x; sleep 30");
    expect(await endless.handle(record(0))).toEqual({
      reason: 'it wrote a line that is too long for an acknowledgement',
      isBlamed: true,
    });
    await endless.close(false).catch(() => {});
  });

  it('may leave something running that writes when it is long gone', async () => {
    const directory = temporaryDirectory();
    const late = 'until [ -e go ]; do sleep 0.01; done; echo late; touch done';
    const handler = batch(`cd ${directory}; (${late}) & read line; echo ok`);
    expect(await handler.handle(record(0))).toBeUndefined();
    await handler.close(false);
    writeFileSync(join(directory, 'go'), '');
    await waitFor(() => existsSync(join(directory, 'done')));
    const silence = new Promise((resolve) => setTimeout(resolve, 50, 'nothing is broken'));
    expect(await Promise.race([handler.broken, silence])).toBe('nothing is broken');
  });

  it('fails at its end where that is a bad one, although all is acknowledged', async () => {
    const handler = batch('read line; echo ok; cat > /dev/null; exit 4');
    expect(await handler.handle(record(0))).toBeUndefined();
    await expect(handler.close(false)).rejects.toThrow('failed after its last record: exit code 4');
  });

  it('need not end within any time unless that was asked for', async () => {
    const handler = batch('read line; echo ok; cat > /dev/null; while :; do sleep 0.05; done', { timeoutMs: 100 });
    expect(await handler.handle(record(0))).toBeUndefined();
    await expect(handler.close(false)).rejects.toThrow('it took longer than 100 ms');
  });

  it('is told by the same signal when klog is stopped', async () => {
    const stopped = new AbortController();
    const started = join(temporaryDirectory(), 'started');
    const handler = batch(`read line; touch ${started}; exec sleep 30`, { signal: stopped.signal });
    const handling = handler.handle(record(0));
    await waitFor(() => existsSync(started));
    stopped.abort();
    expect((await handling)?.reason).toContain('SIGINT');
    expect(await handler.handle(record(1))).toEqual({ reason: 'klog was stopped', isBlamed: false });
    await handler.close(false);
  });
});
