/** The command line as a process. */
import { enableCompileCache } from 'node:module';

// Most of the time of a short command goes into reading the sources.
enableCompileCache();
const { failed } = await import('./failure.ts');
const { EXIT } = await import('./exit-codes.ts');
const { newProgram } = await import('./program.ts');
const { watchNpm } = await import('./end-with-npm.ts');

watchNpm(() => process.kill(process.pid, 'SIGTERM'));

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `mmrace ... | head` has read enough.
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`mmrace: the answer cannot be written: ${error.message}\n`);
  process.exit(EXIT.UNWRITTEN);
});

try {
  const program = await newProgram(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  const { exitCode, text } = failed(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
