import type { Client } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { topicNames } from '../topic-selection.js';

/**
 * Topics whose records are to go. Internal ones only with `--force`. @throws KlogError UNKNOWN_TOPIC_OR_PARTITION,
 * KLOG_USAGE
 */
export async function namedTopics(
  client: Client,
  options: { readonly topics: readonly string[]; readonly regex?: boolean; readonly force?: boolean },
): Promise<string[]> {
  const admin = client.admin();
  const names = await topicNames(admin, options);
  const internal = new Set(
    (await admin.listTopics({ internal: true })).filter((one) => one.internal).map((one) => one.topic),
  );
  const refused = options.force === true ? undefined : names.find((name) => internal.has(name));
  if (refused === undefined) return names;
  throw new KlogError('KLOG_USAGE', `will not change the internal topic '${refused}'`, {
    topic: refused,
    hint: 'Override with --force',
  });
}
