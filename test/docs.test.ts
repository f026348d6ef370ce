import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KLOG, shell } from './support/klog-process.js';
import { sharedDirectory } from './support/temporary-directory.js';

/**
 * Runs the documentation. A ```console block is a shell session: lines after "$ " are commands (continued after "> "),
 * what follows is what they print. `…` stands for anything within a line, a line of only `…` for any lines. The blocks
 * of a document share a directory and run in order.
 */
const root = resolve(import.meta.dirname, '..');

interface Step {
  readonly command: string;
  readonly expected: string;
  readonly line: number;
}

function sessions(document: string): Step[] {
  const steps: Step[] = [];
  let inside = false;
  let command: string | undefined;
  let expected: string[] = [];
  let at = 0;
  const finish = () => {
    if (command !== undefined) steps.push({ command, expected: expected.join('\n'), line: at });
    command = undefined;
    expected = [];
  };
  document.split('\n').forEach((text, index) => {
    if (!inside) {
      inside = text === '```console';
      return;
    }
    if (text === '```') {
      finish();
      inside = false;
    } else if (text.startsWith('$ ')) {
      finish();
      command = text.slice(2);
      at = index + 1;
    } else if (text.startsWith('> ') && expected.length === 0 && command !== undefined) {
      command += `\n${text.slice(2)}`;
    } else {
      expected.push(text);
    }
  });
  return steps;
}

function pattern(expected: string): RegExp {
  const escaped = expected
    .split('\n')
    .map((line) => (line === '…' ? '[^]*?' : line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')))
    .join('\n');
  return new RegExp(`^${escaped}$`);
}

describe.each(['README.md'])('%s does what it says', (name) => {
  const steps = sessions(readFileSync(join(root, name), 'utf8'));
  const directory = sharedDirectory();
  // A command and no function of the shell: `$!` is klog itself.
  const commands = sharedDirectory();
  writeFileSync(join(commands, 'klog'), `#!/bin/sh\nexec "${process.execPath}" "${KLOG}" "$@"\n`, { mode: 0o755 });

  it('has commands', () => {
    expect(steps.length).toBeGreaterThan(5);
  });

  it.each(steps.map((step) => [`line ${step.line}: ${step.command.split('\n')[0]}`, step] as const))(
    '%s',
    async (_, step) => {
      const env = { HOME: directory, NO_COLOR: '1', PATH: `${commands}:${process.env.PATH}` };
      const { out } = await shell(`unset -f klog; exec 2>&1; ${step.command}`, { cwd: directory, env });
      expect(out.replace(/\n$/, '')).toMatch(pattern(step.expected));
    },
  );
});
