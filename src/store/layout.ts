/**
 * Names inside one data directory.
 *
 * ```
 * .klog/
 *   klog.json                 format version, feature flags, lock mechanism; its presence makes the directory klog's
 *   log/                      a pure Kafka log directory
 *     meta.properties         who owns it, as Kafka writes it
 *     .lock                   every klog process holds it shared for its life, a broker exclusively
 *     <topic>-<partition>/
 *   topics/
 *     <topic>.json            what exists: the commit point of create, alter and delete
 *     .lock                   held exclusively by whoever changes topics
 *     .topic.tmp              a topic file being written (one name for all: `<topic>.json.tmp` may exceed 255 bytes)
 * ```
 * Names in `topics/` that do not end in `.json` are klog's own and never a topic's.
 */
import { basename, dirname, join } from 'node:path';

export const DEFAULT_DIRECTORY_NAME = '.klog';
export const KLOG_JSON = 'klog.json';
export const LOG_DIRECTORY = 'log';
export const META_PROPERTIES = 'meta.properties';
export const LOG_LOCK = '.lock';
export const TOPICS_DIRECTORY = 'topics';
export const ADMIN_LOCK = '.lock';
export const TOPIC_FILE_SUFFIX = '.json';
export const TOPIC_FILE_TEMPORARY = '.topic.tmp';

/** A directory being built by a process, beside the place where it will appear. */
export function temporaryDirectoryPath(path: string, randomHex: string): string {
  return join(dirname(path), `${temporaryDirectoryPrefix(path)}${randomHex}`);
}

export function temporaryDirectoryPrefix(path: string): string {
  return `${basename(path)}.tmp-`;
}

/** The topic whose file has this name; `undefined`: not a topic's file. */
export function topicOfFileName(name: string): string | undefined {
  return name.length > TOPIC_FILE_SUFFIX.length && name.endsWith(TOPIC_FILE_SUFFIX)
    ? name.slice(0, -TOPIC_FILE_SUFFIX.length)
    : undefined;
}
