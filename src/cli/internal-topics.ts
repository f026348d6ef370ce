import { KlogError } from '../errors.js';
import { isInternalTopic } from '../format/topic-name.js';

/** Kafka keeps its own books in these topics: who writes to them, or changes them, has to say so. KLOG_USAGE. */
export function refuseInternal(topic: string, force: boolean | undefined, verb: string): void {
  if (force === true || !isInternalTopic(topic)) return;
  throw new KlogError(
    'KLOG_USAGE',
    `will not ${verb} the internal topic '${topic}': klog itself keeps its books there`,
    {
      topic,
      hint: 'Override with --force',
    },
  );
}
