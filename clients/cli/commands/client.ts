/** `mmrace device` and `mmrace cpu`: the ready-made clients, in this process. */
import { type Command, Option } from 'commander';
import {
  type Agent,
  type AgentArguments,
  CONNECT_MS,
  runAgent,
} from '../../agents/agent-process.ts';
import { startCpu } from '../../agents/cpu-agent.ts';
import { startDevice } from '../../agents/device-agent.ts';
import { ending } from '../ending.ts';
import { labOption, urlOption } from '../lab-options.ts';

type Start = (options: AgentArguments & StartExtras) => Agent;

interface StartExtras {
  readonly connectMs: number;
  readonly say: (text: string) => void;
}

export function addClientCommands(program: Command): void {
  addClient(program, {
    role: 'device',
    name: 'dev0',
    what: 'a dmirror device',
    start: startDevice,
  });
  addClient(program, { role: 'cpu', name: 'cpu0', what: 'a CPU thread', start: startCpu });
}

function addClient(
  program: Command,
  { role, name, what, start }: { role: string; name: string; what: string; start: Start },
): void {
  program
    .command(role)
    .description(`join a lab as ${what}; it does what a conductor asks`)
    .addOption(urlOption())
    .addOption(labOption('the lab to join'))
    .addOption(
      new Option('--name <name>', 'unique among the actors of the lab')
        .env('MMRACE_NAME')
        .default(name),
    )
    .action(
      ending((args: AgentArguments) =>
        runAgent(role, args, (known, say) => start({ ...known, connectMs: CONNECT_MS, say })),
      ),
    );
}
