/** The command line as a process. */
import { failed } from './failure.ts';
import { newProgram } from './program.ts';

try {
  await newProgram().parseAsync();
} catch (error) {
  const { exitCode, text } = failed(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
