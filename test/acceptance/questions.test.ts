import { spawn } from '@lydell/node-pty';
import { beforeEach, describe, expect, it } from 'vitest';
import { KLOG, klog, plainEnvironment } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let cwd: string;

beforeEach(async () => {
  cwd = temporaryDirectory();
  await klog(['topic', 'create', 'orders'], { cwd });
});

/** Types `answer` at a terminal when the question is there. */
function atTerminal(args: readonly string[], answer: string): Promise<{ code: number; text: string }> {
  const terminal = spawn(process.execPath, [KLOG, ...args], {
    cwd,
    cols: 200,
    env: plainEnvironment({ TERM: 'xterm' }),
  });
  let text = '';
  let isAsked = false;
  terminal.onData((data) => {
    text += data;
    if (isAsked || !text.includes('(y/N)')) return;
    isAsked = true;
    terminal.write(answer);
  });
  return new Promise((resolve) => {
    terminal.onExit(({ exitCode, signal }) => resolve({ code: signal ? 128 + signal : exitCode, text }));
  });
}

const topics = async () => (await klog(['topic', 'list'], { cwd })).out;

describe('a question at the terminal', () => {
  it('names what goes, and takes yes', async () => {
    const { code, text } = await atTerminal(['topic', 'delete', 'orders'], 'y\r');
    expect(text).toContain("Delete topic 'orders' (1 partition) in");
    expect(code).toBe(0);
    expect(await topics()).toBe('');
  });

  it('takes no, which is its default', async () => {
    expect((await atTerminal(['topic', 'delete', 'orders'], '\r')).code).toBe(2);
    expect(await topics()).toBe('orders\t1\n');
  });

  it('ends with 130 at Ctrl-C', async () => {
    expect((await atTerminal(['topic', 'delete', 'orders'], '\u0003')).code).toBe(130);
    expect(await topics()).toBe('orders\t1\n');
  });
});
