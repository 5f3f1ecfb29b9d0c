/** Error codes and close codes, one table each: what it means, whether it happened, what to do. */
import { CLOSE_CODES, OTHER_CLOSE_CODES } from '../protocol/close-codes.ts';
import { ERROR_CODES } from '../protocol/error-codes.ts';
import { HTTP_ERROR_CODES } from '../protocol/http-errors.ts';
import { table } from './markdown.ts';

export function errorCodeTable(): string {
  const rows = Object.entries(ERROR_CODES).map(([word, entry]) => [
    `\`${word}\``,
    `${entry.jsonrpc}`,
    entry.errno,
    entry.meaning,
    entry.definite ? 'no' : 'it may have',
    entry.remedy,
  ]);
  return table(['code', 'number', 'errno', 'meaning', 'has it happened?', 'what to do'], rows);
}

export function closeCodeTable(): string {
  const rows = Object.entries(CLOSE_CODES).map(([reason, entry]) => [
    `${entry.code}`,
    `\`${reason}\``,
    entry.meaning,
    entry.session,
    entry.remedy,
  ]);
  return table(['code', 'reason', 'meaning', 'the session', 'what to do'], rows);
}

export function otherCloseCodeTable(): string {
  const rows = OTHER_CLOSE_CODES.map(({ codes, by, meaning, session }) => [
    codes,
    by,
    meaning,
    session,
  ]);
  return table(['code', 'closed by', 'meaning', 'the session'], rows);
}

/** Of the HTTP routes. A request that was refused has changed nothing; after an error of the server, look. */
export function httpErrorTable(): string {
  const rows = Object.entries(HTTP_ERROR_CODES).map(([word, entry]) => [
    `\`${word}\``,
    `${entry.status}`,
    entry.errno,
    entry.meaning,
    entry.status === 500 ? 'it may have' : 'no',
    entry.remedy,
  ]);
  return table(['code', 'status', 'errno', 'meaning', 'has it happened?', 'what to do'], rows);
}
