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

/** Says the same as --lab, for whoever was given a code; and a code is never opened as a lab. */
export function codeOption(): Option {
  return new Option('--code <code>', 'the join code of a lab, as a room is shown it');
}

export function newOption(): Option {
  return new Option('--new', 'open the lab if there is none of that name');
}
