/**
 * A printer that lets the kernel (`format/kernel/print-kernel.ts`) print what is plain, and prints the rest itself.
 * Runs of few records are not worth a call.
 */
import { PrintKernel, type PrintTemplate } from '../../format/kernel/print-kernel.js';
import { kernelIfAny } from '../../format/kernel/web-assembly.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { kernelHasDone } from '../kernel-work.js';
import type { FormatContext } from './format-context.js';
import type { OutputBuffer } from './output-buffer.js';
import type { RecordPrinter } from './record-printer.js';

/** So many are printed one by one before the kernel is asked (again); twice as many each time it was of no use. */
const FIRST_RECORDS = 16;
const MOST_RECORDS = 4096;

/** How the records of a batch are printed; the same object as long as it is the same way. */
export type TemplateSource = (cursor: RecordCursor, context: FormatContext) => PrintTemplate;

/** @param merged the template, if it is the same for all partitions */
export function withKernel(printer: RecordPrinter, templateOf: TemplateSource, merged?: PrintTemplate): RecordPrinter {
  let kernel: PrintKernel | undefined;
  const kernelFor = (out: OutputBuffer): PrintKernel | undefined => {
    if (kernel === undefined) {
      kernel = kernelIfAny(() => new PrintKernel());
      if (kernel === undefined) return undefined;
      out.adopt(kernel.output);
    }
    // Else a record was too large for the kernel's memory, or this is another output.
    return out.buffer === kernel.output ? kernel : undefined;
  };
  let patience = FIRST_RECORDS;
  /** The kernel was of use the last time: it is asked first. */
  let isTrusted = false;
  return {
    ...printer,
    printBatch: (cursor, context, out, maxRecords, maxBytes) => {
      let printed = 0;
      for (;;) {
        if (!isTrusted || cursor.remaining < FIRST_RECORDS) {
          const wanted = Math.min(patience, maxRecords - printed);
          const few = printer.printBatch(cursor, context, out, wanted, maxBytes);
          printed += few;
          if (few < wanted || printed === maxRecords || out.length >= maxBytes) return printed;
        }
        const usable = kernelFor(out);
        if (usable === undefined) {
          isTrusted = false;
          continue;
        }
        const template = templateOf(cursor, context);
        const many = usable.print(cursor, template, out.length, maxRecords - printed, maxBytes);
        kernelHasDone(usable.length - out.length);
        out.length = usable.length;
        printed += many;
        context.recordNumber += many;
        isTrusted = many >= patience;
        patience = isTrusted ? FIRST_RECORDS : Math.min(2 * patience, MOST_RECORDS);
        if (printed === maxRecords || out.length >= maxBytes) return printed;
      }
    },
    printMerged: (cursors, context, out, maxRecords, maxBytes) => {
      const usable = merged === undefined ? undefined : kernelFor(out);
      if (merged === undefined || usable === undefined) return 0;
      const printed = usable.merge(cursors, merged, out.length, maxRecords, maxBytes);
      kernelHasDone(usable.length - out.length);
      out.length = usable.length;
      context.recordNumber += printed;
      return printed;
    },
  };
}

/** A source that makes its template anew where another partition comes, or another type of timestamps. */
export function templatePerPartition(
  make: (context: FormatContext, timestampType: RecordCursor['timestampType']) => PrintTemplate,
): TemplateSource {
  let template: PrintTemplate | undefined;
  let topic = '';
  let partition = -1;
  let timestampType: RecordCursor['timestampType'] = 'none';
  return (cursor, context) => {
    const isSame = context.topic === topic && context.partition === partition && cursor.timestampType === timestampType;
    if (template !== undefined && isSame) return template;
    ({ topic, partition } = context);
    ({ timestampType } = cursor);
    template = make(context, timestampType);
    return template;
  };
}
