/** Works out where a group is moved to, partition by partition, before anything is. */
import type { Admin } from '../../clients/admin.js';
import type { TopicPartition } from '../../clients/client.js';
import type { GroupDescription, NewGroupOffset } from '../../clients/group-admin.js';
import { partitionName } from '../../clients/partition-name.js';
import { KlogError } from '../../errors.js';
import type { SeekTarget } from './seek-target.js';
import { type PartitionSelection, selectPartitions } from './select-partitions.js';

/** What one partition's committed offset was and is to be. */
export interface PlannedMove extends TopicPartition {
  /** `undefined`: unknown. */
  readonly topicId: string | undefined;
  /** -1: nothing is committed. */
  readonly before: number;
  readonly after: number;
  /** What remains then. */
  readonly lag: number;
  /** The offset that was asked for, where it lies outside the log. */
  readonly clampedFrom?: number;
}

export interface SeekRequest extends PartitionSelection {
  readonly group: string;
  readonly target: SeekTarget;
  /** What the file holds, for a target that is one. */
  readonly fileOffsets?: readonly NewGroupOffset[];
}

interface Wanted extends TopicPartition {
  readonly offset: number;
}

/** @throws KlogError GROUP_ID_NOT_FOUND, KLOG_NOT_FOUND, OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION */
export async function planSeek(admin: Admin, request: SeekRequest): Promise<PlannedMove[]> {
  const group = await describeIfThere(admin, request);
  const committed = new Map((group?.offsets ?? []).map((one) => [partitionName(one), one.committedOffset]));
  const wanted = await wantedOffsets(admin, request, group, committed);
  const isNamed = request.target.kind !== 'shift' && !isFoundInLog(request.target);
  const ids = new Map((await admin.listTopics({ internal: true })).map(({ topic, topicId }) => [topic, topicId]));
  const moves: PlannedMove[] = [];
  for (const [topic, offsets] of byTopic(wanted)) {
    const partitions = offsets.map(({ partition }) => partition);
    const starts = await admin.listOffsets(topic, 'start', partitions);
    const ends = await admin.listOffsets(topic, 'end', partitions);
    for (const [i, { partition, offset }] of offsets.entries()) {
      const end = ends[i]!.offset;
      const after = Math.min(end, Math.max(starts[i]!.offset, offset));
      const before = committed.get(partitionName({ topic, partition })) ?? -1;
      const clamped = after === offset || !isNamed ? {} : { clampedFrom: offset };
      moves.push({
        topic,
        topicId: ids.get(topic) || undefined,
        partition,
        before,
        after,
        lag: end - after,
        ...clamped,
      });
    }
  }
  const [first] = moves;
  if (
    first !== undefined &&
    request.target.kind !== 'current' &&
    moves.every(({ clampedFrom }) => clampedFrom !== undefined)
  ) {
    const { topic, partition, clampedFrom } = first;
    throw new KlogError('OFFSET_OUT_OF_RANGE', `${topic}:${partition} has no offset ${clampedFrom}`, {
      topic,
      partition,
      offset: clampedFrom,
      hint: `See 'klog topic offsets ${topic}'`,
    });
  }
  return moves;
}

/** Whether what was planned a while ago may still be done. @throws KlogError KLOG_CONFLICT */
export async function checkStillThere(admin: Admin, moves: readonly PlannedMove[]): Promise<void> {
  for (const [topic, planned] of byTopic(moves)) {
    const partitions = planned.map(({ partition }) => partition);
    const starts = await admin.listOffsets(topic, 'start', partitions);
    for (const [i, { partition, after }] of planned.entries()) {
      const start = starts[i]!.offset;
      if (after >= start) continue;
      const message = `${topic}:${partition} begins at ${start} by now, behind ${after}: nothing was moved`;
      throw new KlogError('KLOG_CONFLICT', message, { topic, partition, offset: after });
    }
  }
}

/** Nothing is there to be out of range. */
function isFoundInLog(target: SeekTarget): boolean {
  return target.kind === 'place' && typeof target.spec !== 'number';
}

/** A group that is not there may be begun, if it is said with what. */
async function describeIfThere(
  admin: Admin,
  { group, topics, target }: SeekRequest,
): Promise<GroupDescription | undefined> {
  try {
    return (await admin.describeGroups([group]))[0];
  } catch (error) {
    const isNew = error instanceof KlogError && error.code === 'GROUP_ID_NOT_FOUND';
    const says = topics.length > 0 || target.kind === 'file' || target.kind === 'group';
    if (isNew && says && target.kind !== 'shift' && target.kind !== 'current') return undefined;
    throw error;
  }
}

async function wantedOffsets(
  admin: Admin,
  request: SeekRequest,
  group: GroupDescription | undefined,
  committed: ReadonlyMap<string, number>,
): Promise<Wanted[]> {
  const { target } = request;
  if (target.kind === 'file') return await amongSelected(admin, request, request.fileOffsets ?? []);
  if (target.kind === 'group') {
    const [other] = await admin.describeGroups([target.group]);
    const offsets = other!.offsets.filter(
      ({ committedOffset, logEndOffset }) => committedOffset >= 0 && logEndOffset >= 0,
    );
    return await amongSelected(
      admin,
      request,
      offsets.map(({ topic, partition, committedOffset }) => ({ topic, partition, offset: committedOffset })),
    );
  }
  const known = (group?.offsets ?? []).filter(({ logEndOffset }) => logEndOffset >= 0);
  const selected = await selectPartitions(admin, request, known);
  if (selected.length === 0) {
    throw new KlogError('KLOG_NOT_FOUND', `group '${request.group}' has no offsets to be moved`, {
      group: request.group,
      hint: 'Name the topics',
    });
  }
  if (target.kind === 'place') return await foundInLog(admin, selected, target.spec);
  const by = target.kind === 'shift' ? target.by : 0;
  return selected.flatMap(({ topic, partition }) => {
    const before = committed.get(partitionName({ topic, partition })) ?? -1;
    if (before >= 0) return { topic, partition, offset: before + by };
    if (target.kind === 'current') return [];
    throw new KlogError('KLOG_NOT_FOUND', `group '${request.group}' has committed nothing of ${topic}:${partition}`, {
      topic,
      partition,
      group: request.group,
      hint: 'Name an offset, start or end',
    });
  });
}

async function foundInLog(
  admin: Admin,
  selected: readonly TopicPartition[],
  spec: Extract<SeekTarget, { kind: 'place' }>['spec'],
): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (const [topic, places] of byTopic(selected)) {
    const partitions = places.map(({ partition }) => partition);
    const ends = await admin.listOffsets(topic, 'end', partitions);
    const found = await admin.listOffsets(topic, spec, partitions);
    // No record is so late: at the end.
    for (const [i, { partition, offset }] of found.entries()) {
      wanted.push({ topic, partition, offset: offset < 0 ? ends[i]!.offset : offset });
    }
  }
  return wanted;
}

/** Where topics are named, only what is of them. */
async function amongSelected(admin: Admin, request: SeekRequest, offsets: readonly Wanted[]): Promise<Wanted[]> {
  const selected = new Set((await selectPartitions(admin, request, offsets)).map(partitionName));
  const among = offsets.filter((one) => selected.has(partitionName(one)));
  if (among.length > 0) return among;
  throw new KlogError('KLOG_NOT_FOUND', `there are no offsets for group '${request.group}' in what --to names`);
}

function byTopic<T extends TopicPartition>(places: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const place of places) {
    const others = topics.get(place.topic);
    if (others === undefined) topics.set(place.topic, [place]);
    else others.push(place);
  }
  return topics;
}
