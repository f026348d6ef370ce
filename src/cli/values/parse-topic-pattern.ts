import { KlogError } from '../../errors.js';
import { compileLinearRegExp, type LinearRegExp } from '../record-format/linear-regexp.js';

/** The same for a client, which anchors it, once it has been checked: what stands before it in `(?i)` are its flags. */
export function topicRegExp(text: string): RegExp {
  const [flags = ''] = /^\(\?[ism]+\)/.exec(text) ?? [];
  return new RegExp(text.slice(flags.length), flags.slice(2, -1));
}

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
