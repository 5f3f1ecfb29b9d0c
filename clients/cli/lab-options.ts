/** Which lab on which server: the same for every command that joins one. Flags win over the environment. */
import { Option } from 'commander';
import { DEFAULT_LAB, DEFAULT_URL } from '../agents/agent-process.ts';

export function urlOption(): Option {
  return new Option('--url <url>', 'WebSocket address of the server')
    .env('MMRACE_URL')
    .default(DEFAULT_URL);
}

export function labOption(description: string): Option {
  return new Option('--lab <name>', description).env('MMRACE_LAB').default(DEFAULT_LAB);
}

/** Says the same as --lab, by a join code; and a code is never opened as a lab. */
export function codeOption(): Option {
  return new Option('--code <code>', 'the join code of a lab, as a room is shown it');
}

/** For a user who has lost the token of a session that is still known: a program that has died. */
export function takeOverOption(): Option {
  return new Option(
    '--take-over',
    'take the name from a session that has been without a connection for a lease',
  );
}

export function tokenOption(): Option {
  return new Option(
    '--token <file>',
    'of a server that has one: to find labs by name, and to open them',
  ).env('MMRACE_TOKEN');
}

export function newOption(): Option {
  return new Option('--new', 'open the lab if no lab has that name');
}
