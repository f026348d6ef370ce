import { KlogError } from '../../errors.js';

export const WHOLE_WORD_FORMATS = ['json', 'jsonl', 'raw', 'hex', 'csv', 'tsv', 'table', 'kafka', 'netstring'] as const;

/** The language of `-f` as help and manual show it: what is written, and what it prints. */
export const FORMAT_VERBS: readonly (readonly [written: string, meaning: string])[] = [
  ['%t %k %v', 'topic, key, value'],
  ['%p %o %e', 'partition, offset, leader epoch'],
  ['%d', 'timestamp in ms; %d{iso} %d{iso:local} %d{rel} %d{strftime[%F %T]} %d{go[15:04]}'],
  ['%h', 'headers as name=value,…; %h{name:N} the value of one; %h{%k=%v;} each by a layout'],
  ['%T %K %V', 'lengths of topic, key, value in bytes; %V{null} is -1 for null'],
  ['%H', 'number of headers'],
  ['%a{NAME}', 'compression, timestamp-type, transactional-bit or control-bit'],
  ['%x %y', 'producer id, producer epoch'],
  ['%[ %| %]', 'log start offset, last stable offset, high watermark'],
  ['%i', 'number of records printed so far, from 1'],
  ['%s %S %R', "kcat's: value, its length, its length as four bytes; all of kcat's by kcat:LAYOUT"],
  ['%% %{ %}', 'these characters; and \\t \\n \\r \\0 \\\\ \\xNN'],
];

/** Behind verbs that print text, and behind those that print numbers. */
export const FORMAT_MODIFIERS: readonly (readonly [written: string, meaning: string])[] = [
  ['%v{…}', 'hex base64 base64raw json c max=80 null=NULL jq:.a.b unpack[SPEC]; the same for %k %t'],
  ['%o{…}', 'hex hex8 … hex64 big8 … big64 little8 … little64 byte bool; the same for other numbers'],
];

/** A mistyped word would be a layout that is nothing but text. KLOG_USAGE. */
export function refuseWord(format: string): void {
  if (!/^[a-z]{2,}$/.test(format)) return;
  throw new KlogError('KLOG_USAGE', `'${format}' is no format: it has no verb`, {
    hint: `Formats are ${WHOLE_WORD_FORMATS.join(' ')}, or a text with verbs: '%k %v\\n'`,
  });
}
