import type { Command } from 'commander';
import { readConfigFile } from './config-file.ts';
import { clientUrl, SETTINGS } from './settings.ts';

/**
 * Sets those options of `command` from the file of `folder` that neither flags nor environment have set. A server that
 * is moved takes the clients along.
 */
export async function applyConfigFile(command: Command, folder: string): Promise<void> {
  const file = await readConfigFile(folder);
  const values = file === 'none' ? {} : file.values;
  const address = {
    host: process.env.MMRACE_HOST ?? values.host,
    port: process.env.MMRACE_PORT ?? values.port,
  };
  const defaults: typeof values = { url: clientUrl(address) };
  for (const option of command.options) {
    const setting = SETTINGS.find(({ variable }) => variable === option.envVar);
    if (setting === undefined) continue;
    const value = values[setting.key];
    const otherwise = defaults[setting.key];
    const key = option.attributeName();
    const source = command.getOptionValueSource(key);
    const open = source === undefined || source === 'default';
    if (!open) continue;
    if (value !== undefined) command.setOptionValueWithSource(key, value, 'config');
    else if (otherwise !== undefined) command.setOptionValueWithSource(key, otherwise, 'default');
  }
}
