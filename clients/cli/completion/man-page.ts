/** The manual page, mmrace(1), made of the command line itself: see man-pages(7) and groff_man(7). */
import type { Command, Option } from 'commander';
import { SETTINGS } from '../config/settings.ts';
import { EXIT_MEANINGS } from '../exit-codes.ts';

export function manPage(program: Command): string {
  const lines = [
    `.TH MMRACE 1 "" "mmrace ${program.version()}" "User Commands"`,
    '.SH NAME',
    `mmrace \\- ${roff(sentence(program.description()))}`,
    '.SH SYNOPSIS',
    '.B mmrace',
    '.I COMMAND',
    '[options]',
    '.SH COMMANDS',
    ...program.commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, roff(meaning)]),
    '.SH ENVIRONMENT',
    roff('Flags win over the environment, that over mmrace.json or mmrace.yaml of the folder.'),
    ...SETTINGS.flatMap(({ variable, what, fallback }) => [
      '.TP',
      `.B ${variable}`,
      roff(`${what} (${fallback})`),
    ]),
    '.SH FILES',
    '.TP',
    '.I mmrace.json, mmrace.yaml',
    roff('settings of a folder; mmrace config --schema prints what may be in it'),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(command: Command): string[] {
  const usage = command
    .createHelp()
    .commandUsage(command)
    .replace(/^mmrace /, '');
  return [
    `.SS ${roff(usage)}`,
    roff(sentence(command.description())),
    ...command.options.flatMap(optionLines),
  ];
}

function optionLines({
  flags,
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option) {
  const choices = argChoices === undefined ? '' : ` (${argChoices.join(', ')})`;
  const otherwise = defaultValueDescription ?? simple(defaultValue);
  const fallback = otherwise === '' ? '' : ` [${otherwise}]`;
  return ['.TP', `.B ${roff(flags)}`, roff(`${description}${choices}${fallback}`)];
}

function simple(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function sentence(text: string): string {
  return text.replace(/\.$/, '');
}

/** A line of text that is nothing else to troff. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
