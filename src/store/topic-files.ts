import { join } from 'node:path';
import { isValidTopicName } from '../format/topic-name.js';
import type { FileStat, FileSystem } from '../storage/file-system.js';
import { TOPIC_FILE_TEMPORARY, topicFileName, topicFileTemporary, topicOfFileName } from './layout.js';
import {
  decodeTopicFile,
  dropTopicFile,
  markDeleting,
  readTopicFile,
  type TopicFile,
  writeTopicFile,
} from './topic-file.js';

/**
 * The files of all topics of a data directory, in whatever state they are. Reading takes no lock; writing, the admin
 * lock.
 */
export class TopicFiles {
  readonly #fs: FileSystem;
  readonly #directory: string;
  /** By name, with what tells that the file is the same: who asks for an id asks again and again. */
  readonly #ids = new Map<string, Pick<FileStat, 'inode' | 'modifiedMs'> & Pick<TopicFile, 'topicId'>>();

  /** @param directory `topics/` */
  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** In the order of their UTF-16 units. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for (const fileName of await this.#fs.readDirectory(this.#directory)) {
      const name = topicOfFileName(fileName);
      if (name !== undefined && isValidTopicName(name)) names.push(name);
    }
    return names.sort();
  }

  /** By name. */
  async all(): Promise<TopicFile[]> {
    const names = await this.names();
    const texts = (await this.#fs.readTexts?.(this.#directory, names.map(topicFileName))) ?? [];
    const files: TopicFile[] = [];
    for (const [index, name] of names.entries()) {
      const file = this.#decoded(name, texts[index]) ?? (await this.read(name));
      // Otherwise dropped since it was listed.
      if (file !== undefined) files.push(file);
    }
    return files;
  }

  /** `undefined`: it has to be read with more care, which finds out what is wrong. */
  #decoded(name: string, text: string | undefined): TopicFile | undefined {
    if (text === undefined) return undefined;
    try {
      const file = decodeTopicFile(text, topicFileName(name));
      return file.topic === name ? file : undefined;
    } catch {
      return undefined;
    }
  }

  /** On a file system that does not tell upper from lower case, another topic's file may answer to the name. */
  async read(topic: string): Promise<TopicFile | undefined> {
    const file = await readTopicFile(this.#fs, this.#directory, topic);
    return file?.topic === topic ? file : undefined;
  }

  /** Of a topic that is there; one call while nothing of it is changed. */
  async idOf(topic: string): Promise<string | undefined> {
    const stat = await this.#fs.stat(join(this.#directory, topicFileName(topic)));
    const known = this.#ids.get(topic);
    if (known !== undefined && known.inode === stat?.inode && known.modifiedMs === stat.modifiedMs)
      return known.topicId;
    this.#ids.delete(topic);
    const file = await this.read(topic);
    if (file?.state !== 'active') return undefined;
    const { topicId } = file;
    if (stat !== undefined) this.#ids.set(topic, { inode: stat.inode, modifiedMs: stat.modifiedMs, topicId });
    return topicId;
  }

  /** @param lane of several that write at the same time */
  async write(file: TopicFile, lane = 0): Promise<void> {
    await writeTopicFile(this.#fs, this.#directory, file, { temporaryName: topicFileTemporary(lane) });
  }

  /** Removes what a killed change was writing. */
  async sweep(): Promise<void> {
    for (const name of await this.#fs.readDirectory(this.#directory)) {
      // A topic may have such a name, too.
      if (name.startsWith(TOPIC_FILE_TEMPORARY) && topicOfFileName(name) === undefined)
        await this.#fs.unlink(join(this.#directory, name));
    }
  }

  /** @param file in the state `deleting` */
  async markDeleting(file: TopicFile): Promise<void> {
    await markDeleting(this.#fs, this.#directory, file);
  }

  async drop(topic: string): Promise<void> {
    await dropTopicFile(this.#fs, this.#directory, topic);
  }
}
