import type { CliContext } from './cli-context.js';
import { readConfigFiles } from './config-file.js';

/** Settings that have a flag, an environment variable and a name in the config file. */
const VARIABLES = { format: 'KLOG_FORMAT', acks: 'KLOG_ACKS', 'isolation-level': 'KLOG_ISOLATION_LEVEL' } as const;

export type SettingName = keyof typeof VARIABLES;

/** Flag, else environment, else config file. Whoever uses the value checks it. */
export async function setting(
  name: SettingName,
  flag: string | undefined,
  context: Pick<CliContext, 'cwd' | 'env'>,
): Promise<string | undefined> {
  return flag ?? (context.env[VARIABLES[name]] || undefined) ?? (await readConfigFiles(context))[name];
}
