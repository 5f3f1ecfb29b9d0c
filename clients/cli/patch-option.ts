import { Option } from 'commander';
import { jointName, STOCK_NAME } from '../../server/patches/joint-name.ts';

/** `--patch NAME`, once for each patch. Its value is their joint name. `subject` begins its help. */
export function patchOption(subject = ''): Option {
  return new Option(
    '--patch <name>',
    `${subject}'stock', a patch that ships, or a file that exports \`patch\`; once for each of several`,
  )
    .default(STOCK_NAME)
    .argParser((name, earlier: string) => jointName([earlier, name]));
}
