/** For those who open a store on the machine's own disk and may not look below `store/`. */
export type { FileSystem } from '../storage/file-system.js';
export { commandFileSystem, nodeFileSystem } from '../storage/file-system-node.js';
