import { Argument, type Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import type { ExitCode } from '../exit-code.js';
import { completionScript, SHELLS, type Shell } from '../reference/completion-scripts.js';

export function defineCompletion(completion: Command, host: CommandHost): void {
  const shell = new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS);
  const command = describeCommand(completion.addArgument(shell), {
    summary: 'print the script that completes commands, flags and topics',
    examples: [
      { command: 'source <(klog completion bash)', does: 'in ~/.bashrc' },
      { command: 'mkdir -p ~/.zfunc && klog completion zsh > ~/.zfunc/_klog', does: 'with ~/.zfunc in $fpath' },
      {
        command: 'mkdir -p ~/.config/fish/completions && klog completion fish > ~/.config/fish/completions/klog.fish',
        does: 'fish loads it by itself',
      },
    ],
  });
  onAction(command, host, (_, [name]) => runCompletion({ shell: name as Shell }, host.context));
}

export async function runCompletion(options: { readonly shell: Shell }, context: CliContext): Promise<ExitCode> {
  context.stdout.appendText(completionScript(options.shell));
  return 0;
}
