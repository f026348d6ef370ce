import { KlogError } from '../errors.js';

/** Two options, or other ways to say something, of which only one may be given. */
export function exclude(one: string, other: string): never {
  throw new KlogError('KLOG_USAGE', `${one} and ${other} exclude each other`, { hint: 'Give one of the two' });
}

export function need(one: string, other: string): never {
  throw new KlogError('KLOG_USAGE', `${one} means nothing without ${other}`);
}

/** Parses the value of an option; a failure names the option. */
export function namingOption<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    throw error.with({ message: `${name}: ${error.message}` });
  }
}
