/**
 * Offsets as Kafka's `kafka-consumer-groups --export` writes and `--from-file` reads them: `topic,partition,offset`, or
 * with the group before these three where there are several.
 */
import type { NewGroupOffset } from '../../clients/group-admin.js';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';

export function offsetsToCsv(offsets: readonly NewGroupOffset[]): string {
  return offsets.map(({ topic, partition, offset }) => `${topic},${partition},${offset}\n`).join('');
}

/** @param groupId lines of other groups are passed over @throws KlogError KLOG_BAD_INPUT with the line */
export function parseOffsetsCsv(text: string, groupId: string, file: string): NewGroupOffset[] {
  const offsets: NewGroupOffset[] = [];
  const seen = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    // No topic's name holds a comma; a group's id may.
    const [, group, topic, partition, offset] =
      /^(?:(.*),)?\s*"?([^",\s]+)"?\s*,\s*"?(\d{1,9})"?\s*,\s*"?(\d{1,16})"?\s*$/.exec(line) ?? [];
    const place = { file, line: index + 1 };
    if (topic === undefined || !Number.isSafeInteger(Number(offset))) {
      throw new KlogError('KLOG_BAD_INPUT', `'${line.slice(0, 80)}' is no offset`, {
        ...place,
        hint: 'Lines look like topic,partition,offset',
      });
    }
    if (group !== undefined && unquoted(group) !== groupId) continue;
    validateTopicName(topic);
    if (seen.has(`${topic}:${partition}`)) {
      throw new KlogError('KLOG_BAD_INPUT', `${topic}:${partition} comes a second time`, place);
    }
    seen.add(`${topic}:${partition}`);
    offsets.push({ topic, partition: Number(partition), offset: Number(offset) });
  }
  return offsets;
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  return trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1).replaceAll('""', '"') : trimmed;
}
