/** The command line as a process. */
import { failed } from './failure.ts';
import { newProgram } from './program.ts';

// `mmrace ... | head` stops reading: there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await newProgram().parseAsync();
} catch (error) {
  const { exitCode, text } = failed(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
