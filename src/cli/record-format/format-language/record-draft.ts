import type { RecordHeader } from '../../../format/log-record.js';
import type { InputRecord } from '../input-record.js';
import type { NumberTarget, TextTarget } from './input-steps.js';

type Texts = Record<TextTarget, Buffer | null>;
type Sizes = Record<TextTarget, number>;

/** The record under way. While headers are read, `texts` and `sizes` are the header's. */
export class RecordDraft {
  texts: Texts = { topic: null, key: null, value: null };
  sizes: Sizes = { topic: 0, key: 0, value: 0 };
  headersLeft = 0;
  readonly numbers: Partial<Record<NumberTarget, number>> = {};
  readonly #headers: RecordHeader[] = [];
  #outer: { texts: Texts; sizes: Sizes } | undefined;

  beginHeaders(): void {
    if (this.#outer !== undefined) return;
    this.#outer = { texts: this.texts, sizes: this.sizes };
    this.#clear();
  }

  /** False for a key that cannot be one. */
  endHeader(): boolean {
    const { key, value } = this.texts;
    if (key === null || !this.addHeader(key, value)) return false;
    this.headersLeft--;
    this.#clear();
    return true;
  }

  endHeaders(): void {
    this.texts = this.#outer!.texts;
    this.sizes = this.#outer!.sizes;
  }

  /** False for a key that is not UTF-8. */
  addHeader(key: Buffer, value: Buffer | null): boolean {
    const name = key.toString('utf8');
    if (!Buffer.from(name, 'utf8').equals(key)) return false;
    this.#headers.push({ key: name, value });
    return true;
  }

  record(): InputRecord {
    const { topic, key, value } = this.texts;
    return { ...this.numbers, topic: topic?.toString('utf8'), key, value, headers: this.#headers };
  }

  #clear(): void {
    this.texts = { topic: null, key: null, value: null };
    this.sizes = { topic: 0, key: 0, value: 0 };
  }
}
