import { expect, it } from 'vitest';
import { SchemaReader } from '../../../src/format/coordinator/schema-reader.js';
import { SchemaWriter } from '../../../src/format/coordinator/schema-writer.js';

it.each(['int8', 'int16', 'int32', 'int64'] as const)('an %s for which the buffer has to grow is written', (type) => {
  for (let before = 0; before < 140; before++) {
    const writer = new SchemaWriter();
    for (let i = 0; i < before; i++) writer.int8(7);
    const reader = new SchemaReader(writer[type](5)[type](-3).int8(1).done(), 'a test');
    for (let i = 0; i < before; i++) expect(reader.int8('filler')).toBe(7);
    expect([reader[type]('first'), reader[type]('second'), reader.int8('last')]).toEqual([5, -3, 1]);
  }
});
