import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../clients/client.js';
import { KlogError } from '../errors.js';
import { nearestName } from '../store/nearest-name.js';
import type { CliContext, OpenClientOptions } from './cli-context.js';
import type { GlobalOptions } from './global-options.js';
import { notice } from './notices.js';
import { type DirectoryLocation, resolveDirectory } from './resolve-directory.js';

export interface ClientRequest<T> {
  /** Makes the directory if it is missing. Default false: then a command that names topics fails, exit code 4. */
  readonly create?: boolean;
  /** The topics the command names, for what is said when there is no log. */
  readonly topics: readonly string[];
  /** False: no consumer will be asked for, and their code is not loaded. Default true. */
  readonly consumes?: boolean;
  /** What to do where there is no log, instead of failing. */
  readonly ifMissing?: (location: DirectoryLocation) => T;
  /** Called before a directory is made: refuses what must not leave one behind. */
  readonly beforeCreate?: () => Promise<void> | void;
  /** Waits until somebody has made the directory. */
  readonly wait?: { readonly signal: AbortSignal; readonly timeoutMs?: number | undefined };
}

/** Between two looks for a directory that is waited for. */
const LOOK_MS = 100;

/** Opens the home of the topics, hands it to `use`, and closes it whatever happens. */
export async function withClient<T>(
  options: GlobalOptions,
  context: CliContext,
  request: ClientRequest<T>,
  use: (client: Client, location: DirectoryLocation) => Promise<T>,
): Promise<T> {
  const location = await resolveDirectory(options, context);
  const warn = (warning: string) => notice(options, context, `warning: ${warning}`);
  const openOptions: OpenClientOptions = {
    directory: location.directory,
    onWarning: warn,
    ...(request.consumes === false ? { consumes: false } : {}),
    ...(options.allowNetworkFs === true ? { allowNetworkFileSystem: true } : {}),
  };
  const opened = await openAt(location, context, openOptions, request);
  if (opened === undefined) {
    if (request.ifMissing !== undefined) return request.ifMissing(location);
    throw missingLog(location, request.topics[0]);
  }
  const { client } = opened;
  client.warnings?.forEach(warn);
  let result: T;
  try {
    result = await use(client, location);
  } catch (error) {
    const explained = whyReadOnly(error, opened) ?? (await suggestName(error, client));
    // The failure of the work is what the user has to know, not that closing failed after it.
    await client.close().catch(() => {});
    throw explained;
  }
  await client.close();
  return result;
}

interface OpenedClient {
  readonly client: Client;
  /** Why it is open for reading only. */
  readonly readOnlyBecause?: KlogError;
}

/** Undefined: there is no log, and none is to be made. */
async function openAt<T>(
  location: DirectoryLocation,
  context: CliContext,
  options: OpenClientOptions,
  request: ClientRequest<T>,
): Promise<OpenedClient | undefined> {
  if (request.create === true) {
    // What is there already is opened as it is: only where nothing is has anything to be checked first.
    if (request.beforeCreate !== undefined) {
      const existing = location.exists ? await openExisting(context, options) : undefined;
      if (existing !== undefined) return existing;
      await request.beforeCreate();
    }
    return { client: await context.openClient({ ...options, create: true, removeUnused: true }) };
  }
  const opened = location.exists ? await openToRead(context, options) : undefined;
  if (opened !== undefined || request.wait === undefined) return opened;
  return waitForLog(context, options, request.wait);
}

async function openToRead(context: CliContext, options: OpenClientOptions): Promise<OpenedClient | undefined> {
  try {
    return await openExisting(context, options);
  } catch (error) {
    if (!isDenied(error)) throw error;
    // Others' logs may be readable though not writable.
    const opened = await openExisting(context, { ...options, readOnly: true });
    return opened && { ...opened, readOnlyBecause: error };
  }
}

/** Undefined: it did not come in time, or there is nobody to wait for it any more. */
async function waitForLog(
  context: CliContext,
  options: OpenClientOptions,
  { signal, timeoutMs = Number.POSITIVE_INFINITY }: NonNullable<ClientRequest<unknown>['wait']>,
): Promise<OpenedClient | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (!signal.aborted && performance.now() < deadline) {
    await sleep(Math.min(LOOK_MS, deadline - performance.now()), undefined, { signal }).catch(() => {});
    const opened = await openToRead(context, options);
    if (opened !== undefined) return opened;
  }
  return undefined;
}

function isDenied(error: unknown): error is KlogError {
  return error instanceof KlogError && error.code === 'KLOG_PERMISSION_DENIED';
}

/** A change that was refused because the log could only be opened for reading failed for the reason of that. */
function whyReadOnly(error: unknown, { readOnlyBecause }: OpenedClient): KlogError | undefined {
  return isDenied(error) ? readOnlyBecause : undefined;
}

async function openExisting(context: CliContext, options: OpenClientOptions): Promise<OpenedClient | undefined> {
  try {
    return { client: await context.openClient(options) };
  } catch (error) {
    if (error instanceof KlogError && error.code === 'KLOG_NOT_FOUND') return undefined;
    throw error;
  }
}

function missingLog(location: DirectoryLocation, topic: string | undefined): KlogError {
  const where = `there is no log at ${location.directory}`;
  if (topic === undefined) return new KlogError('KLOG_NOT_FOUND', where);
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `unknown topic '${topic}': ${where}`, {
    topic,
    hint: 'Produce to it, or name another directory with -d',
  });
}

/** Adds the nearest name to the error of an unknown topic or group. */
export async function suggestName(error: unknown, client: Client): Promise<unknown> {
  if (!(error instanceof KlogError) || error.hint !== undefined) return error;
  const { topic, partition, group } = error.place;
  if (error.code === 'GROUP_ID_NOT_FOUND' && group !== undefined) {
    return withNearest(error, group, async () => (await client.admin().listGroups()).map(({ groupId }) => groupId));
  }
  if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION' && topic !== undefined && partition === undefined) {
    const topics = () => client.admin().listTopics({ internal: true });
    return withNearest(error, topic, async () => (await topics()).map((listing) => listing.topic));
  }
  return error;
}

async function withNearest(error: KlogError, name: string, known: () => Promise<string[]>): Promise<KlogError> {
  // Whatever keeps them from being listed, the error itself is what the user has to know.
  const nearest = nearestName(name, await known().catch(() => []));
  return nearest === undefined || nearest === name ? error : error.with({ hint: `Did you mean '${nearest}'?` });
}
