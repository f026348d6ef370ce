/**
 * What a scenario has said before the crash came: a line for everything it promises, printed after what makes it true,
 * and a line before everything that takes something away.
 *
 * ```
 * creating T N      T may be there from now on, with N partitions     created T N   it is
 * growing T N       N partitions are to be                            grown T N     they are
 * deleting T        T may be gone from now on                         deleted T     it is
 * trimming T P O    what is below offset O may be gone from now on    trimmed T P O it is
 * retaining T B     all but the last B bytes may be gone from now on
 * compacting T      where a key comes again, the earlier may be gone  compacted T P O   it is, below offset O
 * erasing T KEY     records with the key may be gone from now on      erased T KEY      they are, and their bytes
 * ack T P OFFSET ID         survives a power loss
 * written T P OFFSET ID     survives the death of the process
 * saw T P OFFSET ID         a reader was shown it: nothing may take it back
 * committing G T P OFFSET   group G may have committed the offset from now on
 * committed G T P OFFSET    it has: it goes on there, or later
 * round N                   the round is over, of scenarios that go in rounds
 * done                      everything the scenario had to do is done
 * + … ~ … = …               what `klog topic apply` says of a topic: no promise of the scenario's
 * ```
 */
export interface Promised {
  readonly offset: number;
  readonly id: string;
  readonly line: string;
}

export class PromisedTopic {
  /** `maybe`: it was being created, or deleted. */
  existence: 'yes' | 'maybe' | 'no' = 'maybe';
  /** How many partitions it may have. */
  fewest: number;
  most: number;
  /** By partition. */
  readonly records = new Map<number, Promised[]>();
  /** By partition: offsets below which records may be, or have to be, gone. */
  readonly mayBeTrimmed = new Map<number, number>();
  readonly isTrimmed = new Map<number, number>();
  readonly isCompacted = new Map<number, number>();
  compacts = false;
  readonly mayBeErased = new Set<string>();
  readonly isErased = new Set<string>();
  /** `undefined`: everything is kept. */
  retentionBytes: number | undefined;

  constructor(partitions: number) {
    this.fewest = partitions;
    this.most = partitions;
  }

  /** Offsets without a record are nothing wrong. */
  get mayHaveGaps(): boolean {
    return this.compacts || this.mayBeErased.size > 0;
  }
}

/** Where a group may have come to in a partition. */
export interface PromisedCommit {
  readonly fewest: number;
  readonly most: number;
}

export interface Transcript {
  readonly topics: Map<string, PromisedTopic>;
  /** By group, topic and partition, with a space between them. */
  readonly commits: ReadonlyMap<string, PromisedCommit>;
  readonly isDone: boolean;
  /** Promises about records. */
  readonly promises: number;
}

/** @param killed the machine lived on: what was only written counts as promised too */
export function readTranscript(text: string, killed: boolean): Transcript {
  const topics = new Map<string, PromisedTopic>();
  const commits = new Map<string, PromisedCommit>();
  let isDone = false;
  let promises = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, topic = '', second = '', third = '', value = ''] = line.split(' ');
    if (what === 'done') isDone = true;
    else if (what === 'round' || what === '+' || what === '~' || what === '=') continue;
    else if (what === 'ack' || what === 'saw' || what === 'written') {
      if (what === 'written' && !killed) continue;
      const [id = ''] = value.split('|');
      const { records } = topicNamed(topics, topic, line);
      const partition = Number(second);
      const promised = { offset: Number(third), id, line: line.slice(0, 80) };
      if (!Number.isSafeInteger(promised.offset) || id === '') throw new Error(`not a promise: ${line}`);
      const list = records.get(partition);
      if (list === undefined) records.set(partition, [promised]);
      else list.push(promised);
      promises++;
    } else if (what === 'committing' || what === 'committed') {
      readCommitLine(commits, `${topic} ${second} ${third}`, what, Number(value));
    } else if (what === 'creating') topics.set(topic, new PromisedTopic(Number(second)));
    else if (what !== undefined && what !== '') {
      const isKnown =
        readTopicLine(topicNamed(topics, topic, line), what, Number(second)) ||
        readUpkeepLine(topicNamed(topics, topic, line), what, second, Number(third));
      if (!isKnown) throw new Error(`not a line of a transcript: ${line}`);
    }
  }
  return { topics, commits, isDone, promises };
}

function readCommitLine(commits: Map<string, PromisedCommit>, place: string, what: string, offset: number): void {
  const { fewest, most } = commits.get(place) ?? { fewest: -1, most: -1 };
  commits.set(place, { fewest: what === 'committed' ? offset : fewest, most: Math.max(most, offset) });
}

function readTopicLine(promised: PromisedTopic, what: string, partitions: number): boolean {
  if (what === 'created') promised.existence = 'yes';
  else if (what === 'growing') promised.most = partitions;
  else if (what === 'grown') promised.fewest = partitions;
  else if (what === 'deleting') promised.existence = 'maybe';
  else if (what === 'deleted') {
    promised.existence = 'no';
    promised.records.clear();
  } else return false;
  return true;
}

function readUpkeepLine(promised: PromisedTopic, what: string, second: string, offset: number): boolean {
  const partition = Number(second);
  if (what === 'trimming') raise(promised.mayBeTrimmed, partition, offset);
  else if (what === 'trimmed') raise(promised.isTrimmed, partition, offset);
  else if (what === 'retaining') promised.retentionBytes = Number(second);
  else if (what === 'compacting') promised.compacts = true;
  else if (what === 'compacted') raise(promised.isCompacted, partition, offset);
  else if (what === 'erasing') promised.mayBeErased.add(second);
  else if (what === 'erased') promised.isErased.add(second);
  else return false;
  return true;
}

function raise(offsets: Map<number, number>, partition: number, offset: number): void {
  offsets.set(partition, Math.max(offsets.get(partition) ?? 0, offset));
}

function topicNamed(topics: Map<string, PromisedTopic>, name: string, line: string): PromisedTopic {
  const topic = topics.get(name);
  if (topic === undefined) throw new Error(`the topic was never announced: ${line}`);
  return topic;
}
