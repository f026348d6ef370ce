/** Judges one state of a directory against what had been promised when the crash came. */
import { KlogError } from '../../../src/errors.js';
import { DATA } from '../scenarios/scenario.js';
import { commitsContain, commitsHold } from './commits.js';
import { Contents, type MemoryDisk } from './memory-disk.js';
import { keyOf } from './payload.js';
import { mustContain, promisesHold } from './promises.js';
import { BrokenPromise, type Content } from './read-everything.js';
import { readTranscript, type Transcript } from './transcript.js';
import { type Aftermath, type FirstLook, type Found, Visits } from './visits.js';

export interface State {
  /** Where the scenario ran; its data directory is `data` in there. */
  readonly disk: MemoryDisk;
  /** What it had printed. */
  readonly said: string;
  /** After a kill or an error the machine goes on: what was written counts, and the boot is the same. */
  readonly mode?: string;
  /** The command's exit status, where it came to one. */
  readonly rc?: number;
  /** The call that the kill or the error met. */
  readonly hit?: string;
  /** Bytes of its error output. */
  readonly complained?: number;
  /** It has warned that upkeep in the background failed, for which nobody had asked. */
  readonly warned?: boolean;
}

/** But for a copy of the directory, which is only read: what cannot be settled is read all the same. */
const FAILED_SYNC = /^f(data)?sync (?!copy-)/;
/** Made by the first commit. */
const OFFSETS = '__consumer_offsets';
/** A full disk that klog may get over: where it cannot have the file it does without. */
const DISPENSABLE = /\.(snapshot|topic)\.tmp$/;
/** Whoever settles next makes it anew. */
const MADE_ANEW = /\/leader-epoch-checkpoint\.tmp$/;
const DISK_IS_FULL = new Set(['enospc', 'edquot', 'full']);
const FATAL_MODES = /^kill-/;
/** What an interrupted exchange of segments leaves. */
const UNFINISHED = /\.(cleaned|swap|deleted)$/;

/**
 * Answers what is wrong with the state; `undefined`: nothing.
 * @param settleKills called with the number of kills tried in the middle of settling; absent: none is tried
 */
export async function judge(state: State, settleKills?: (count: number) => void): Promise<string | undefined> {
  try {
    const judgement = new Judgement(state);
    const look = await judgement.run();
    if (settleKills !== undefined) settleKills(await judgement.killSettling(look));
    return undefined;
  } catch (error) {
    if (error instanceof BrokenPromise) return error.message;
    return `${error instanceof KlogError ? error.code : ''} ${(error as Error).stack ?? error}`.trim();
  }
}

class Judgement {
  readonly #state: State;
  readonly #transcript: Transcript;
  /** What is safe: to a reader who may not settle, what was only written is not there yet. */
  readonly #safe: Transcript;
  /** The machine went on after it. */
  readonly #sameBoot: boolean;
  readonly #visits: Visits;

  constructor(state: State) {
    this.#state = state;
    this.#sameBoot = state.mode !== undefined;
    this.#visits = new Visits(this.#sameBoot);
    // What a failed sync has lost was only written.
    const keepsWritten = this.#sameBoot && state.mode !== 'eio-loses';
    this.#transcript = readTranscript(state.said, keepsWritten);
    this.#safe = keepsWritten ? readTranscript(state.said, false) : this.#transcript;
  }

  async run(): Promise<FirstLook> {
    this.#judgeExit();
    const look = await this.#visits.firstLook(this.#state.disk);
    const { before, settled } = look;
    for (const found of before) if (!this.#hasLostControl()) this.#keepsItsPromises(found, this.#safe);
    this.#keepsItsPromises(settled);
    this.#contains(settled, before[0]!.content, 'what a reader without rights had seen');
    this.#goesOn(settled, before[0]!, 'to a reader without rights');
    this.#judgeAftermath(settled, await this.#visits.aftermath(look));
    return look;
  }

  /** Whoever comes after a kill in the middle of settling finds everything. Answers the number of kills. */
  async killSettling(look: FirstLook): Promise<number> {
    const { settled } = look;
    let looks = 0;
    for await (const { found, changes } of this.#visits.settleKills(this.#state.disk, look)) {
      looks++;
      this.#keepsItsPromises(found);
      this.#contains(found, settled.content, 'what settling without a kill finds');
      this.#goesOn(found, settled, 'settled without a kill');
      this.#isUnchanged(found.who, changes);
    }
    return looks / 2;
  }

  #judgeAftermath(settled: Found, aftermath: Aftermath): void {
    const { again, changes, appended, copied, later } = aftermath;
    this.#keepsItsPromises(again);
    this.#contains(again, settled.content, 'what was there before');
    this.#goesOn(again, settled, 'before');
    this.#isUnchanged(again.who, changes);
    for (const [topic, partitions] of appended) {
      for (const [partition, { offsets }] of partitions.entries()) {
        this.#isAtTheEnd(topic, partition, settled.content.get(topic)?.[partition]?.offsets ?? [], offsets[0]!);
      }
    }
    this.#contains(copied, appended, 'what was acknowledged after the crash');
    this.#keepsItsPromises(later);
    this.#contains(later, settled.content, 'what was there before the new records');
    this.#contains(later, appended, 'what was acknowledged after the crash');
    this.#goesOn(later, settled, 'before it was committed again');
    noLeftovers(aftermath.disk, later.content, this.#state.hit);
    this.#erasedBytesAreGone(aftermath.disk);
  }

  /** A command that says it is done has done everything, one that failed says why. */
  #judgeExit(): void {
    const { rc, mode = '', hit = '', complained, warned = false } = this.#state;
    if (rc === undefined || FATAL_MODES.test(mode)) return;
    if (rc < 0) throw new BrokenPromise(`the command died by signal ${-rc}`);
    if (mode === 'short' && rc !== 0) throw new BrokenPromise(`exit ${rc} after a write that took a part of its bytes`);
    if (rc === 0 && !warned && this.#isFatal(mode, hit)) throw new BrokenPromise(`exit 0 after a failed ${hit}`);
    if (rc === 0 && !this.#transcript.isDone) throw new BrokenPromise('exit 0, but it did not do everything');
    if (rc !== 0 && this.#transcript.isDone) throw new BrokenPromise(`exit ${rc}, though it had done everything`);
    if (rc !== 0 && complained === 0) throw new BrokenPromise(`exit ${rc} without a word`);
  }

  /**
   * The kernel has lost the newest S, and the machine goes on: to whoever may not settle the log ends where an older
   * one says. Those who may find what lies behind it.
   */
  #hasLostControl(): boolean {
    const { mode, hit = '' } = this.#state;
    return mode === 'eio-loses' && hit.endsWith('/klog.end');
  }

  /** Whether nothing may be acknowledged after it. */
  #isFatal(mode: string, hit: string): boolean {
    // No sync wants a descriptor: what fails, and is made again, is the opening of a directory.
    if (mode === 'short' || mode === 'emfile') return false;
    if (!FAILED_SYNC.test(hit) || MADE_ANEW.test(hit)) return false;
    return !(DISK_IS_FULL.has(mode) && DISPENSABLE.test(hit));
  }

  #keepsItsPromises({ who, content, commits }: Found, transcript = this.#transcript): void {
    saidBy(who, () => {
      promisesHold(transcript, content);
      commitsHold(transcript, commits);
    });
  }

  #goesOn({ who, commits }: Found, earlier: Found, when: string): void {
    saidBy(who, () => commitsContain(commits, earlier.commits, when));
  }

  #contains({ who, content }: Found, earlier: Content, what: string): void {
    saidBy(who, () => mustContain(this.#transcript, content, earlier, what));
  }

  #isUnchanged(who: string, changes: readonly string[]): void {
    if (changes.length === 0) return;
    throw new BrokenPromise(`${who}: a settled log was changed again: ${changes.slice(0, 3).join(', ')}`);
  }

  /** The log takes new records, at its end, and no offset is given out twice. */
  #isAtTheEnd(topic: string, partition: number, offsets: readonly number[], first: number): void {
    const promised = this.#transcript.topics.get(topic);
    const end = (offsets.at(-1) ?? -1) + 1;
    // What a killed writer has written and never reported may join the log as late as the next writer settles it.
    const mayBeMore = offsets.length === 0 || this.#sameBoot || promised?.mayHaveGaps === true;
    if (first < end || (first > end && !mayBeMore)) {
      throw new BrokenPromise(`${topic}-${partition} goes on at ${first}, expected ${end}`);
    }
    const last = promised?.records.get(partition)?.reduce((most, { offset }) => Math.max(most, offset), -1) ?? -1;
    const given = Math.max(last + 1, promised?.isTrimmed.get(partition) ?? 0);
    if (first < given) throw new BrokenPromise(`${topic}-${partition} gives out ${first} again, it was at ${given}`);
  }

  /** Erased is more than not to be seen. */
  #erasedBytesAreGone(disk: MemoryDisk): void {
    for (const [topic, { records, isErased }] of this.#transcript.topics) {
      if (isErased.size === 0) continue;
      for (const { id } of [...records.values()].flat()) {
        if (!isErased.has(keyOf(id) ?? '')) continue;
        for (const [path, { bytes }] of disk.files()) {
          if (bytes.includes(`${id}|`)) throw new BrokenPromise(`${topic}: ${id} was erased, and is in ${path}`);
        }
      }
    }
  }
}

/** What a command, or a scenario, writes beside the data directory. */
const BESIDE = /\.klog(\.[0-9a-f]+\.tmp)?$|^copy-\d+$/;

/**
 * What kills have left is gone when topics have been changed once, and the log was opened; but for a data directory in
 * the making that an error, which met it, has kept from being swept.
 */
function noLeftovers(disk: MemoryDisk, content: Content, hit = ''): void {
  const isUnswept = (name: string) => hit.split(' ')[1]?.startsWith(`${name}/`) === true || hit.endsWith(` ${name}`);
  const partitions = [...content].flatMap(([topic, all]) => all.map((_, partition) => `${topic}-${partition}`));
  const wanted = {
    '': [DATA],
    [`/${DATA}/log`]: ['meta.properties', '.lock', ...partitions],
    [`/${DATA}/topics`]: ['.lock', ...[...content.keys()].map((topic) => `${topic}.json`)],
  };
  for (const [directory, names] of Object.entries(wanted)) {
    const more = namesIn(disk, directory).filter(
      (name) =>
        !names.includes(name) &&
        !name.startsWith(OFFSETS) &&
        !BESIDE.test(name) &&
        !(directory === '' && isUnswept(name)),
    );
    if (more.length > 0) throw new BrokenPromise(`left over in ${directory}: ${more.join(', ')}`);
  }
  for (const name of partitions) {
    const more = namesIn(disk, `/${DATA}/log/${name}`).filter((file) => UNFINISHED.test(file));
    if (more.length > 0) throw new BrokenPromise(`left over in ${name}: ${more.join(', ')}`);
  }
}

function namesIn(disk: MemoryDisk, directory: string): string[] {
  const entry = disk.find(disk.root + directory);
  if (entry === undefined || entry instanceof Contents) throw new BrokenPromise(`${directory} is no directory`);
  return [...entry.keys()];
}

function saidBy(who: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof BrokenPromise) throw new BrokenPromise(`${who}: ${error.message}`);
    throw error;
  }
}
