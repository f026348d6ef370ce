/** That of package.json; a test compares them. Not read at start, which would cost a file. */
export const VERSION = '0.1.0';
