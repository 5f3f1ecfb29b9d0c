import type { Command } from 'commander';
import { readConfigFile } from './config-file.ts';
import { SETTINGS } from './settings.ts';

/** Sets those options of `command` from the file of `folder` that neither flags nor environment have set. */
export async function applyConfigFile(command: Command, folder: string): Promise<void> {
  const file = await readConfigFile(folder);
  if (file === 'none') return;
  for (const option of command.options) {
    const setting = SETTINGS.find(({ variable }) => variable === option.envVar);
    const value = setting === undefined ? undefined : file.values[setting.key];
    const key = option.attributeName();
    const source = command.getOptionValueSource(key);
    const open = source === undefined || source === 'default';
    if (value !== undefined && open) command.setOptionValueWithSource(key, value, 'config');
  }
}
