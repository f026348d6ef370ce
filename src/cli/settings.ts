import { KlogError } from '../errors.js';
import type { CliContext } from './cli-context.js';
import { readConfigFiles } from './config-file.js';

/** Settings that have a flag, an environment variable and a name in the config file. */
const VARIABLES = { format: 'KLOG_FORMAT', acks: 'KLOG_ACKS', 'isolation-level': 'KLOG_ISOLATION_LEVEL' } as const;

export type SettingName = keyof typeof VARIABLES;

/**
 * A setting's value, parsed: of the flag, else the environment, else the config file. A failure names which of them it
 * was.
 */
export async function setting<T>(
  name: SettingName,
  flag: string | undefined,
  context: Pick<CliContext, 'cwd' | 'env'>,
  parse: (text: string) => T | Promise<T>,
): Promise<T | undefined> {
  const found = await find(name, flag, context);
  if (found === undefined) return undefined;
  try {
    return await parse(found.text);
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    throw error.with({ message: `${found.source}: ${error.message}` });
  }
}

async function find(name: SettingName, flag: string | undefined, context: Pick<CliContext, 'cwd' | 'env'>) {
  if (flag !== undefined) return { text: flag, source: `--${name}` };
  const variable = VARIABLES[name];
  const fromEnvironment = context.env[variable];
  if (fromEnvironment) return { text: fromEnvironment, source: variable };
  const text = (await readConfigFiles(context))[name];
  return text === undefined ? undefined : { text, source: `'${name}' of the config file` };
}
