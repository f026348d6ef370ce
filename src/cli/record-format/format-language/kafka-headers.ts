import type { HeaderListStep } from './input-steps.js';
import type { RecordDraft } from './record-draft.js';

const COLON = 0x3a;

/** `h:x,i:null`, or `NO_HEADERS`: as `-f kafka` prints them. False for anything else. */
export function readKafkaHeaders(bytes: Buffer, step: HeaderListStep, draft: RecordDraft): boolean {
  if (bytes.equals(NO_HEADERS)) return true;
  let from = 0;
  while (from <= bytes.length) {
    const found = bytes.indexOf(step.separator, from);
    const to = found < 0 ? bytes.length : found;
    const header = bytes.subarray(from, to);
    const colon = header.indexOf(COLON);
    if (colon < 0) return false;
    const value = header.subarray(colon + 1);
    const isNull = value.equals(step.nullText);
    if (!draft.addHeader(header.subarray(0, colon), isNull ? null : Buffer.from(value))) return false;
    from = to + step.separator.length;
  }
  return true;
}

const NO_HEADERS = Buffer.from('NO_HEADERS');
