/**
 * `meta.properties` of a log directory: whose it is (Kafka's `MetaProperties`).
 *
 * ```
 * version=1                                version=0 under ZooKeeper
 * node.id=1                                broker.id=1
 * cluster.id=5L6g3nShT-eMCtK--X86sw        may be missing in the oldest
 * directory.id=ASNFZ4mrze_-3LqYdlQyEA      since 3.7
 * ```
 */
import { KlogError } from '../errors.js';
import { formatJavaProperties, parseJavaProperties } from './java-properties.js';

export interface MetaProperties {
  /** 0: of a broker under ZooKeeper. 1: of KRaft, and what klog writes. */
  readonly version: 0 | 1;
  /** `node.id`, in version 0 `broker.id`. */
  readonly nodeId?: number | undefined;
  readonly clusterId?: string | undefined;
  readonly directoryId?: string | undefined;
}

const INT32 = /^-?\d{1,10}$/;

export function encodeMetaProperties(properties: MetaProperties): Uint8Array {
  const { version, nodeId, clusterId, directoryId } = properties;
  const entries: [string, string][] = [];
  if (clusterId !== undefined) entries.push(['cluster.id', clusterId]);
  if (directoryId !== undefined) entries.push(['directory.id', directoryId]);
  if (nodeId !== undefined) entries.push([version === 0 ? 'broker.id' : 'node.id', String(nodeId)]);
  entries.push(['version', String(version)]);
  return Buffer.from(formatJavaProperties(entries), 'latin1');
}

/** CORRUPT_MESSAGE: no version, or an id that is no number. UNSUPPORTED_VERSION: a later version. */
export function decodeMetaProperties(bytes: Uint8Array, file = 'meta.properties'): MetaProperties {
  const properties = parseJavaProperties(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
  const version = wholeNumber(properties, 'version', file);
  if (version === undefined) throw corrupt(file, 'has no version');
  if (version !== 0 && version !== 1) {
    throw new KlogError('UNSUPPORTED_VERSION', `${file} has version ${version}, known are 0 and 1`, { file });
  }
  return {
    version,
    nodeId: wholeNumber(properties, version === 0 ? 'broker.id' : 'node.id', file),
    clusterId: properties.get('cluster.id'),
    directoryId: properties.get('directory.id'),
  };
}

function wholeNumber(properties: ReadonlyMap<string, string>, key: string, file: string): number | undefined {
  const text = properties.get(key)?.trim();
  if (text === undefined) return undefined;
  if (!INT32.test(text)) throw corrupt(file, `has ${key}=${JSON.stringify(text.slice(0, 40))}, which is no number`);
  return Number(text);
}

function corrupt(file: string, what: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${file} ${what}`, { file });
}
