import { KlogError } from '../../errors.js';
import { compileLinearRegExp, type LinearRegExp } from '../record-format/linear-regexp.js';

/** A regular expression of `-r`: anchored to the whole name, and quick with any name. */
export function parseTopicPattern(text: string): Pick<LinearRegExp, 'test'> {
  const [flags = ''] = /^\(\?[ism]+\)/.exec(text) ?? [];
  const body = text.slice(flags.length);
  try {
    // On its own first: `a)|(b` would be one in parentheses.
    new RegExp(body);
  } catch (error) {
    throw new KlogError('KLOG_USAGE', `'${text}' is no regular expression: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return compileLinearRegExp(`${flags}^(?:${body})$`, '-r');
}
