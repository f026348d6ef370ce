/** States as crashsim.py sends them: names, and the bytes of files by numbers, each sent once. */
import type { State } from './judge.js';
import { MemoryDisk, type Names, newContents } from './memory-disk.js';

export interface TreeMessage {
  /** Parents first: path, `dir` or `file`, and of a file the number of its bytes. */
  readonly tree: readonly (readonly [path: string, kind: string, bytes: number | string | null])[];
  /** What the command had printed, a character a byte. */
  readonly said: string;
  /** New ones, in base64. */
  readonly bytes: Readonly<Record<string, string>>;
  /** Earlier ones come no more. */
  readonly forget: boolean;
  /** Of a kill; absent: the power was lost. */
  readonly mode?: string;
}

/** Where the files of a state seem to be. */
const ROOT = '/state';

export class StateImages {
  readonly #bytes = new Map<number, Buffer>();

  read({ tree, said, bytes, forget, mode }: TreeMessage): State {
    if (forget) this.#bytes.clear();
    for (const [number, text] of Object.entries(bytes)) this.#bytes.set(Number(number), Buffer.from(text, 'base64'));
    const top: Names = new Map();
    const directories = new Map<string, Names>([['', top]]);
    for (const [path, kind, value] of tree) {
      const slash = path.lastIndexOf('/');
      const names = directories.get(path.slice(0, Math.max(slash, 0)));
      const name = path.slice(slash + 1);
      if (names === undefined) throw new Error(`${path} is in no directory`);
      if (kind === 'dir') {
        const below: Names = new Map();
        names.set(name, below);
        directories.set(path, below);
      } else if (kind === 'file') names.set(name, newContents(name, this.#bytes.get(value as number)!));
      else throw new Error(`${path} is a ${kind}`);
    }
    return { disk: new MemoryDisk(ROOT, top), said, ...(mode === undefined ? {} : { mode }) };
  }
}
