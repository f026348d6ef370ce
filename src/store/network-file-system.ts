/**
 * File systems whose locks or fsync klog cannot rely on, by the number Linux gives them in statfs(2), `f_type`.
 *
 * Refused are those that keep the files on another machine (or the host of a virtual one): locks may be local only, and
 * a page written here may be read stale there. FUSE says nothing about where the files are: sshfs and s3fs are FUSE,
 * but so are ntfs-3g and encrypted homes. It is a warning.
 */
import { dirname } from 'node:path';
import { KlogError } from '../errors.js';
import type { FileSystem } from '../storage/file-system.js';
import { statDirectory } from './stat-directory.js';

const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
  [0x517b, 'SMB'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x61636673, 'ACFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0xaad7aaea, 'PanFS'],
  [0x19830326, 'BeeGFS'],
  [0x20030528, 'OrangeFS'],
  [0xbacbacbc, 'VMware shared folders'],
  [0x786f4256, 'VirtualBox shared folders'],
]);
const FUSE = 0x65735546;

/** What is wrong with the file system of a type: refused, worth a warning, or nothing. */
export function judgeFileSystem(type: number): { readonly refused?: string; readonly warning?: string } {
  const unsigned = type >>> 0;
  const network = NETWORK_FILE_SYSTEMS.get(unsigned);
  if (network !== undefined) return { refused: network };
  if (unsigned === FUSE) return { warning: 'FUSE' };
  return {};
}

/**
 * Looks at where `path` lies, or would lie. Returns a warning, if there is one.
 * @throws KlogError KLOG_NETWORK_FILE_SYSTEM unless `allowed`
 */
export async function checkFileSystem(fs: FileSystem, path: string, allowed: boolean): Promise<string | undefined> {
  if (fs.statfsType === undefined) return undefined;
  let existing = path;
  while ((await statDirectory(fs, existing)) === undefined && dirname(existing) !== existing)
    existing = dirname(existing);
  const type = await fs.statfsType(existing);
  if (type === undefined) return undefined;
  const { refused, warning } = judgeFileSystem(type);
  if (refused !== undefined && !allowed) {
    throw new KlogError('KLOG_NETWORK_FILE_SYSTEM', `${path} is on a network file system (${refused})`, {
      file: path,
      hint: 'Its locks and syncs are not dependable: use a local directory, or --allow-network-fs at your own risk',
    });
  }
  const kind = refused ?? warning;
  return kind === undefined ? undefined : `${path} is on ${kind}: klog cannot know whether its locks and syncs hold`;
}
