import type { Admin, ErasedRecords, EraseSelection } from '../../clients/admin.js';
import type { Client } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { argumentBytes } from '../argument-bytes.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { confirm } from '../prompts.js';
import { checkTopics } from '../topic-selection.js';
import { parsePartitionOperand } from '../values/parse-partition.js';
import { namedTopics } from './named-topics.js';

export interface EraseOptions extends GlobalOptions {
  /** `T:P@OFFSET`; with keys `T` or `T:P`. */
  readonly records: readonly string[];
  readonly key?: readonly string[];
  readonly keyBase64?: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

interface Target {
  readonly topic: string;
  /** Undefined: all, or the only one. */
  readonly partition: number | undefined;
  readonly offset?: number;
  readonly key?: Buffer;
  /** As a user would name it. */
  readonly text: string;
}

/** Nothing is erased before everything has been looked for. */
export async function runErase(options: EraseOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false } = options;
  const targets = targetsOf(options, context);
  const topics = [...new Set(targets.map(({ topic }) => topic))];
  checkTopics({ topics });
  return withClient<ExitCode>(options, context, { topics }, async (client, { directory }) => {
    const admin = client.admin();
    await namedTopics(client, { topics, ...(options.force === undefined ? {} : { force: options.force }) });
    const explain = (error: unknown) => suggestName(error, client);
    const found = new Map<Target, { readonly selection: EraseSelection; readonly counted: readonly ErasedRecords[] }>();
    const look = async (target: Target) => {
      const selection = await selectionOf(client, target);
      const records = await admin.eraseRecords(target.topic, selection, { validateOnly: true });
      if (sum(records) === 0) throw notFound(target);
      found.set(target, { selection, counted: records });
    };
    const lookCode = await forEachOperand(targets, options, context, look, explain);
    const there = targets.filter((target) => found.has(target));
    if (there.length > 0 && !dryRun) await confirm(`erase ${planOf(there, found)} in ${directory}`, options, context);

    const rows: unknown[] = [];
    const erase = async (target: Target) => {
      const { selection, counted: planned } = found.get(target)!;
      const erased = dryRun ? planned : await admin.eraseRecords(target.topic, selection);
      const { offset, key } = target;
      const what = { ...(offset === undefined ? {} : { offset }), ...(key && { keyBase64: key.toString('base64') }) };
      rows.push(...erased.map((one) => ({ ...one, ...what, erased: !dryRun })));
      const verb = dryRun ? 'would erase' : 'erased';
      notice(options, context, `${verb} ${counted(sum(erased), 'record')}: ${target.text} in ${directory}`);
    };
    const code = there.length === 0 ? lookCode : await forEachOperand(there, options, context, erase, explain);
    if (options.json) printJson(context, rows);
    // Some were not found.
    return lookCode !== 0 && code === 0 ? lookCode : code;
  });
}

function targetsOf(options: EraseOptions, context: CliContext): Target[] {
  const keys = [...(options.key ?? []).map(argumentBytes), ...(options.keyBase64 ?? []).map(parseBase64)];
  return options.records.flatMap((text): Target[] => {
    const { topic, partition, offset } = parsePartitionOperand(text, { now: context.clock.now() });
    if (keys.length > 0) {
      if (offset !== undefined) throw new KlogError('KLOG_USAGE', `'${text}' names a record, and --key many`);
      const place = partition === undefined ? topic : `${topic}:${partition}`;
      return keys.map((key) => ({ topic, partition, key, text: `key '${keyText(key)}' of ${place}` }));
    }
    if (typeof offset !== 'number') {
      throw new KlogError('KLOG_USAGE', `'${text}' names no record`, { hint: 'Say T:P@OFFSET, or T --key K' });
    }
    return [{ topic, partition, offset, text }];
  });
}

async function selectionOf(client: Client, { topic, partition, offset, key, text }: Target): Promise<EraseSelection> {
  if (key !== undefined) return partition === undefined ? { key } : { key, partition };
  if (partition !== undefined) return { partition, offset: offset! };
  const count = await partitionsOf(client.admin(), topic);
  if (count === 1) return { partition: 0, offset: offset! };
  throw new KlogError('KLOG_USAGE', `'${text}' names no partition, and topic '${topic}' has ${count}`, {
    topic,
    hint: `Say ${topic}:P@${offset}`,
  });
}

async function partitionsOf(admin: Admin, topic: string): Promise<number> {
  return (await admin.describeTopic(topic)).partitions;
}

function parseBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const bare = (base64: string) => base64.replace(/=+$/, '');
  if (bare(bytes.toString('base64')) === bare(text)) return bytes;
  throw new KlogError('KLOG_USAGE', `--key-base64: '${text}' is no base64`);
}

function keyText(key: Buffer): string {
  const text = key.toString();
  return Buffer.from(text).equals(key) ? text : `base64 ${key.toString('base64')}`;
}

function sum(erased: readonly ErasedRecords[]): number {
  return erased.reduce((records, one) => records + one.records, 0);
}

function planOf(
  targets: readonly Target[],
  found: ReadonlyMap<Target, { readonly counted: readonly ErasedRecords[] }>,
): string {
  return targets.map((target) => `${target.text} (${counted(sum(found.get(target)!.counted), 'record')})`).join(', ');
}

function notFound({ topic, partition, offset, key, text }: Target): KlogError {
  const place = { topic, partition, offset };
  return new KlogError(
    'KLOG_NOT_FOUND',
    key === undefined ? `there is no record at ${text}` : `there is no record with ${text}`,
    place,
  );
}
