/**
 * What a scenario has said before the crash came: a line for everything it promises, printed after what makes it true.
 *
 * ```
 * creating T N      T may be there from now on, with N partitions     created T N   it is
 * growing T N       N partitions are to be                            grown T N     they are
 * deleting T        T may be gone from now on                         deleted T     it is
 * ack T P OFFSET ID         survives a power loss
 * written T P OFFSET ID     survives the death of the process
 * saw T P OFFSET ID         a reader was shown it: nothing may take it back
 * done                      everything the scenario had to do is done
 * ```
 */
export interface Promised {
  readonly offset: number;
  readonly id: string;
  readonly line: string;
}

export interface PromisedTopic {
  /** `maybe`: it was being created, or deleted. */
  existence: 'yes' | 'maybe' | 'no';
  /** How many partitions it may have. */
  fewest: number;
  most: number;
  readonly records: Map<number, Promised[]>;
}

export interface Transcript {
  readonly topics: Map<string, PromisedTopic>;
  readonly isDone: boolean;
  /** Promises about records. */
  readonly promises: number;
}

/** @param killed the machine lived on: what was only written counts as promised too */
export function readTranscript(text: string, killed: boolean): Transcript {
  const topics = new Map<string, PromisedTopic>();
  let isDone = false;
  let promises = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, topic = '', second = '', third = '', value = ''] = line.split(' ');
    if (what === 'done') isDone = true;
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
    } else if (what !== undefined && what !== '') readTopicLine(topics, what, topic, Number(second), line);
  }
  return { topics, isDone, promises };
}

function readTopicLine(
  topics: Map<string, PromisedTopic>,
  what: string,
  topic: string,
  partitions: number,
  line: string,
): void {
  if (what === 'creating') {
    topics.set(topic, { existence: 'maybe', fewest: partitions, most: partitions, records: new Map() });
    return;
  }
  const promised = topicNamed(topics, topic, line);
  if (what === 'created') promised.existence = 'yes';
  else if (what === 'growing') promised.most = partitions;
  else if (what === 'grown') promised.fewest = partitions;
  else if (what === 'deleting') promised.existence = 'maybe';
  else if (what === 'deleted') {
    promised.existence = 'no';
    promised.records.clear();
  } else throw new Error(`not a line of a transcript: ${line}`);
}

function topicNamed(topics: Map<string, PromisedTopic>, name: string, line: string): PromisedTopic {
  const topic = topics.get(name);
  if (topic === undefined) throw new Error(`the topic was never announced: ${line}`);
  return topic;
}
