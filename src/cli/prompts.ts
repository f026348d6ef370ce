import { KlogError } from '../errors.js';
import type { CliContext } from './cli-context.js';
import { escapeLine } from './terminal-text.js';

/**
 * Goes on only with the user's consent: `-y`, or a yes at the terminal. `plan` says what will be done, to what, and
 * where. Fails with KLOG_USAGE where nobody can be asked, or the answer is no.
 */
export async function confirm(
  plan: string,
  options: { readonly yes?: boolean },
  context: Pick<CliContext, 'stdin' | 'stderr' | 'ask'>,
): Promise<void> {
  if (options.yes === true) return;
  if (!context.stdin.isTerminal || !context.stderr.isTerminal) {
    throw new KlogError('KLOG_USAGE', `will not ${plan} without being told to`, { hint: 'Confirm it with -y' });
  }
  const answer = await context.ask(`${escapeLine(plan.charAt(0).toUpperCase() + plan.slice(1))}?`);
  if (!answer) throw new KlogError('KLOG_USAGE', 'not confirmed, nothing was changed');
}

/** inquirer is loaded only when there is someone to ask. */
export async function askYesNo(question: string): Promise<boolean> {
  const { default: inquirer } = await import('inquirer');
  // Standard output is for data.
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  try {
    const { answer } = await prompt<{ answer: boolean }>([
      { type: 'confirm', name: 'answer', message: question, default: false },
    ]);
    return answer;
  } catch (error) {
    // Ctrl-C at the question ends klog as it does anywhere else.
    if ((error as Error).name === 'ExitPromptError') process.kill(process.pid, 'SIGINT');
    throw error;
  }
}
