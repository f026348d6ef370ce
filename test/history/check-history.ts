/**
 * Is what the processes saw explained by one log a partition, to which each acknowledged record was appended once, at
 * some moment between its call and its answer? Offsets are the order, so no search is needed: time linear in the
 * history, but for sorting. After Jepsen's Kafka workload; the logs are dense here (nothing compacted, no
 * transactions).
 */
import type { Anomaly, AnomalyKind, End, LogName, Operation, Poll, Send } from './history.js';

/** What is known about one log. */
interface Known {
  readonly log: string;
  readonly sends: Send[];
  readonly polls: Poll[];
  readonly ends: End[];
  readonly valueAt: Map<number, string>;
  readonly readOffsets: Set<number>;
  /** What was read, in ranges that do not touch. */
  looked?: readonly Range[];
}

/** Values are unique over the whole history. */
export function checkHistory(operations: readonly Operation[]): Anomaly[] {
  const checker = new Checker();
  return checker.check(operations);
}

class Checker {
  readonly #anomalies: Anomaly[] = [];
  readonly #logs = new Map<string, Known>();
  readonly #sends = new Map<string, Send>();
  /** Where each value stands: in one log at one offset. */
  readonly #placeOf = new Map<string, { readonly log: string; readonly offset: number }>();

  check(operations: readonly Operation[]): Anomaly[] {
    for (const operation of operations) this.#file(operation);
    for (const known of this.#logs.values()) for (const send of known.sends) this.#learnFromAck(known, send);
    for (const known of this.#logs.values()) for (const poll of known.polls) this.#learnFromPoll(known, poll);
    for (const operation of operations) {
      if (operation.kind === 'poll' && operation.log === undefined) this.#checkUnplacedPoll(operation);
    }
    for (const known of this.#logs.values()) {
      for (const poll of known.polls) this.#checkPoll(known, poll);
      this.#checkSessions(known);
      this.#checkLost(known);
      this.#checkEnds(known);
    }
    this.#checkOrder();
    this.#checkProducers();
    return this.#anomalies;
  }

  #file(operation: Operation): void {
    if (operation.kind === 'send') this.#sends.set(operation.value, operation);
    if (operation.log === undefined) return;
    const known = this.#known(operation.log);
    if (operation.kind === 'send') known.sends.push(operation);
    else if (operation.kind === 'poll') known.polls.push(operation);
    else known.ends.push(operation);
  }

  #known(log: string): Known {
    let known = this.#logs.get(log);
    if (known === undefined) {
      known = {
        log,
        sends: [],
        polls: [],
        ends: [],
        valueAt: new Map(),
        readOffsets: new Set(),
      };
      this.#logs.set(log, known);
    }
    return known;
  }

  #learnFromAck(known: Known, send: Send): void {
    if (send.outcome === 'ok' && send.offset >= 0) this.#learn(known, send.offset, send.value);
  }

  #learnFromPoll(known: Known, poll: Poll): void {
    for (const [offset, value] of poll.records) {
      this.#learn(known, offset, value);
      if (!poll.copy) known.readOffsets.add(offset);
      const send = this.#sends.get(value);
      if (send === undefined) this.#report('phantom read', known.log, `${place(offset, value)} was sent by nobody`);
      else if (send.outcome === 'fail') {
        this.#report('aborted read', known.log, `${place(offset, value)} was read, but its send was refused`);
      } else if (send.invoked > poll.completed) {
        this.#report('phantom read', known.log, `${place(offset, value)} was read before it was sent`);
      }
    }
  }

  #learn(known: Known, offset: number, value: string): void {
    const { log } = known;
    const other = known.valueAt.get(offset);
    if (other === undefined) known.valueAt.set(offset, value);
    else if (other !== value) {
      this.#report('inconsistent offset', log, `offset ${offset} holds ${other} for one and ${value} for another`);
    }
    const before = this.#placeOf.get(value);
    if (before === undefined) this.#placeOf.set(value, { log, offset });
    else if (before.log !== log || before.offset !== offset) {
      const there = before.log === log ? '' : ` of ${before.log}`;
      this.#report('duplicate', log, `${value} stands at ${offset} and at ${before.offset}${there}`);
    }
  }

  /** The topic was replaced around it: whatever it brought must come from one log all the same. */
  #checkUnplacedPoll(poll: Poll): void {
    const logs = new Set<string>();
    for (const [, value] of poll.records) {
      const known = this.#placeOf.get(value)?.log;
      if (known !== undefined) logs.add(known);
    }
    if (logs.size > 1) this.#report('mixed logs', undefined, `${poll.session} read ${[...logs].join(' and ')} as one`);
  }

  #checkPoll(known: Known, poll: Poll): void {
    let expected = poll.from;
    for (const [offset] of poll.records) {
      if (offset < expected) {
        this.#report('backward poll', known.log, `${poll.session} was at ${expected} and was given ${offset}`);
      } else if (offset > expected) this.#skipped(known, poll, expected, offset);
      expected = Math.max(expected, offset + 1);
    }
    if (poll.next > expected) this.#skipped(known, poll, expected, poll.next);
  }

  #skipped(known: Known, { session }: Poll, from: number, to: number): void {
    for (let offset = from; offset < to; offset++) {
      const value = known.valueAt.get(offset);
      if (value === undefined) continue;
      this.#report('skipped poll', known.log, `${session} went from ${from} to ${to} past ${place(offset, value)}`);
      return;
    }
    this.#report('gap poll', known.log, `${session} went from ${from} to ${to}`);
  }

  #checkSessions(known: Known): void {
    const positions = new Map<string, Poll>();
    for (const poll of byInvocation(known.polls)) {
      const last = positions.get(poll.session);
      positions.set(poll.session, poll);
      if (last === undefined || last.next === poll.from) continue;
      const kind: AnomalyKind = poll.from < last.next ? 'backward poll' : 'gap poll';
      this.#report(kind, known.log, `${poll.session} ended at ${last.next} and went on at ${poll.from}`);
    }
  }

  #checkLost(known: Known): void {
    const final = known.polls.filter((poll) => poll.final).at(-1);
    for (const { outcome, acks, offset, value } of known.sends) {
      if (outcome !== 'ok' || offset < 0 || acks === 'none') continue;
      if (!known.readOffsets.has(offset) && this.#wasLookedAt(known, offset)) {
        this.#report('lost write', known.log, `${place(offset, value)} was acknowledged, and is not where it was read`);
      } else if (final !== undefined && final.next <= offset) {
        this.#report(
          'lost write',
          known.log,
          `${place(offset, value)} was acknowledged, the log ends at ${final.next}`,
        );
      }
    }
  }

  /** Who looks after an acknowledgement, or after somebody has seen an end, sees an end at least as late. */
  #checkEnds(known: Known): void {
    const floors: { readonly at: number; readonly end: number; readonly kind: AnomalyKind; readonly what: string }[] =
      [];
    for (const { outcome, acks, offset, value, completed } of known.sends) {
      if (outcome !== 'ok' || offset < 0 || acks !== 'all') continue;
      floors.push({
        at: completed,
        end: offset + 1,
        kind: 'read after ack',
        what: `${place(offset, value)} was acknowledged`,
      });
    }
    for (const { end, completed } of known.ends) {
      floors.push({ at: completed, end, kind: 'stale end', what: `the end was seen at ${end}` });
    }
    for (const { next, completed, copy } of known.polls) {
      if (!copy) floors.push({ at: completed, end: next, kind: 'stale end', what: `the log was read up to ${next}` });
    }
    floors.sort((a, b) => a.at - b.at);
    const looks = [
      ...known.ends.map(({ end, invoked }) => ({ end, invoked, who: 'an end' })),
      ...known.polls
        .filter(({ toEnd }) => toEnd)
        .map(({ next, invoked, session }) => ({ end: next, invoked, who: session })),
    ].sort((a, b) => a.invoked - b.invoked);
    let next = 0;
    let highest = { end: 0, kind: 'stale end' as AnomalyKind, what: '' };
    for (const { end, invoked, who } of looks) {
      for (let floor = floors[next]; floor !== undefined && floor.at < invoked; floor = floors[++next]) {
        if (floor.end > highest.end) highest = floor;
      }
      if (end < highest.end) this.#report(highest.kind, known.log, `${highest.what}, but ${who} ended at ${end} later`);
    }
  }

  /** A acknowledged before B was sent: A stands before B. */
  #checkOrder(): void {
    for (const known of this.#logs.values()) {
      const placed = [...known.valueAt].flatMap(([offset, value]) => {
        const send = this.#sends.get(value);
        return send === undefined ? [] : [{ send, offset }];
      });
      const acked = placed
        .filter(({ send }) => send.outcome === 'ok' && send.acks !== 'none')
        .sort((a, b) => a.send.completed - b.send.completed);
      placed.sort((a, b) => a.send.invoked - b.send.invoked);
      let next = 0;
      let highest = { offset: -1, value: '' };
      for (const { send, offset } of placed) {
        for (
          let before = acked[next];
          before !== undefined && before.send.completed < send.invoked;
          before = acked[++next]
        ) {
          if (before.offset > highest.offset) highest = { offset: before.offset, value: before.send.value };
        }
        if (offset < highest.offset) {
          const message = `${place(highest.offset, highest.value)} was acknowledged before ${place(offset, send.value)} was sent`;
          this.#report('real-time order', known.log, message);
        }
      }
    }
  }

  /** What one producer gave for one partition stands in the order given, without holes. */
  #checkProducers(): void {
    const sessions = new Map<string, Send[]>();
    for (const send of this.#sends.values()) {
      const key = `${send.session} ${send.partition}`;
      const sends = sessions.get(key);
      if (sends === undefined) sessions.set(key, [send]);
      else sends.push(send);
    }
    // They were filed in the order of the answers.
    for (const [session, sends] of sessions)
      this.#checkProducer(
        session,
        sends.sort((a, b) => a.invoked - b.invoked),
      );
  }

  #checkProducer(session: string, sends: readonly Send[]): void {
    // While the topic is replaced a record may be missing because it went with the old one.
    const isStable = sends.every(({ log }) => log !== undefined && log === sends[0]?.log);
    let missing: Send | undefined;
    let last: { readonly log: string; readonly offset: number } | undefined;
    for (const send of sends) {
      const found = this.#placeOf.get(send.value);
      if (found === undefined) {
        missing ??= send;
        continue;
      }
      const here = `${session}: ${place(found.offset, send.value)}`;
      if (last?.log === found.log && found.offset <= last.offset) {
        this.#report('send order', found.log, `${here} stands before ${last.offset}`);
      }
      if (missing !== undefined && isStable && this.#wasReadBelow(found))
        this.#report('hole', found.log, `${here} is there, ${missing.value} is not`);
      missing = undefined;
      last = found;
    }
  }

  /** What was not seen below is not there. */
  #wasReadBelow({ log, offset }: { readonly log: string; readonly offset: number }): boolean {
    const known = this.#known(log);
    known.looked ??= mergedRanges(known.polls.filter(({ copy }) => !copy));
    return known.looked.some(({ from, next }) => from === 0 && next >= offset);
  }

  /** Whether somebody has read past the offset: of a topic that was deleted perhaps only a part was ever read. */
  #wasLookedAt(known: Known, offset: number): boolean {
    known.looked ??= mergedRanges(known.polls.filter(({ copy }) => !copy));
    return known.looked.some(({ from, next }) => offset >= from && offset < next);
  }

  #report(kind: AnomalyKind, log: LogName, message: string): void {
    this.#anomalies.push({ kind, log, message });
  }
}

interface Range {
  readonly from: number;
  readonly next: number;
}

function mergedRanges(polls: readonly Poll[]): Range[] {
  const ranges: { from: number; next: number }[] = [];
  for (const { from, next } of [...polls].sort((a, b) => a.from - b.from)) {
    const last = ranges.at(-1);
    if (last !== undefined && from <= last.next) last.next = Math.max(last.next, next);
    else ranges.push({ from, next });
  }
  return ranges;
}

function byInvocation(polls: readonly Poll[]): Poll[] {
  return [...polls].sort((a, b) => a.invoked - b.invoked);
}

function place(offset: number, value: string): string {
  return `${value.slice(0, 40)} (offset ${offset})`;
}
