/** For those who open a store on the machine's own disk and may not look below `store/`. */
export { nodeFileSystem } from '../storage/file-system-node.js';
