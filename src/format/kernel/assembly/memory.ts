/**
 * The kernel's memory, which never grows. `record-kernel.ts` knows the same numbers.
 *
 * |      at |      size |                                                                              |
 * |--------:|----------:|------------------------------------------------------------------------------|
 * |       0 |  16 + 16  | constant 0 … 3, 16 bytes each: what is printed between keys and values        |
 * |    1024 |       256 | what stands for a byte in a JSON string: 0 itself, 255 ask JavaScript, else the letter behind `\` |
 * |  65 536 |   256 KiB | what is printed                                                              |
 * | 327 680 |   128 KiB | the records                                                                  |
 */
