import {
  HTTP_ERROR_CODES,
  type HttpError,
  type HttpErrorCode,
  type HttpErrorName,
} from '../protocol/http-errors.ts';

/** Throw it in a route: the error handler makes the answer of it. */
export class HttpFailure extends Error {
  readonly code: HttpErrorName;
  /** The part of the request that is wrong, or empty. */
  readonly what: string;

  constructor(code: HttpErrorName, what: string) {
    super(HTTP_ERROR_CODES[code].meaning);
    this.name = 'HttpFailure';
    this.code = code;
    this.what = what;
  }

  get status(): number {
    return HTTP_ERROR_CODES[this.code].status;
  }
}

export function bodyOf({ code, what }: HttpFailure): HttpError {
  const { errno, meaning, remedy }: HttpErrorCode = HTTP_ERROR_CODES[code];
  return { error: { code, errno, message: meaning, what, remedy } };
}
