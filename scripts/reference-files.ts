import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { ProcessContext } from '../src/cli/cli-context.js';
import type { CommandHost } from '../src/cli/command-host.js';
import { createProgram, defineAll } from '../src/cli/program.js';
import { completionScript, type Shell } from '../src/cli/reference/completion-scripts.js';
import { manPages } from '../src/cli/reference/man-page.js';
import { VERSION } from '../src/cli/version.js';

const COMPLETION_FILES: Readonly<Record<Shell, string>> = { bash: 'klog.bash', zsh: '_klog', fish: 'klog.fish' };

/** Path → text of everything that is rendered from the command tree. */
export async function referenceFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const [shell, name] of Object.entries(COMPLETION_FILES)) {
    files.set(`completions/${name}`, completionScript(shell as Shell));
  }
  const host: CommandHost = { context: new ProcessContext(), exitCode: 0 };
  const program = createProgram(host);
  await defineAll(program, host);
  const toRoff = await loadMarkedMan();
  for (const { name, markdown } of manPages(program)) files.set(`man/${name}.1`, toRoff(name, markdown));
  return files;
}

interface Marked {
  use(extension: object): void;
  parse(markdown: string): string;
}

/** marked comes with marked-man, which extends it. */
async function loadMarkedMan(): Promise<(name: string, markdown: string) => string> {
  const { default: extension } = (await import('marked-man' as string)) as { default: object };
  const require = createRequire(createRequire(import.meta.url).resolve('marked-man'));
  const { Marked: Parser } = (await import(pathToFileURL(require.resolve('marked')).href)) as {
    Marked: new (...extensions: object[]) => Marked;
  };
  return (name, markdown) => {
    // The date would make every day's pages differ.
    const page = { name, section: '1', manual: 'klog', manVersion: VERSION, date: Date.UTC(2026, 0, 1) };
    const marked = new Parser(extension, page);
    return `${marked.parse(markdown).trimEnd()}\n`;
  };
}
