import { KlogError } from '../../errors.js';

/** A regular expression of `-r`: anchored to the whole name. */
export function parseTopicPattern(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`, 'u');
  } catch (error) {
    throw new KlogError('KLOG_USAGE', `'${text}' is no regular expression: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
