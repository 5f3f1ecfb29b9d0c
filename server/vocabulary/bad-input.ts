/**
 * A user gave what cannot be used: a file, an option, own code. The message says what is wrong, where (file
 * and line, if it has them), and what to do. Nothing has been changed.
 */
export class BadInput extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BadInput';
  }
}
