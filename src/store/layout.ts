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
 *     .import-<32 hex>        held by a process that imports topics, for as long as it does; then removed
 *     <topic>.gone            its file, renamed: the topic is being deleted, and there was no space to say so in it
 *     .topic.tmp              a topic file being written, and .topic.tmp-1 … where several are at the same time (not
 *                             `<topic>.json.tmp`, which may exceed 255 bytes)
 * ```
 * Names in `topics/` that end in neither `.json` nor `.gone` are klog's own and never a topic's.
 */
import { basename, dirname, join } from 'node:path';

export const DEFAULT_DIRECTORY_NAME = '.klog';
export const KLOG_JSON = 'klog.json';
export const LOG_DIRECTORY = 'log';
export const META_PROPERTIES = 'meta.properties';
export const LOG_LOCK = '.lock';
export const TOPICS_DIRECTORY = 'topics';
export const ADMIN_LOCK = '.lock';
export const IMPORT_LOCK_PREFIX = '.import-';
export const TOPIC_FILE_SUFFIX = '.json';
/** As long as the other one: a topic's name may fill a file's to its last byte. */
export const GONE_TOPIC_SUFFIX = '.gone';
export const TOPIC_FILE_TEMPORARY = '.topic.tmp';

/** Where the nth of several topic files that are written at the same time is, until it is complete. */
export function topicFileTemporary(lane: number): string {
  return lane === 0 ? TOPIC_FILE_TEMPORARY : `${TOPIC_FILE_TEMPORARY}-${lane}`;
}

/** A directory being built by a process, beside the place where it will appear. */
export function temporaryDirectoryPath(path: string, randomHex: string): string {
  return join(dirname(path), `${temporaryDirectoryPrefix(path)}${randomHex}`);
}

export function temporaryDirectoryPrefix(path: string): string {
  return `${basename(path)}.tmp-`;
}

export function topicFileName(topic: string): string {
  return topic + TOPIC_FILE_SUFFIX;
}

/** The topic whose file has this name; `undefined`: not a topic's file. */
export function topicOfFileName(name: string): string | undefined {
  const suffix = name.endsWith(GONE_TOPIC_SUFFIX) ? GONE_TOPIC_SUFFIX : TOPIC_FILE_SUFFIX;
  return name.endsWith(suffix) && name.length > suffix.length ? name.slice(0, -suffix.length) : undefined;
}
