import { spawn } from '@lydell/node-pty';
import { describe, expect, it } from 'vitest';
import { KLOG, klog, plainEnvironment } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A line of bash at a terminal of `cols` columns, killed after a minute. */
function atTerminal(cwd: string, cols: number, line: string): Promise<{ code: number; text: string }> {
  const script = `klog() { "${process.execPath}" "${KLOG}" "$@"; }; stty cols ${cols}; ${line}`;
  const terminal = spawn('bash', ['-c', script], { cwd, cols: 80, env: plainEnvironment({ TERM: 'xterm' }) });
  let text = '';
  terminal.onData((data) => {
    // A loop that clears lines for ever must not fill the memory.
    if (text.length < 100_000) text += data;
  });
  const tooLong = setTimeout(() => terminal.kill('SIGKILL'), 60_000);
  return new Promise((resolve) => {
    terminal.onExit(({ exitCode, signal }) => {
      clearTimeout(tooLong);
      resolve({ code: signal ? 128 + signal : exitCode, text });
    });
  });
}

/** Input that goes on until long after progress is shown. */
const SLOW = '(echo one; sleep 2; echo two) | klog produce t';

describe('progress at a terminal', () => {
  it('of records from a pipe is a line that moves, and goes', async () => {
    const cwd = temporaryDirectory();
    const { code, text } = await atTerminal(cwd, 80, SLOW);
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('1 record, ') });
    expect(text).toContain('2 records, ');
    expect(await klog(['consume', 't'], { cwd })).toMatchObject({ code: 0, out: 'one\ntwo\n' });
  });

  it('is not shown where the terminal has no width', async () => {
    const cwd = temporaryDirectory();
    const { code, text } = await atTerminal(cwd, 0, SLOW);
    expect({ code, text }).toMatchObject({ code: 0, text: expect.not.stringContaining('1 record, ') });
    expect(text).toContain('2 records, ');
  });
});
