import { commandFileSystem, type FileSystem, nodeFileSystem } from '../../store/node-file-system.js';
import { openStore } from '../../store/store.js';
import type { Client } from '../client.js';
import { systemSeams } from './client-seams.js';
import { ProducingClient } from './producing-client.js';

export interface OpenClientOptions {
  /** The data directory, usually `.klog`. */
  readonly directory: string;
  /** Makes the directory if there is none. Default false. */
  readonly create?: boolean;
  /** A directory that this call has made goes again when the client is closed and has left no topic. Default false. */
  readonly removeUnused?: boolean;
  /** Only reads: needs no permission to write. Default false. */
  readonly readOnly?: boolean;
  /** Opens it even on NFS and the like, where file locks and syncs are not to be trusted. Default false. */
  readonly allowNetworkFileSystem?: boolean;
  /** Longest wait for a lock that another process holds. Milliseconds, default 10 000. */
  readonly lockWaitMs?: number;
  /**
   * Told what upkeep in the background could not do, a sentence each. Default: a process warning of type KlogWarning.
   */
  readonly onWarning?: (message: string) => void;
}

/** Named here so that its code is loaded only where there ever was a group. */
const OFFSETS_TOPIC = '__consumer_offsets';

/**
 * Opens the topics in a directory. Any number of processes may do so at the same time.
 *
 * Fails with KLOG_NOT_FOUND (nothing there, and `create` not set), KLOG_BAD_DIRECTORY, KLOG_PERMISSION_DENIED,
 * UNSUPPORTED_VERSION (made by a newer klog), KLOG_NETWORK_FILE_SYSTEM, KLOG_LOCKED (a broker runs on it). Close what
 * it answers, or hold it with `await using`.
 */
export async function openClient(options: OpenClientOptions): Promise<Client> {
  const { LocalClient } = await import('./local-client.js');
  return await openAs(LocalClient, nodeFileSystem, options);
}

/** The same for a command that will not ask for a consumer. */
export async function openProducingClient(options: OpenClientOptions): Promise<Client> {
  return await openAs(ProducingClient, commandFileSystem, options);
}

async function openAs(Home: typeof ProducingClient, fs: FileSystem, options: OpenClientOptions): Promise<Client> {
  const { directory, ...others } = options;
  const store = await openStore(fs, directory, others);
  const openGroups = async () => new (await import('../../groups/groups.js')).Groups(store, systemSeams);
  store.onTopicNames = async (topics) => {
    if (topics.has(OFFSETS_TOPIC) || (await store.topics.find(OFFSETS_TOPIC)) === undefined) return;
    const groups = await openGroups();
    try {
      await groups.forgetTopics(topics);
    } finally {
      await groups.close();
    }
  };
  return new Home(store, systemSeams, store.directory.warnings, openGroups);
}
