import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything below a directory: path → kind, and what is in it. Links are shown, not followed. */
export function treeOf(directory: string, below = ''): Map<string, string> {
  const tree = new Map<string, string>();
  for (const name of readdirSync(join(directory, below)).sort()) {
    const path = join(below, name);
    const full = join(directory, path);
    const stat = lstatSync(full);
    if (stat.isSymbolicLink()) tree.set(path, `link to ${readlinkSync(full)}`);
    else if (stat.isDirectory()) {
      tree.set(path, 'directory');
      for (const [inner, what] of treeOf(directory, path)) tree.set(inner, what);
    } else tree.set(path, stat.isFile() ? `file ${readFileSync(full, 'hex')}` : 'other');
  }
  return tree;
}

/** The paths of regular files, relative. */
export function filesOf(directory: string): string[] {
  return [...treeOf(directory)].filter(([, what]) => what.startsWith('file')).map(([path]) => path);
}
