import { KlogError } from '../errors.js';
import { checkBatches } from '../format/batch-run.js';
import type { ArchivedGroup, ArchivedPartition, ArchivedTopic, ArchiveTotals } from './archive-format.js';
import { decodeArchivedGroup, decodeArchivedTopic, decodePartition, decodeTotals } from './archive-json.js';
import { type Section, SectionReader } from './section-reader.js';

/** What an archive brings, in this order: all topics at once, then batches, then groups, then the totals. */
export type ArchivePart =
  | { readonly kind: 'topics'; readonly topics: readonly ArchivedTopic[] }
  | {
      readonly kind: 'batches';
      readonly topic: string;
      readonly partition: number;
      /** Whole batches, checked; the receiver's to change. */
      readonly bytes: Buffer;
      readonly records: number;
    }
  /** Of archived topics and within their ends. A group may come in parts. */
  | { readonly kind: 'group'; readonly group: ArchivedGroup }
  /** A section that this klog does not know and may pass over. */
  | { readonly kind: 'unknown'; readonly section: string }
  | { readonly kind: 'end'; readonly totals: ArchiveTotals };

/**
 * Reads an archive and checks all of it on the way: checksums, the order of sections, every batch, the totals.
 * @throws KlogError KLOG_BAD_INPUT with the byte (`position`); UNSUPPORTED_VERSION
 */
export async function* readArchive(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<ArchivePart> {
  const reader = new SectionReader(chunks, name);
  try {
    await reader.readHead();
    yield* new ArchiveParts(reader).parts();
  } finally {
    await reader.close();
  }
}

class ArchiveParts {
  readonly #reader: SectionReader;
  readonly #topics = new Map<string, ArchivedTopic>();
  readonly #begun = new Set<string>();
  #counts = { sections: 0, batches: 0, records: 0, recordBytes: 0 };
  #current: (ArchivedPartition & { topic: string; partition: number; nextOffset: number }) | undefined;
  #headIsOver = false;

  constructor(reader: SectionReader) {
    this.#reader = reader;
  }

  async *parts(): AsyncGenerator<ArchivePart> {
    for (;;) {
      const section = await this.#reader.next();
      if (section === undefined) {
        const { position } = this.#reader;
        throw this.#reader.damaged(position, 'it ends before its last section, and is only a part of an archive');
      }
      if (this.#counts.sections === 0 && section.kind !== 'META') throw this.#misplaced(section);
      if (section.kind !== 'META' && section.kind !== 'TOPC' && !this.#headIsOver) {
        this.#headIsOver = true;
        yield { kind: 'topics', topics: [...this.#topics.values()] };
      }
      if (section.kind === 'DONE') {
        yield { kind: 'end', totals: await this.#end(section) };
        return;
      }
      const part = this.#part(section);
      this.#counts.sections++;
      if (part !== undefined) yield part;
    }
  }

  #part(section: Section): ArchivePart | undefined {
    switch (section.kind) {
      case 'META':
        if (this.#counts.sections > 0) throw this.#misplaced(section);
        return undefined;
      case 'TOPC':
        this.#addTopic(section);
        return undefined;
      case 'PART':
        this.#beginPartition(section);
        return undefined;
      case 'RECS':
        return this.#batches(section);
      case 'grpO':
        return this.#group(section);
      default:
        // A small first letter: made to be passed over.
        if (/^[a-z]/.test(section.kind)) return { kind: 'unknown', section: section.kind };
        throw this.#reader.damaged(section.position, `a section of the unknown kind ${JSON.stringify(section.kind)}`);
    }
  }

  #addTopic(section: Section): void {
    const topic = this.#decoded(section, decodeArchivedTopic);
    if (this.#headIsOver || this.#topics.has(topic.topic)) throw this.#misplaced(section);
    this.#topics.set(topic.topic, topic);
  }

  #beginPartition(section: Section): void {
    const { topic, partition } = this.#decoded(section, decodePartition);
    const range = this.#topics.get(topic)?.partitions[partition];
    const name = `${topic}:${partition}`;
    if (range === undefined || this.#begun.has(name)) throw this.#misplaced(section);
    this.#begun.add(name);
    this.#current = { topic, partition, ...range, nextOffset: range.startOffset };
  }

  #batches(section: Section): ArchivePart {
    const current = this.#current;
    if (current === undefined) throw this.#misplaced(section);
    const { topic, partition, nextOffset, endOffset } = current;
    const { body } = section;
    try {
      const tally = checkBatches(body, nextOffset, endOffset);
      current.nextOffset = tally.nextOffset;
      this.#counts.batches += tally.batches;
      this.#counts.records += tally.records;
      this.#counts.recordBytes += body.length;
      return { kind: 'batches', topic, partition, bytes: body, records: tally.records };
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      const at = section.isPlain ? section.bodyPosition + (error.place.position ?? 0) : section.position;
      throw this.#reader.damaged(at, `${topic}:${partition}: ${error.message}`);
    }
  }

  #group(section: Section): ArchivePart {
    const group = this.#decoded(section, decodeArchivedGroup);
    for (const { topic, partition, offset } of group.offsets) {
      const range = this.#topics.get(topic)?.partitions[partition];
      if (range !== undefined && offset <= range.endOffset) continue;
      throw this.#reader.damaged(section.position, `there is no offset ${offset} of ${topic}:${partition} in it`);
    }
    return { kind: 'group', group };
  }

  async #end(section: Section): Promise<ArchiveTotals> {
    const totals = this.#decoded(section, decodeTotals);
    const found: ArchiveTotals = { ...this.#counts, topics: this.#topics.size, digest: section.digestBefore };
    for (const name of Object.keys(found) as (keyof ArchiveTotals)[]) {
      if (found[name] === totals[name]) continue;
      const problem = `its end says ${totals[name]} ${name}, and ${found[name]} were found`;
      throw this.#reader.damaged(
        section.position,
        name === 'digest' ? 'its sections are not those it was made of' : problem,
      );
    }
    const { position } = this.#reader;
    const behind = await this.#reader.next().catch(() => 'bytes');
    if (behind !== undefined) throw this.#reader.damaged(position, 'something follows its last section');
    return totals;
  }

  #decoded<T>(section: Section, decode: (body: Buffer) => T): T {
    try {
      return decode(section.body);
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      throw this.#reader.damaged(section.position, `section ${section.kind}: ${error.message}`);
    }
  }

  #misplaced(section: Section): KlogError {
    return this.#reader.damaged(section.position, `a section ${JSON.stringify(section.kind)} that has no place there`);
  }
}
