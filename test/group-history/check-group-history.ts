/** What must hold of everything that the members of a group have done, whatever befell them. */
import type { MemberEvent } from './member-process.js';

export interface GroupHistory {
  readonly events: readonly MemberEvent[];
  /** By member: no earlier than then its process was killed. */
  readonly killedAt: ReadonlyMap<string, number>;
  /** By member: from then on an eviction may have counted. */
  readonly evictedAt: ReadonlyMap<string, number>;
  /** Who has the instance id of one of which nobody can prove that it is dead: its lock file was removed. */
  readonly mayBeRefused?: ReadonlySet<string>;
  /** By partition (`topic:n`): how many records it has. */
  readonly produced: ReadonlyMap<string, number>;
  readonly committed: ReadonlyMap<string, number>;
}

interface Handling {
  readonly member: string;
  readonly offset: number;
  readonly begin: number;
  /** Infinite: it never ended. */
  readonly end: number;
}

/** Codes with which a member may fail that was evicted. */
const FENCED = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

export function checkGroupHistory(history: GroupHistory): string[] {
  const anomalies: string[] = [];
  for (const { member, what, words } of history.events) {
    if (what !== 'failed') continue;
    if (history.evictedAt.has(member) && FENCED.has(words[0]!)) continue;
    if (history.mayBeRefused?.has(member) && words[0] === 'UNRELEASED_INSTANCE_ID') continue;
    anomalies.push(`${member} failed: ${words.join(' ').slice(0, 300)}`);
  }
  for (const [place, handlings] of handlingsOf(history)) {
    anomalies.push(...overlaps(place, handlings, history), ...duplicates(place, handlings, history));
    const seen = new Set(handlings.filter(({ end }) => end < Number.POSITIVE_INFINITY).map(({ offset }) => offset));
    const count = history.produced.get(place) ?? 0;
    const skipped = Array.from({ length: count }, (_, offset) => offset).filter((offset) => !seen.has(offset));
    if (skipped.length > 0)
      anomalies.push(`${place}: ${skipped.length} records were skipped, the first at ${skipped[0]}`);
    for (const offset of seen) if (offset >= count) anomalies.push(`${place}@${offset} was never produced`);
  }
  for (const [place, count] of history.produced) {
    const committed = history.committed.get(place) ?? 0;
    if (committed !== count) anomalies.push(`${place}: ${committed} is committed at the end, of ${count}`);
  }
  return anomalies;
}

function handlingsOf({ events }: GroupHistory): Map<string, Handling[]> {
  const open = new Map<string, { place: string; offset: number; begin: number }>();
  const found = new Map<string, Handling[]>();
  const add = (place: string, handling: Handling) => {
    const known = found.get(place);
    if (known === undefined) found.set(place, [handling]);
    else known.push(handling);
  };
  for (const { at, member, what, words } of [...events].sort((a, b) => a.at - b.at)) {
    if (what === 'begin') open.set(member, { place: words[0]!, offset: Number(words[1]), begin: at });
    if (what !== 'end') continue;
    const begun = open.get(member)!;
    open.delete(member);
    add(begun.place, { member, offset: begun.offset, begin: begun.begin, end: at });
  }
  for (const [member, { place, offset, begin }] of open) {
    add(place, {
      member,
      offset,
      begin,
      end: Number.POSITIVE_INFINITY,
    });
  }
  for (const handlings of found.values()) handlings.sort((a, b) => a.begin - b.begin);
  return found;
}

/** No two members at a time, but for one that is dead or evicted by then. */
function overlaps(place: string, handlings: readonly Handling[], { killedAt, evictedAt }: GroupHistory): string[] {
  const anomalies: string[] = [];
  const goneAt = (member: string) =>
    Math.min(killedAt.get(member) ?? Number.POSITIVE_INFINITY, evictedAt.get(member) ?? Number.POSITIVE_INFINITY);
  for (let i = 1; i < handlings.length; i++) {
    const next = handlings[i]!;
    if (next.begin >= goneAt(next.member)) continue;
    for (let j = i - 1; j >= Math.max(0, i - 50); j--) {
      const before = handlings[j]!;
      if (before.member === next.member || Math.min(before.end, goneAt(before.member)) <= next.begin) continue;
      anomalies.push(
        `${place}: ${before.member} is handling ${before.offset} when ${next.member} begins ${next.offset}`,
      );
    }
  }
  return anomalies;
}

/** Twice only what somebody has handled who was killed or evicted before it was committed. */
function duplicates(place: string, handlings: readonly Handling[], { killedAt, evictedAt }: GroupHistory): string[] {
  const anomalies: string[] = [];
  const byOffset = new Map<number, Handling>();
  for (const handling of handlings) {
    const before = byOffset.get(handling.offset);
    const mayBeAgain = (member: string) => killedAt.has(member) || evictedAt.has(member);
    if (before !== undefined && !mayBeAgain(before.member) && !mayBeAgain(handling.member)) {
      anomalies.push(`${place}@${handling.offset} is handled by ${before.member} and by ${handling.member}`);
    }
    if (before === undefined || mayBeAgain(before.member)) byOffset.set(handling.offset, handling);
  }
  return anomalies;
}
