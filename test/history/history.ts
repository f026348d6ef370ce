/**
 * What processes did to shared logs, as the checker reads it. Every process writes its own file, a line before an
 * operation and a line after it, stamped by CLOCK_MONOTONIC, which all processes of a machine share. An operation
 * without a second line (its process was killed) has an unknown outcome.
 */

/** A partition of one incarnation of a topic; `undefined`: the topic was deleted or made meanwhile. */
export type LogName = string | undefined;

/** One record given to a producer. */
export interface Send {
  readonly kind: 'send';
  /** The producer: its records of one partition are stored in order, and none behind one that failed. */
  readonly session: string;
  readonly partition: number;
  readonly log: LogName;
  readonly acks: 'all' | 'written' | 'none';
  readonly value: string;
  /** Nanoseconds. */
  readonly invoked: number;
  /** Infinity without an answer. */
  readonly completed: number;
  /** `fail`: certainly not stored. `info`: nobody can tell. */
  readonly outcome: 'ok' | 'fail' | 'info';
  /** -1: not told. */
  readonly offset: number;
}

/** Records handed out together, or the whole of a read to the end. */
export interface Poll {
  readonly kind: 'poll';
  /** The consumer: each poll goes on where the last one of its session ended. */
  readonly session: string;
  readonly log: LogName;
  readonly from: number;
  readonly records: readonly (readonly [offset: number, value: string])[];
  /** Where the next poll goes on. */
  readonly next: number;
  readonly invoked: number;
  readonly completed: number;
  /** `next` is the end of the log, found after `invoked`. */
  readonly toEnd: boolean;
  /** Read from a copy of the directory, begun at `invoked`: it may be ahead of what is safe in the original. */
  readonly copy: boolean;
  /** Nobody writes any more. */
  readonly final: boolean;
}

/** The end of a log, asked for. */
export interface End {
  readonly kind: 'end';
  readonly log: LogName;
  readonly end: number;
  readonly invoked: number;
  readonly completed: number;
}

export type Operation = Send | Poll | End;

export type AnomalyKind =
  | 'lost write'
  | 'duplicate'
  | 'inconsistent offset'
  | 'gap poll'
  | 'backward poll'
  | 'skipped poll'
  | 'aborted read'
  | 'phantom read'
  | 'mixed logs'
  | 'real-time order'
  | 'send order'
  | 'hole'
  | 'read after ack'
  | 'stale end'
  | 'process failed';

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly log: LogName;
  readonly message: string;
}

/** The lines of one process's file: `{ id, at, invoke: {…} }`, later `{ id, at, ok | fail | info: {…} }`. */
interface Line {
  readonly id: number;
  readonly at: number;
  readonly invoke?: Record<string, unknown>;
  readonly ok?: Record<string, unknown>;
  readonly fail?: Record<string, unknown>;
  readonly info?: Record<string, unknown>;
  /** An error that no fault of the round explains. */
  readonly crash?: string;
  readonly event?: Omit<RoundEvent, 'at'>;
}

/** Something of the round's plan that came about, as the process says that did it (actors/faulty-file-system.mjs). */
export interface RoundEvent {
  /** Nanoseconds. */
  readonly at: number;
  readonly action: 'kill' | 'stop' | 'fail' | 'delay' | 'note' | 'swapped' | 'compacted';
  readonly call?: string;
  /** Without its directory. */
  readonly file?: string;
  readonly when?: string;
  /** Requests for the partition's locks that waited just then; -1: not known here. */
  readonly waiters?: number;
  readonly swapped?: boolean;
  /** Unsynced bytes that a failing sync took away. */
  readonly lost?: number;
}

export interface ProcessHistory {
  readonly operations: Operation[];
  readonly events: RoundEvent[];
  readonly failures: string[];
}

interface SentRecord {
  readonly partition: number;
  readonly value: string;
  /** Absent where topics are replaced: then the answer tells. */
  readonly log?: string;
}

/** A killed process may leave half a line at the end. */
export function parseHistory(text: string): ProcessHistory {
  const lines = text.split('\n').filter((line) => line.endsWith('}'));
  const open = new Map<number, Line>();
  const operations: Operation[] = [];
  const events: RoundEvent[] = [];
  const failures: string[] = [];
  for (const text of lines) {
    const line = JSON.parse(text) as Line;
    if (line.crash !== undefined) failures.push(line.crash);
    else if (line.event !== undefined) events.push({ ...line.event, at: line.at });
    else if (line.invoke !== undefined) open.set(line.id, line);
    else {
      const invocation = open.get(line.id);
      if (invocation === undefined) throw new Error(`an answer without a question: ${text}`);
      open.delete(line.id);
      operations.push(...operationsOf(invocation, line));
    }
  }
  for (const invocation of open.values()) operations.push(...operationsOf(invocation, undefined));
  return { operations, events, failures };
}

function operationsOf(invocation: Line, answer: Line | undefined): Operation[] {
  const question = invocation.invoke!;
  const invoked = invocation.at;
  const completed = answer?.at ?? Number.POSITIVE_INFINITY;
  const result = answer?.ok ?? answer?.info ?? answer?.fail ?? {};
  if (question.kind !== 'send') {
    // A read that failed or was cut short says nothing.
    if (answer?.ok === undefined) return [];
    return [{ copy: false, final: false, toEnd: false, ...question, ...result, invoked, completed } as Operation];
  }
  const { records, ...rest } = question as { records: readonly SentRecord[] };
  const outcome = answer?.ok !== undefined ? 'ok' : answer?.fail !== undefined ? 'fail' : 'info';
  const logs = (result.logs ?? []) as LogName[];
  const offsets = (result.offsets ?? []) as number[];
  return records.map(({ partition, value, log }, i) => {
    const found = { partition, value, outcome, offset: offsets[i] ?? -1, log: log ?? logs[i] ?? undefined };
    return { ...rest, ...found, invoked, completed } as Send;
  });
}
