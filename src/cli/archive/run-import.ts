import { statSync } from 'node:fs';
import type { ArchivedGroup, ArchivedTopic, ArchiveTotals } from '../../archive/archive-format.js';
import { readArchive } from '../../archive/archive-reader.js';
import type { Client } from '../../clients/client.js';
import type { TopicImport } from '../../clients/topic-import.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { openInputFile } from '../input.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { Progress } from '../progress.js';
import { sizeText } from '../size-text.js';
import { importedTopic, type PlannedTopic, planImport } from './import-plan.js';
import { ImportedGroups } from './imported-groups.js';

export interface ImportOptions extends GlobalOptions {
  /** A path; `-` is standard input. */
  readonly file: string;
  /** Only these of the archive. */
  readonly topics?: readonly string[];
  readonly append?: boolean;
  readonly dryRun?: boolean;
  /** False: without what groups have committed. */
  readonly groups?: boolean;
}

/** Never imported: groups live in it, with the topics that are there. Offsets come by sections of their own. */
const OFFSETS_TOPIC = '__consumer_offsets';

/** What came of one topic. */
interface TopicTally {
  records: number;
  bytes: number;
}

export async function runImport(options: ImportOptions, context: CliContext): Promise<ExitCode> {
  if (options.topics?.length === 0) throw new KlogError('KLOG_USAGE', '--topics names no topic');
  await assertReadable(options.file, context);
  // A file is gone through as a whole before anything is made of it; what comes through a pipe is checked as it comes.
  if (isRegularFile(options.file)) await readThrough(options, context, async () => {});
  if (context.signals.signal.aborted) return 0;
  const request = { create: options.dryRun !== true, topics: options.topics ?? [] };
  const importInto = (client: Client | undefined, directory: string) =>
    new ArchiveImport(client, directory, options, context).run();
  const ifMissing = ({ directory }: { directory: string }) => importInto(undefined, directory);
  return await withClient<ExitCode | Promise<ExitCode>>(
    options,
    context,
    { ...request, ifMissing },
    (client, location) => importInto(client, location.directory),
  );
}

class ArchiveImport {
  readonly #client: Client | undefined;
  readonly #directory: string;
  readonly #options: ImportOptions;
  readonly #context: CliContext;
  readonly #tallies = new Map<string, TopicTally>();
  readonly #groups = new ImportedGroups();
  #plans: readonly PlannedTopic[] = [];
  #target: TopicImport | undefined;

  /** @param client undefined: there is no log, and nothing is to be made */
  constructor(client: Client | undefined, directory: string, options: ImportOptions, context: CliContext) {
    this.#client = client;
    this.#directory = directory;
    this.#options = options;
    this.#context = context;
  }

  async run(): Promise<ExitCode> {
    const { signal } = this.#context.signals;
    const progress = new Progress(this.#options, this.#context, () => this.#amount());
    try {
      await readThrough(
        this.#options,
        this.#context,
        (topics) => this.#begin(topics),
        (batches) => this.#add(batches),
        (group) => this.#groups.add(group),
      );
      if (signal.aborted) return 0;
      const isWithGroups = this.#options.groups !== false;
      await this.#target?.commit(isWithGroups ? this.#groups.ofNewTopics(this.#topicsBy('create')) : []);
      this.#target = undefined;
      await this.#commitGroups();
    } catch (error) {
      throw this.#told(error);
    } finally {
      progress.stop();
      await this.#target?.abort();
    }
    this.#report();
    return 0;
  }

  async #begin(topics: readonly ArchivedTopic[]): Promise<void> {
    for (const { topic } of topics) this.#tallies.set(topic, { records: 0, bytes: 0 });
    const admin = this.#client?.admin();
    this.#plans =
      admin === undefined
        ? topics.map((archived) => ({ archived, mode: 'create' }))
        : await planImport(admin, topics, this.#options);
    if (this.#options.dryRun !== true) this.#target = await admin?.importTopics(this.#plans.map(importedTopic));
  }

  async #add({ topic, partition, bytes, records }: ArchivedBatches): Promise<void> {
    const tally = this.#tallies.get(topic);
    if (tally === undefined) return;
    tally.records += records;
    tally.bytes += bytes.length;
    await this.#target?.append({ topic, partition }, bytes);
  }

  /** Where offsets are new, those of the archive mean nothing. */
  async #commitGroups(): Promise<void> {
    if (this.#client === undefined || this.#options.groups === false || this.#options.dryRun === true) return;
    await this.#groups.commit(this.#client.admin(), this.#topicsBy('continue'), this.#options, this.#context);
  }

  #topicsBy(mode: PlannedTopic['mode']): Set<string> {
    return new Set(this.#plans.filter((plan) => plan.mode === mode).map(({ archived }) => archived.topic));
  }

  /** What was written to topics that were there before stays: say so. */
  #told(error: unknown): unknown {
    const touched = this.#plans.filter(({ archived, mode }) => {
      return mode !== 'create' && (this.#tallies.get(archived.topic)?.records ?? 0) > 0;
    });
    if (touched.length === 0 || this.#options.dryRun === true || !(error instanceof KlogError)) return error;
    const names = touched.map(({ archived }) => `'${archived.topic}'`).join(', ');
    return error.with({ hint: `Some records were already added to ${names}` });
  }

  #amount(): string {
    const { records, bytes } = this.#sum();
    return `${counted(records, 'record')}, ${sizeText(bytes)}`;
  }

  #sum(): TopicTally {
    const sum = { records: 0, bytes: 0 };
    for (const { records, bytes } of this.#tallies.values()) {
      sum.records += records;
      sum.bytes += bytes;
    }
    return sum;
  }

  #report(): void {
    const options = this.#options;
    const context = this.#context;
    const imported = options.dryRun !== true;
    if (options.json) {
      const rows = this.#plans.map(({ archived: { topic, partitions, configs }, mode }) => {
        const { records = 0 } = this.#tallies.get(topic) ?? {};
        return { topic, partitions: partitions.length, configs, records, mode, imported };
      });
      printJson(context, rows);
      return;
    }
    for (const { archived, mode } of this.#plans) {
      const { topic, partitions } = archived;
      const { records = 0, bytes = 0 } = this.#tallies.get(topic) ?? {};
      const verb = `${imported ? '' : 'would be '}${VERBS[mode]}`;
      const amount = `${counted(partitions.length, 'partition')}, ${counted(records, 'record')} (${sizeText(bytes)})`;
      notice(options, context, `topic '${topic}' ${verb}: ${amount}`);
    }
    notice(options, context, `${imported ? 'imported' : 'would import'} ${this.#amount()} into ${this.#directory}`);
  }
}

const VERBS = {
  create: 'created',
  continue: 'filled, with the offsets of the archive',
  append: 'added to, with new offsets',
} as const;

interface ArchivedBatches {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly records: number;
}

/** Goes through the archive once. Ends early, and without an error, when interrupted. */
async function readThrough(
  options: ImportOptions,
  context: CliContext,
  begin: (topics: readonly ArchivedTopic[]) => Promise<void>,
  add?: (batches: ArchivedBatches) => Promise<void>,
  addGroup?: (group: ArchivedGroup) => void,
): Promise<ArchiveTotals | undefined> {
  const { signal } = context.signals;
  const input = await openInputFile(options.file, context.stdin);
  const unknown = new Set<string>();
  try {
    for await (const part of readArchive(input.chunks(signal), input.name)) {
      if (signal.aborted) return undefined;
      if (part.kind === 'topics') {
        const topics = selected(part.topics, options);
        if (add !== undefined && topics.length < part.topics.length && options.topics === undefined) {
          notice(options, context, `left out '${OFFSETS_TOPIC}': what groups have committed comes without it`);
        }
        await begin(topics);
      } else if (part.kind === 'batches') await add?.(part);
      else if (part.kind === 'group') addGroup?.(part.group);
      else if (part.kind === 'unknown') unknown.add(part.section);
      else {
        if (add !== undefined && unknown.size > 0) {
          notice(options, context, `this klog knows nothing of ${[...unknown].join(', ')} in ${input.name}: left out`);
        }
        return part.totals;
      }
    }
  } catch (error) {
    // The input ends when a signal comes, and then the archive is not complete.
    if (signal.aborted) return undefined;
    throw error;
  }
  return undefined;
}

function selected(topics: readonly ArchivedTopic[], options: ImportOptions): readonly ArchivedTopic[] {
  if (options.topics === undefined) return topics.filter(({ topic }) => topic !== OFFSETS_TOPIC);
  if (options.topics.includes(OFFSETS_TOPIC)) {
    throw new KlogError('KLOG_USAGE', `'${OFFSETS_TOPIC}' cannot be imported: klog itself keeps its books there`, {
      topic: OFFSETS_TOPIC,
      hint: 'What groups have committed of topics comes with them',
    });
  }
  const byName = new Map(topics.map((topic) => [topic.topic, topic]));
  return [...new Set(options.topics)].map((name) => {
    const topic = byName.get(name);
    if (topic !== undefined) return topic;
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `the archive has no topic '${name}'`, {
      topic: name,
      hint: topics.length === 0 ? 'It has none' : `It has ${topics.map(({ topic }) => topic).join(', ')}`,
    });
  });
}

/** Before anything is made. KLOG_INPUT_FAILED. */
async function assertReadable(path: string, context: CliContext): Promise<void> {
  if (path === '-') return;
  const stat = statSync(path, { throwIfNoEntry: false });
  // It fails, and says why.
  if (stat === undefined || stat.isDirectory()) await openInputFile(path, context.stdin);
}

function isRegularFile(path: string): boolean {
  return path !== '-' && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}
