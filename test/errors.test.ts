import { expect, it } from 'vitest';
import { KlogError } from '../src/errors.js';

it('an error of which more is known keeps what it said, and is the cause', () => {
  const error = new KlogError('CORRUPT_MESSAGE', 'bad', { file: 'a.log', position: 7, hint: 'Look at it' });
  const known = error.with({ topic: 't', position: 9 });
  expect(known).toBeInstanceOf(KlogError);
  expect(known).toMatchObject({ code: 'CORRUPT_MESSAGE', message: 'bad', hint: 'Look at it', cause: error });
  expect(known.place).toEqual({ file: 'a.log', position: 9, topic: 't' });
  expect(error.with({ message: 't:0: bad', hint: 'Ask' })).toMatchObject({ message: 't:0: bad', hint: 'Ask' });
  expect(error.place).toEqual({ file: 'a.log', position: 7 });
});
