import type { CliContext } from './cli-context.js';

export interface Style {
  heading(text: string): string;
  warning(text: string): string;
  faint(text: string): string;
}

const plain: Style = { heading: (text) => text, warning: (text) => text, faint: (text) => text };

/** Colour: on terminals that can, unless `NO_COLOR` is set; elsewhere only where `FORCE_COLOR` asks for it. */
export function wantsColor(isTerminal: boolean, env: CliContext['env']): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return isTerminal && env.TERM !== 'dumb';
}

/** chalk is loaded only where there is colour. */
export async function styleFor(output: { readonly isTerminal: boolean }, env: CliContext['env']): Promise<Style> {
  if (!wantsColor(output.isTerminal, env)) return plain;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return { heading: chalk.bold, warning: chalk.yellow, faint: chalk.dim };
}
