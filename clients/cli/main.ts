/** The command line as a process. */
import { enableCompileCache } from 'node:module';

// Most of the time of a short command goes into reading the sources.
enableCompileCache();
const { failed } = await import('./failure.ts');
const { newProgram } = await import('./program.ts');
const { watchNpm } = await import('./end-with-npm.ts');

watchNpm(() => process.kill(process.pid, 'SIGTERM'));

// `mmrace ... | head` stops reading: there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  const program = await newProgram(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  const { exitCode, text } = failed(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
