/** What `work` prints by `console.log`, the only way that @bomb.sh/tab gives its answers; klog's output is its own. */
export function captureLog(work: () => void): string {
  const lines: string[] = [];
  const target: { log: (text: string) => void } = globalThis.console;
  const { log } = target;
  target.log = (text) => lines.push(text);
  try {
    work();
  } finally {
    target.log = log;
  }
  return `${lines.join('\n')}\n`;
}
